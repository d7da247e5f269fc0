-- expect: unscored steps
return {
  judge = function(trial, response)
    return { value = #("x"):rep(1 << 40) }
  end,
}
