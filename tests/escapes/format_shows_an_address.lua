-- expect: error shows an address
return {
  judge = function()
    return (("%p"):format({}))
  end,
}
