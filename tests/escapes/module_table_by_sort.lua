-- expect: error module-level table
local words = { "b", "a" }
return {
  judge = function()
    table.sort(words)
    return "x"
  end,
}
