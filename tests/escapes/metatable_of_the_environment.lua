-- expect: error protected metatable
return {
  judge = function(trial, response)
    setmetatable(_ENV, { __index = {} })
  end,
}
