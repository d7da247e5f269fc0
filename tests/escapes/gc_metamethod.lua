-- expect: error __gc
return {
  judge = function(trial, response)
    setmetatable({}, { __gc = function() while true do end end })
  end,
}
