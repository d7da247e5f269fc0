-- expect: error library table
return {
  judge = function()
    string.upper = function() return "" end -- luacheck: ignore
  end,
}
