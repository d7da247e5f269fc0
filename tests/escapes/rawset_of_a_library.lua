-- expect: error read-only
return {
  judge = function()
    rawset(table, "insert", nil)
  end,
}
