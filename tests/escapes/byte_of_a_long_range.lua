-- expect: unscored steps
return {
  judge = function(trial, response)
    local s = ("x"):rep(1000000)
    while true do pcall(string.byte, s, 1, 100000) end
  end,
}
