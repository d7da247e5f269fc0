-- expect: error library table
return {
  judge = function(trial, response)
    string.upper = function() return "" end -- luacheck: ignore
  end,
}
