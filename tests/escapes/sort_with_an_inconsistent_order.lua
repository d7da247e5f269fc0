-- expect: label contained
return {
  judge = function()
    local t = {}
    for i = 1, 500 do t[i] = i % 7 end
    table.sort(t, function() return true end)
    local sum = 0
    for i = 1, 500 do sum = sum + t[i] end
    return #t == 500 and sum > 0 and "contained" or tostring(sum)
  end,
}
