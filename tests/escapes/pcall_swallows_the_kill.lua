-- expect: unscored steps
return {
  judge = function()
    while true do
      pcall(function() while true do end end)
    end
  end,
}
