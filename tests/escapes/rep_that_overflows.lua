-- expect: unscored steps
return {
  judge = function()
    return { value = #("ab"):rep(math.maxinteger, "cd") }
  end,
}
