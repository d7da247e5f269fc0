-- expect: unscored steps
return {
  judge = function(trial, response)
    return { value = #("ab"):rep(math.maxinteger, "cd") }
  end,
}
