-- expect: error shows an address
return {
  judge = function(trial, response)
    return (("%p"):format({}))
  end,
}
