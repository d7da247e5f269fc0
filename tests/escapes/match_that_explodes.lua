-- expect: unscored steps
return {
  judge = function(trial, response)
    return { value = ("a"):rep(3000):match("(.-)(.-)(.-)(.-)x") }
  end,
}
