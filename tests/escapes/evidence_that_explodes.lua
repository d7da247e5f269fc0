-- expect: unscored result
return {
  judge = function()
    local t = {}
    for _ = 1, 60 do t = { t, t } end
    return { label = "x", evidence = t }
  end,
}
