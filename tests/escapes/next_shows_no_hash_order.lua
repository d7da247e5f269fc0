-- expect: label contained
return {
  judge = function()
    local t = { b = 1, a = 2, [2] = 3, [1.5] = 4, [true] = 5, [-1] = 6, [false] = 7 }
    local seen = {}
    for k in next, t do seen[#seen + 1] = tostring(k) end
    local again = {}
    for k in pairs(t) do again[#again + 1] = tostring(k) end
    local order = table.concat(seen, " ")
    return order == "-1 1.5 2 a b false true" and table.concat(again, " ") == order and "contained" or order
  end,
}
