-- expect: label contained
return {
  judge = function()
    local a, b = math.random(1 << 40), math.random()
    return a == math.tointeger(a) and b >= 0 and b < 1 and not pcall(math.random, 2, 1) and "contained" or "?"
  end,
}
