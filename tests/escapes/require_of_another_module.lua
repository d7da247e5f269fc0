-- expect: error not there for a rule judge
return {
  judge = function(trial, response)
    return require "os"
  end,
}
