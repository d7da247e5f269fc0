-- json.lua: reads a request's JSON as strictly as a provider would, and quotes strings. Runs in nginx (LuaJIT).
local json = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function fail(pos, what)
  error({ json = what .. " at byte " .. pos }, 0)
end

local function utf8_bytes(code)
  local char, floor = string.char, math.floor
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64) end
  local high = char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64)
  return high .. char(0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

local function unescape(raw, pos)
  raw = raw:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    return utf8_bytes(0x10000 + (tonumber(high, 16) - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00)
  end)
  return (raw:gsub("\\(.)(%x?%x?%x?%x?)", function(kind, hex)
    if kind ~= "u" then return (escapes[kind] or fail(pos, "bad escape")) .. hex end
    if #hex ~= 4 then fail(pos, "bad \\u escape") end
    return utf8_bytes(tonumber(hex, 16))
  end))
end

local function read_string(s, pos) -- s:byte(pos) is the opening quote
  local stop = pos + 1
  while true do
    stop = s:find('["\\%c]', stop) or fail(pos, "unclosed string")
    local byte = s:byte(stop)
    if byte == 34 then break end
    if byte ~= 92 then fail(stop, "control byte in a string") end
    stop = stop + 2
  end
  local raw = s:sub(pos + 1, stop - 1)
  if raw:find("\\", 1, true) then raw = unescape(raw, pos) end
  return raw, stop + 1
end

local read_value

local function skip(s, pos)
  return s:find("[^ \t\r\n]", pos) or #s + 1
end

local function read_list(s, pos)
  local out, n = {}, 0
  pos = skip(s, pos + 1)
  if s:sub(pos, pos) == "]" then return out, pos + 1 end
  while true do
    n = n + 1
    out[n], pos = read_value(s, pos)
    pos = skip(s, pos)
    local c = s:sub(pos, pos)
    if c == "]" then return out, pos + 1 end
    if c ~= "," then fail(pos, "expected , or ]") end
    pos = skip(s, pos + 1)
  end
end

local function read_object(s, pos)
  local out = {}
  pos = skip(s, pos + 1)
  if s:sub(pos, pos) == "}" then return out, pos + 1 end
  while true do
    if s:sub(pos, pos) ~= '"' then fail(pos, "expected a key") end
    local key, after = read_string(s, pos)
    if out[key] ~= nil then fail(pos, "duplicate key") end
    pos = skip(s, after)
    if s:sub(pos, pos) ~= ":" then fail(pos, "expected :") end
    out[key], pos = read_value(s, skip(s, pos + 1))
    pos = skip(s, pos)
    local c = s:sub(pos, pos)
    if c == "}" then return out, pos + 1 end
    if c ~= "," then fail(pos, "expected , or }") end
    pos = skip(s, pos + 1)
  end
end

local function read_word(s, pos)
  local word = s:match("^%a+", pos)
  if word == "true" then return true, pos + 4 end
  if word == "false" then return false, pos + 5 end
  if word == "null" then return json.null, pos + 4 end
  local number = s:match("^-?%d+%.?%d*[eE]?[+-]?%d*", pos)
  if number and tonumber(number) then return tonumber(number), pos + #number end
  fail(pos, "expected a value")
end

function read_value(s, pos)
  local c = s:byte(pos)
  if c == 34 then return read_string(s, pos) end
  if c == 123 then return read_object(s, pos) end
  if c == 91 then return read_list(s, pos) end
  return read_word(s, pos)
end

-- The value of one JSON text, or nil and what is wrong with it.
function json.decode(s)
  local ok, value, pos = pcall(read_value, s, skip(s, 1))
  if not ok then return nil, type(value) == "table" and value.json or tostring(value) end
  if skip(s, pos) <= #s then return nil, "text after the value at byte " .. pos end
  return value
end

local quoted = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

function json.quote(s)
  return '"' .. s:gsub('[%c"\\]', function(c) return quoted[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

return json
