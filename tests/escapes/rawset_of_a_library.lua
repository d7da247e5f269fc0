-- expect: error read-only
return {
  judge = function(trial, response)
    rawset(table, "insert", nil)
  end,
}
