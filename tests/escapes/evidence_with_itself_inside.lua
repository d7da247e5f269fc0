-- expect: unscored result
return {
  judge = function()
    local t = {}
    t.t = t
    return { label = "x", evidence = t }
  end,
}
