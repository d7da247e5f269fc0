-- expect: error table
return {
  judge = function()
    error({})
  end,
}
