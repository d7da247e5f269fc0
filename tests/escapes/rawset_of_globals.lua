-- expect: error read-only
return {
  judge = function(trial, response)
    rawset(_ENV, "leak", 1)
  end,
}
