-- expect: unscored steps
return {
  judge = function()
    return { value = ("a"):rep(3000):match("(.-)(.-)(.-)(.-)x") }
  end,
}
