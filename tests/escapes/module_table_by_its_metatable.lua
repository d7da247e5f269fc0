-- expect: error protected metatable
local seen = {}
return {
  judge = function()
    setmetatable(seen, { __index = { leak = true } })
    return "x"
  end,
}
