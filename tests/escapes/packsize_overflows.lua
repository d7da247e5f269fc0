-- expect: error too large
return {
  judge = function(trial, response)
    return { value = string.packsize(("c1147483647"):rep(2)) }
  end,
}
