-- expect: unscored steps
return {
  judge = function()
    return { value = ("a"):rep(3000):gsub("a*a*a*a*b", "") }
  end,
}
