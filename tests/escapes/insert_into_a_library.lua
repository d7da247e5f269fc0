-- expect: error library table
return {
  judge = function()
    table.insert(math, 1)
  end,
}
