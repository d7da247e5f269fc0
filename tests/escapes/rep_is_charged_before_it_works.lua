-- expect: unscored steps
return {
  judge = function()
    return { value = #("x"):rep(1 << 40) }
  end,
}
