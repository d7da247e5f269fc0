-- expect: unscored steps
return {
  judge = function()
    xpcall(function() while true do end end, function() error("in handler") end)
    return "hidden"
  end,
}
