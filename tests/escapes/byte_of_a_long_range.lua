-- expect: unscored steps
return {
  judge = function()
    local s = ("x"):rep(1000000)
    while true do pcall(string.byte, s, 1, 100000) end
  end,
}
