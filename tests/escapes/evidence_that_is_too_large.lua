-- expect: unscored result
return {
  judge = function()
    return { label = "x", evidence = ("x"):rep(70000) }
  end,
}
