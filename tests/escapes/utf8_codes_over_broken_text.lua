-- expect: unscored steps
return {
  judge = function()
    local s = "a" .. ("\x80"):rep(1000000)
    local step = utf8.codes("a")
    while true do pcall(step, s, 1) end
  end,
}
