-- expect: unscored steps
return {
  judge = function(trial, response)
    while true do
      pcall(function() while true do end end)
    end
  end,
}
