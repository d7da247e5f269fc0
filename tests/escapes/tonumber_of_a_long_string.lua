-- expect: unscored steps
return {
  judge = function()
    local s = ("0"):rep(1000000)
    while true do tonumber(s) end
  end,
}
