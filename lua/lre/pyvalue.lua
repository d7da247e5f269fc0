-- Python's values as templates see them. Strings, booleans, integers and floats are Lua's own; the rest are tables
-- with a `kind`: none, undefined, list, tuple, generator, view, dict, namespace, function, loop. Dictionaries keep
-- their order.
local json = require "lre.json"
local pytext = require "lre.pytext"

local pyvalue = {}

local Value = {} -- the mark of a value that is already a template's

pyvalue.none = setmetatable({ kind = "none" }, Value)

function pyvalue.undefined(hint)
  return setmetatable({ kind = "undefined", hint = hint }, Value)
end

-- kind: list, tuple, generator (what map and select give: always true, no length) or view (what items() gives).
function pyvalue.list(items, kind)
  return setmetatable({ kind = kind or "list", items = items }, Value)
end

function pyvalue.dict()
  return setmetatable({ kind = "dict", keys = {}, map = {} }, Value)
end

function pyvalue.namespace(dict)
  return setmetatable({ kind = "namespace", map = dict.map }, Value)
end

function pyvalue.callable(name, call)
  return setmetatable({ kind = "function", name = name, call = call }, Value)
end

function pyvalue.kind(v)
  local t = type(v)
  if t == "table" then
    return v.kind
  end
  return t == "number" and math.type(v) or t
end

local PLAIN_KEY = { string = true, integer = true, float = true, boolean = true, none = true }

