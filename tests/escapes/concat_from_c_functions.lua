-- expect: unscored steps
return {
  judge = function()
    local t = setmetatable({}, { __index = function() return "" end })
    return { value = table.concat(t, "", 1, 1 << 60) }
  end,
}
