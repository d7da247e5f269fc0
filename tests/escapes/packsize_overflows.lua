-- expect: error too large
return {
  judge = function()
    return { value = string.packsize(("c1147483647"):rep(2)) }
  end,
}
