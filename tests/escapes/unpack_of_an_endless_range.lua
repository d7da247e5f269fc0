-- expect: error too many results to unpack
return {
  judge = function()
    return table.unpack({}, 1, 1 << 60)
  end,
}
