-- expect: error set the global
return {
  judge = function(trial, response)
    leak = 1 -- luacheck: ignore
  end,
}
