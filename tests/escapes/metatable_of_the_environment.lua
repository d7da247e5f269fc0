-- expect: error protected metatable
return {
  judge = function()
    setmetatable(_ENV, { __index = {} })
  end,
}
