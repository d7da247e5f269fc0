-- What the libraries give for usual and odd arguments, as text: the same in Lua and in a sandbox.
return function()
  local lines = {}
  local function show(value)
    if math.type(value) then return math.type(value) .. " " .. value end
    if type(value) ~= "table" then return tostring(value) end
    local parts = {}
    for i = 1, 6 do parts[i] = tostring(value[i]) end
    return table.concat(parts, ",")
  end
  local function try(fn, ...)
    local out = table.pack(pcall(fn, ...))
    local ok = out[1]
    for i = 1, out.n do out[i] = show(out[i]) end
    lines[#lines + 1] = ok and table.concat(out, "|", 1, out.n) or "error" -- messages change from one 5.4 to the next
  end
  local positions = { -9, -4, -3, -1, 0, 1, 2, 3, 4, 9, math.mininteger, math.maxinteger }
  for _, i in ipairs(positions) do
    for _, j in ipairs(positions) do
      for _, s in ipairs { "", "abc", "h\xc3\xa9\xe2\x82\xac" } do
        try(string.byte, s, i, j)
        try(string.sub, s, i, j)
        try(utf8.codepoint, s, i, j)
        try(utf8.len, s, i, j)
        try(utf8.offset, s, i, j)
        try(string.find, s, "b", i, true)
        try(string.find, s, ".", i)
      end
      if i > -10 and i < 10 and j > -10 and j < 10 then
        local t = { 1, 2, 3, 4 }
        try(table.move, t, 1, 3, i)
        try(table.move, t, i, j, 2)
        try(table.move, t, 2, 3, j, {})
        try(table.unpack, t, i, j)
        try(table.concat, t, ",", i, j)
        try(select, i, 1, 2, 3)
      end
    end
    local t, u, v = { 1, 2, 3 }, { 1, 2, 3 }, {}
    try(table.insert, t, i, "x")
    try(show, t)
    try(table.remove, u, i)
    try(show, u)
    try(table.remove, v, i)
    try(string.rep, "ab", i < 10 and i or 2, ",")
    try(tostring, i)
    try(rawlen, t)
  end
  for _, f in ipairs { "%5d|%-5d|%05d", "%5.2f", "%q", "%s %10s", "%x%%%c", "%i", "%a", "%5s|%.1s", "%", "%y", "%d" } do
    try(string.format, f, 65, 66, 67)
    try(string.format, f, "text", "more")
    try(string.format, f)
  end
  for _, s in ipairs { "10", " 0x10 ", "1e2", "z", "", "10", "7fff" } do
    try(tonumber, s)
    try(tonumber, s, 16)
    try(function() return s + 1, -s, s * "2" end)
  end
  try(table.pack, 1, nil, 3)
  try(next, {})
  try(ipairs)
  try(setmetatable, 1, {})
  try(error, "x", 0)
  try(assert, false, "message")
  try(xpcall, function(...) return select("#", ...) end, tostring, 1, nil)
  try(string.reverse, "abc")
  try(string.char, 72, 105)
  try(string.unpack, "<i4", string.pack("<i4", 100))
  for p, c in utf8.codes("h\xc3\xa9") do lines[#lines + 1] = p .. " " .. c end
  local sorted = { 5, 2, 8, 1, 9, 3 }
  table.sort(sorted)
  try(show, sorted)
  table.sort(sorted, function(a, b) return a > b end)
  try(show, sorted)
  try(table.sort, { 1, "a" })
  try(table.insert, {}, 1, 2, 3)
  try(table.concat, { {} })
  return table.concat(lines, "\n")
end
