-- expect: unscored steps
return {
  judge = function()
    local s = ("x"):rep(1000000)
    while true do utf8.offset(s, 900000) end
  end,
}
