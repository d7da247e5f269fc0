-- expect: unscored steps
return {
  judge = function()
    return { value = table.concat(setmetatable({}, { __index = math.type, __len = function() return 1 << 60 end })) }
  end,
}
