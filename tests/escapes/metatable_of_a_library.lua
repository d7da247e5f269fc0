-- expect: error protected metatable
return {
  judge = function()
    setmetatable(string, nil)
  end,
}
