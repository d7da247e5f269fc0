-- expect: unscored steps
return {
  judge = function()
    return { value = #("a"):rep(1000):gsub("a", ("b"):rep(1000000)) }
  end,
}
