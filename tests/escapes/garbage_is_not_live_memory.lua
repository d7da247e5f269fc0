-- expect: label contained
return {
  judge = function()
    local n = 0
    for i = 1, 4 do n = n + #(("x"):rep(900000 + i) .. "y") end
    return n > 0 and "contained" or "?"
  end,
}
