-- expect: unscored result
return {
  judge = function(trial, response)
    local t = {}
    t.t = t
    return { label = "x", evidence = t }
  end,
}
