-- expect: unscored steps
return {
  judge = function()
    local s = ("a"):rep(300)
    return { value = s:find((".-"):rep(20) .. "b") }
  end,
}
