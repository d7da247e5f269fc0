-- expect: unscored steps
return {
  judge = function()
    xpcall(function() while true do end end, function() return "swallowed" end)
    return "swallowed"
  end,
}
