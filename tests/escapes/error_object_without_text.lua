-- expect: error table
return {
  judge = function(trial, response)
    error({})
  end,
}
