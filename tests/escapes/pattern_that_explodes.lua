-- expect: unscored steps
return {
  judge = function(trial, response)
    local s = ("a"):rep(300)
    return { value = s:find((".-"):rep(20) .. "b") }
  end,
}
