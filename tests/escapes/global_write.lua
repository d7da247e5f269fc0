-- expect: error set the global
return {
  judge = function()
    leak = 1 -- luacheck: ignore
  end,
}
