-- expect: unscored memory
return {
  judge = function(trial, response)
    return { value = #string.pack("c2000000000", "") }
  end,
}
