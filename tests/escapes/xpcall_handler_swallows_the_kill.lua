-- expect: unscored steps
return {
  judge = function(trial, response)
    xpcall(function() while true do end end, function() return "swallowed" end)
    return "swallowed"
  end,
}
