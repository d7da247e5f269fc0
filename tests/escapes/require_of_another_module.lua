-- expect: error not there for a rule judge
return {
  judge = function()
    return require "os"
  end,
}
