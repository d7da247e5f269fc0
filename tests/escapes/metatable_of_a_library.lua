-- expect: error protected metatable
return {
  judge = function(trial, response)
    setmetatable(string, nil)
  end,
}
