-- expect: error __gc
return {
  judge = function()
    setmetatable({}, { __gc = function() while true do end end })
  end,
}
