-- expect: unscored memory
return {
  judge = function()
    return { value = #string.pack("c2000000000", "") }
  end,
}
