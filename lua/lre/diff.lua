-- diff: where two plain values differ.
local json = require "lre.json"

local diff = {}

-- A value in a message is cut there.
local SHOWN = 160

---A value on one line.
---@return string
function diff.show(value)
  if value == nil then return "nothing" end
  local text = assert(json.encode(value))
  return #text > SHOWN and text:sub(1, SHOWN - 3) .. "..." or text
end

local function keys_of(a, b)
  local seen, keys = {}, {}
  for _, t in ipairs { a, b } do
    for key in pairs(t) do
      if not seen[key] then keys[#keys + 1] = key end
      seen[key] = true
    end
  end
  table.sort(keys, function(x, y)
    if math.type(x) ~= math.type(y) then return math.type(x) ~= nil end
    return x < y
  end)
  return keys
end

local function walk(was, is, path, each)
  if type(was) ~= "table" or type(is) ~= "table" then
    if was == is then return end
    if was ~= nil and is ~= nil and assert(json.encode(was)) == assert(json.encode(is)) then return end
    return each(path, was, is)
  end
  for _, key in ipairs(keys_of(was, is)) do
    local part = type(key) == "number" and ("[%d]"):format(key) or (path == "" and key or "." .. key)
    walk(was[key], is[key], path .. part, each)
  end
end

---Calls each(path, was, is) for every leaf that differs, in the order of the paths: "metrics.refusal_rate.low",
---"judges[2].hash".
---@param path string? what the paths begin with
---@param each fun(path: string, was: any, is: any)
function diff.each(was, is, path, each)
  walk(was, is, path or "", each)
end

---The differences as a list of { field, was, is }.
---@return table[]
function diff.list(was, is, path)
  local out = {}
  diff.each(was, is, path, function(field, x, y) out[#out + 1] = { field = field, was = x, is = y } end)
  return out
end

---Lists of records by name: calls each(name, was, is) for every name of either, in the order of `was`, then of `is`.
---@param name_of fun(record: table): string
function diff.by_name(was, is, name_of, each)
  local theirs, mine = {}, {}
  for _, record in ipairs(is) do theirs[name_of(record)] = record end
  for _, record in ipairs(was) do
    mine[name_of(record)] = true
    each(name_of(record), record, theirs[name_of(record)])
  end
  for _, record in ipairs(is) do
    if not mine[name_of(record)] then each(name_of(record), nil, record) end
  end
end

return diff
