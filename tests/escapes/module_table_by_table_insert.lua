-- expect: error module-level table
local data = { seen = {} }
return {
  judge = function()
    table.insert(data.seen, 1)
    return "x"
  end,
}
