-- expect: unscored memory
return {
  judge = function()
    local t, s = {}, ("x"):rep(1000000)
    while true do
      pcall(function()
        for _ = 1, 20 do t[#t + 1] = s .. #t end
      end)
    end
  end,
}
