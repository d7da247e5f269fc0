-- expect: unscored steps
return {
  judge = function(trial, response)
    return { value = #("a"):rep(1000):gsub("a", ("b"):rep(1000000)) }
  end,
}
