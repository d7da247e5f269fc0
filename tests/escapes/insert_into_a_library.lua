-- expect: error library table
return {
  judge = function(trial, response)
    table.insert(math, 1)
  end,
}
