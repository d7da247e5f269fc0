-- expect: unscored memory
return {
  judge = function()
    local t, s = {}, ("x"):rep(1000000)
    for i = 1, 100 do t[i] = s .. i end
    return { value = #t }
  end,
}
