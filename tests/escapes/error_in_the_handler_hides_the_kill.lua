-- expect: unscored steps
return {
  judge = function(trial, response)
    xpcall(function() while true do end end, function() error("in handler") end)
    return "hidden"
  end,
}
