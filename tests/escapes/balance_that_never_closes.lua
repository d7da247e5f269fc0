-- expect: unscored steps
return {
  judge = function()
    local s = ("("):rep(100000)
    for i = 1, #s do if s:find("%b()", i) then return "found" end end
  end,
}
