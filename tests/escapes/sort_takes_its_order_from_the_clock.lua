-- expect: label contained
return {
  judge = function()
    local t = {}
    for i = 1, 200 do t[i] = { key = i % 3, place = i } end
    table.sort(t, function(a, b) return a.key < b.key end)
    for i = 2, 200 do -- a stable sort: one order on every machine
      if t[i - 1].key == t[i].key and t[i - 1].place > t[i].place then return "?" end
    end
    return "contained"
  end,
}