function pyvalue.put(dict, key, value)
  if not PLAIN_KEY[pyvalue.kind(key)] then
    error(("unhashable type: '%s'"):format(pyvalue.type_name(key)), 0)
  end
  if dict.map[key] == nil then
    dict.keys[#dict.keys + 1] = key
  end
  dict.map[key] = value
end

local TYPE_NAMES = { none = "NoneType", string = "str", integer = "int", boolean = "bool", view = "dict_items",
  ["function"] = "method", undefined = "Undefined", namespace = "Namespace", loop = "LoopContext" }

function pyvalue.type_name(v)
  local kind = pyvalue.kind(v)
  return TYPE_NAMES[kind] or kind
end

-- A chat message's fields come in the order in which people write them; a Lua table has none of its own.
local FIRST = { role = 1, content = 2 }

local function before(a, b)
  local x, y = FIRST[a] or 3, FIRST[b] or 3
  if x ~= y then
    return x < y
  end
  return tostring(a) < tostring(b)
end

-- A Lua value (as lre.json.decode gives it) as a template sees it. Numbers, strings and booleans pass; functions do
-- not.
function pyvalue.from_lua(v)
  if v == nil or v == json.null then
    return pyvalue.none
  elseif type(v) ~= "table" or getmetatable(v) == Value then
    return v
  end
  if json.is_array(v) or #v > 0 then
    local items = {}
    for i = 1, #v do
      items[i] = pyvalue.from_lua(v[i])
    end
    return pyvalue.list(items)
  end
  local keys, dict = {}, pyvalue.dict()
  for key in pairs(v) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  for _, key in ipairs(keys) do
    pyvalue.put(dict, key, pyvalue.from_lua(v[key]))
  end
  return dict
end

function pyvalue.truthy(v)
  local kind = pyvalue.kind(v)
  if kind == "none" or kind == "undefined" then
    return false
  elseif kind == "boolean" then
    return v
  elseif kind == "integer" or kind == "float" then
    return v ~= 0
  elseif kind == "string" then
    return v ~= ""
  elseif kind == "list" or kind == "tuple" or kind == "view" then
    return #v.items > 0
  elseif kind == "dict" then
    return #v.keys > 0
  end
  return true
end

-- float.__repr__: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
local function float_text(x)
  if x ~= x then
    return "nan"
  elseif x == math.huge or x == -math.huge then
    return x > 0 and "inf" or "-inf"
  end
  local digits
  for precision = 1, 17 do
    digits = ("%%.%de"):format(precision - 1):format(x)
    if tonumber(digits) == x then
      break
    end
  end
  local sign, mantissa, exponent = digits:match "^(%-?)([%d%.]+)e([+-]%d+)$"
  mantissa, exponent = mantissa:gsub("%.", ""), tonumber(exponent)
  if exponent < -4 or exponent >= 16 then
    local rest = mantissa:sub(2)
    rest = rest ~= "" and "." .. rest or ""
    return ("%s%s%se%s%02d"):format(sign, mantissa:sub(1, 1), rest, exponent < 0 and "-" or "+", math.abs(exponent))
  elseif exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. mantissa
  end
  mantissa = mantissa .. ("0"):rep(exponent + 2 - #mantissa)
  return sign .. mantissa:sub(1, exponent + 1) .. "." .. mantissa:sub(exponent + 2)
end

local REPR_ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\" }

local function string_repr(s)
  local quote = (s:find("'", 1, true) and not s:find('"', 1, true)) and '"' or "'"
  s = s:gsub("[%c\\" .. quote .. "]", function(c)
    return REPR_ESCAPES[c] or c == quote and "\\" .. c or ("\\x%02x"):format(c:byte())
  end)
  return quote .. s .. quote
end

-- Values nested deeper than this have no text: only a hostile template makes one.
local MAX_NESTING = 200

local function nested(level)
  if level > MAX_NESTING then
    error(("a value is nested more than %d deep"):format(MAX_NESTING), 0)
  end
  return level + 1
end

local function joined_repr(items, level)
  local parts = {}
  for i, item in ipairs(items) do
    parts[i] = pyvalue.repr(item, level)
  end
  return table.concat(parts, ", ")
end

local function dict_repr(dict, level)
  local parts = {}
  for i, key in ipairs(dict.keys) do
    parts[i] = pyvalue.repr(key) .. ": " .. pyvalue.repr(dict.map[key], level)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function pyvalue.repr(v, level)
  level = nested(level or 0)
  local kind = pyvalue.kind(v)
  if kind == "string" then
    return string_repr(v)
  elseif kind == "list" then
    return "[" .. joined_repr(v.items, level) .. "]"
  elseif kind == "tuple" then
    return "(" .. joined_repr(v.items, level) .. (#v.items == 1 and ",)" or ")")
  elseif kind == "view" then
    return "dict_items([" .. joined_repr(v.items, level) .. "])"
  elseif kind == "dict" then
    return dict_repr(v, level)
  elseif kind == "undefined" then
    return "Undefined"
  end
  return pyvalue.str(v)
end

function pyvalue.str(v)
  local kind = pyvalue.kind(v)
  if kind == "string" then
    return v
  elseif kind == "none" then
    return "None"
  elseif kind == "undefined" then
    return ""
  elseif kind == "boolean" then
    return v and "True" or "False"
  elseif kind == "integer" then
    return ("%d"):format(v)
  elseif kind == "float" then
    return float_text(v)
  elseif kind == "generator" or kind == "function" or kind == "namespace" or kind == "loop" then
    -- Python would print an address here: no published template means to.
    error(("a %s was printed: it has no text"):format(kind), 0)
  end
  return pyvalue.repr(v)
end

-- What a loop sees: the items of a list, the keys of a dictionary, the characters of a string.
function pyvalue.items(v)
  local kind = pyvalue.kind(v)
  if kind == "string" then
    return pytext.chars(v)
  elseif kind == "dict" then
    return v.keys
  elseif kind == "undefined" then
    return {}
  elseif type(v) == "table" and v.items then
    return v.items
  end
  error(("'%s' object is not iterable"):format(pyvalue.type_name(v)), 0)
end

function pyvalue.length(v)
  local kind = pyvalue.kind(v)
  if kind == "string" then
    return pytext.length(v)
  end
  local counts = kind == "undefined" or kind == "list" or kind == "tuple" or kind == "view" or kind == "dict"
  if not counts then
    error(("object of type '%s' has no len()"):format(pyvalue.type_name(v)), 0)
  end
  return #pyvalue.items(v)
end

local function number_of(v)
  if type(v) == "boolean" then
    return v and 1 or 0
  end
  return type(v) == "number" and v or nil
end
pyvalue.number_of = number_of

function pyvalue.equal(a, b)
  local x, y = number_of(a), number_of(b)
  if x or y then
    return x ~= nil and x == y
  elseif type(a) ~= "table" or type(b) ~= "table" or a == b then
    return a == b or (type(a) == "table" and type(b) == "table" and a.kind == "undefined" and b.kind == "undefined")
  elseif a.kind ~= b.kind then
    return false
  elseif a.kind == "undefined" then
    return true
  elseif a.kind == "list" or a.kind == "tuple" then
    for i = 1, math.max(#a.items, #b.items) do
      if a.items[i] == nil or b.items[i] == nil or not pyvalue.equal(a.items[i], b.items[i]) then
        return false
      end
    end
    return true
  elseif a.kind == "dict" then
    for _, key in ipairs(a.keys) do
      if b.map[key] == nil or not pyvalue.equal(a.map[key], b.map[key]) then
        return false
      end
    end
    return #a.keys == #b.keys
  end
  return false
end

function pyvalue.less(a, b, operator)
  local x, y = number_of(a), number_of(b)
  if x and y then
    return x < y
  elseif type(a) == "string" and type(b) == "string" then
    return a < b
  elseif type(a) == "table" and type(b) == "table" and a.kind == b.kind and (a.kind == "list" or a.kind == "tuple") then
    for i = 1, math.min(#a.items, #b.items) do
      if not pyvalue.equal(a.items[i], b.items[i]) then
        return pyvalue.less(a.items[i], b.items[i], operator)
      end
    end
    return #a.items < #b.items
  end
  error(("'%s' not supported between instances of '%s' and '%s'"):format(operator or "<", pyvalue.type_name(a),
    pyvalue.type_name(b)), 0)
end

function pyvalue.contains(container, v)
  local kind = pyvalue.kind(container)
  if kind == "string" then
    if type(v) ~= "string" then
      error(("'in <string>' requires string as left operand, not %s"):format(pyvalue.type_name(v)), 0)
    end
    return container:find(v, 1, true) ~= nil
  elseif kind == "dict" then
    return container.map[v] ~= nil
  end
  for _, item in ipairs(pyvalue.items(container)) do
    if pyvalue.equal(item, v) then
      return true
    end
  end
  return false
end

-- json.dumps. Options: indent (a number, or nil for one line), ensure_ascii, sort_keys, separators (item, key).

local JSON_ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b",
  ["\f"] = "\\f" }

local function ascii_escape(c)
  local code = utf8.codepoint(c)
  if code < 0x10000 then
    return ("\\u%04x"):format(code)
  end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
end

local function json_string(s, ensure_ascii)
  s = s:gsub('[\0-\x1f"\\]', function(c)
    return JSON_ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end)
  if ensure_ascii then
    s = s:gsub("[\xc2-\xf4][\x80-\xbf]+", ascii_escape)
  end
  return '"' .. s .. '"'
end

local function json_float(x)
  if x ~= x then
    return "NaN"
  elseif x == math.huge or x == -math.huge then
    return x > 0 and "Infinity" or "-Infinity"
  end
  return float_text(x)
end

local write

local function bracketed(open, parts, close, options, level)
  if #parts == 0 then
    return open .. close
  end
  local separator = options.separators and options.separators[1] or options.indent and "," or ", "
  if not options.indent then
    return open .. table.concat(parts, separator) .. close
  end
  local inner = "\n" .. options.indent:rep(level + 1)
  return open .. inner .. table.concat(parts, separator .. inner) .. "\n" .. options.indent:rep(level) .. close
end

local function json_key(key)
  local kind = pyvalue.kind(key)
  if kind == "string" then
    return key
  end
  return kind == "none" and "null" or kind == "boolean" and tostring(key) or pyvalue.str(key)
end

local function json_dict(dict, options, level)
  local keys, parts = table.move(dict.keys, 1, #dict.keys, 1, {}), {}
  if options.sort_keys then
    table.sort(keys, pyvalue.less)
  end
  local colon = options.separators and options.separators[2] or ": "
  for i, key in ipairs(keys) do
    parts[i] = json_string(json_key(key), options.ensure_ascii) .. colon .. write(dict.map[key], options, level + 1)
  end
  return bracketed("{", parts, "}", options, level)
end

function write(v, options, level)
  nested(level)
  local kind = pyvalue.kind(v)
  if kind == "string" then
    return json_string(v, options.ensure_ascii)
  elseif kind == "boolean" then
    return tostring(v)
  elseif kind == "integer" then
    return ("%d"):format(v)
  elseif kind == "float" then
    return json_float(v)
  elseif kind == "none" then
    return "null"
  elseif kind == "dict" then
    return json_dict(v, options, level)
  elseif kind == "list" or kind == "tuple" then
    local parts = {}
    for i, item in ipairs(v.items) do
      parts[i] = write(item, options, level + 1)
    end
    return bracketed("[", parts, "]", options, level)
  end
  error(("Object of type %s is not JSON serializable"):format(pyvalue.type_name(v)), 0)
end

function pyvalue.json(v, options)
  return write(v, options or {}, 0)
end

return pyvalue
