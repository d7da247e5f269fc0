-- expect: unscored steps
return {
  judge = function()
    for _ in ("a"):rep(3000):gmatch("a*a*a*a*b") do end
  end,
}
