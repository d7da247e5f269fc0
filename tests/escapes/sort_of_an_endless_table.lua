-- expect: unscored steps
return {
  judge = function()
    table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = function() return 0 end }))
  end,
}
