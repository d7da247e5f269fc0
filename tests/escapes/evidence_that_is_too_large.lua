-- expect: unscored result
return {
  judge = function(trial, response)
    return { label = "x", evidence = ("x"):rep(70000) }
  end,
}
