-- expect: unscored steps
return {
  judge = function()
    local s = ("0"):rep(1000000)
    while true do local _ = s + 1 end
  end,
}
