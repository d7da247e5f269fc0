-- expect: unscored steps
return {
  judge = function(trial, response)
    for _ in ("a"):rep(3000):gmatch("a*a*a*a*b") do end
  end,
}
