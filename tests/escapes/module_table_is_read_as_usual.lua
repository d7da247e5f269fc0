-- expect: label contained
local data = { 3, 1, 2, words = { b = 1, a = 2 } }
local upper, number, choose, insert = string.upper, tonumber, select, table.insert
local class = {}
class.__index = class
function class.hello() return "hello" end
return {
  judge = function()
    local keys = {}
    for k in pairs(data.words) do keys[#keys + 1] = k end
    local sum = 0
    for _, n in ipairs(data) do sum = sum + n end
    local object = setmetatable({}, class)
    local ok = #data == 3 and rawlen(data) == 3 and rawget(data, 1) == 3 and table.concat(data, ",") == "3,1,2"
      and select("#", table.unpack(data)) == 3 and table.concat(keys) == "ab" and sum == 6
      and upper("a") == "A" and number("1") == 1 and choose("#") == 0 and insert
      and object.hello() == "hello" and getmetatable(object) == class
      and require("lre.json").encode(data.words) == '{"a":2,"b":1}'
    return ok and "contained" or "?"
  end,
}
