-- expect: unscored steps
return {
  judge = function(trial, response)
    local s = ("0"):rep(1000000)
    while true do local _ = s + 1 end
  end,
}
