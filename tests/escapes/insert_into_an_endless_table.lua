-- expect: unscored steps
return {
  judge = function()
    table.insert(setmetatable({}, { __len = function() return 1 << 60 end, __index = rawlen }), 1, "x")
  end,
}
