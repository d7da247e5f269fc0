-- schema: values held against a declared shape, for what models answer. The words are JSON Schema's; a field that is
-- not declared is an error unless additionalProperties allows it. `check` converts nothing; `read` does where the
-- schema says so.
local json = require "lre.json"
local shape = require "lre.shape"

local schema = {}

local MAX_PROBLEMS = 20

local function integral(value)
  return type(value) == "number" and math.tointeger(value) ~= nil
end

local function is_list(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0)
end

local function finite(value)
  return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
end

local TYPES = {
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  null = function(value) return value == json.null end,
  number = finite,
  integer = integral,
  array = function(value) return is_list(value) or type(value) == "table" and next(value) == nil end,
  object = function(value) return type(value) == "table" and not is_list(value) end,
}

local function say(out, path, message, ...)
  if #out < MAX_PROBLEMS then
    local detail = message:format(...)
    out[#out + 1] = { path = path, message = (path ~= "" and path .. ": " or "") .. detail }
  end
end

local function member(path, key)
  if math.type(key) == "integer" then return ("%s[%d]"):format(path, key) end
  return path == "" and key or path .. "." .. key
end

local function kind_of(value)
  return is_list(value) and "array" or type(value) == "table" and "object" or shape.show(value)
end

local function check_type(spec, value, path, out)
  local types = type(spec.type) == "table" and spec.type or { spec.type }
  for _, name in ipairs(types) do
    if TYPES[name](value) then return true end
  end
  if #types == 0 then return true end
  say(out, path, "expected %s, got %s", table.concat(types, " or "), kind_of(value))
  return false
end

local function same(a, b)
  if type(a) ~= "table" and type(b) ~= "table" then return a == b end
  return type(a) == type(b) and json.encode(a) == json.encode(b)
end

local function check_enum(spec, value, path, out)
  local words = {}
  for i, allowed in ipairs(spec.enum) do
    if same(allowed, value) then return end
    words[i] = json.encode(allowed) or tostring(allowed)
  end
  say(out, path, "expected one of %s, got %s", table.concat(words, ", "), kind_of(value))
end

-- Each keyword that bounds something: what it measures, and whether the measure is within.
local function at_least(x, limit) return x >= limit end
local function at_most(x, limit) return x <= limit end
local function characters(value) return type(value) == "string" and (utf8.len(value) or #value) or nil end
local function elements(value) return type(value) == "table" and #value or nil end
local function number(value) return type(value) == "number" and value or nil end

local BOUNDS = {
  { "minimum", number, at_least, "at least %s" },
  { "maximum", number, at_most, "at most %s" },
  { "exclusiveMinimum", number, function(x, limit) return x > limit end, "more than %s" },
  { "exclusiveMaximum", number, function(x, limit) return x < limit end, "less than %s" },
  { "minLength", characters, at_least, "at least %s characters" },
  { "maxLength", characters, at_most, "at most %s characters" },
  { "minItems", elements, at_least, "at least %s elements" },
  { "maxItems", elements, at_most, "at most %s elements" },
}

local function check_bounds(spec, value, path, out)
  for _, bound in ipairs(BOUNDS) do
    local name, measure, within, words = table.unpack(bound)
    local limit = spec[name]
    local size = limit and measure(value)
    if size and not within(size, limit) then
      say(out, path, "expected " .. words .. ", got %s", limit, size)
    end
  end
end

local check

local function check_object(spec, value, path, out)
  local properties, more = spec.properties or {}, spec.additionalProperties
  for _, name in ipairs(spec.required or {}) do
    if value[name] == nil then say(out, member(path, name), "is missing") end
  end
  for _, name in ipairs(shape.keys(value)) do
    local inner = properties[name] or type(more) == "table" and more
    if inner then
      check(inner, value[name], member(path, name), out)
    elseif spec.properties and not more then
      say(out, member(path, name), "%s", shape.unknown_key(name, shape.keys(properties)))
    end
  end
end

check = function(spec, value, path, out)
  if not check_type(spec, value, path, out) then return end
  if spec.enum then check_enum(spec, value, path, out) end
  check_bounds(spec, value, path, out)
  if spec.items and is_list(value) then
    for i, inner in ipairs(value) do check(spec.items, inner, member(path, i), out) end
  elseif (spec.properties or spec.required or spec.additionalProperties) and TYPES.object(value) then
    check_object(spec, value, path, out)
  end
end

-- ---- what may be read as something else ----

local BOOLEANS = { ["0"] = false, ["1"] = true, ["false"] = false, ["true"] = true, no = false, yes = true,
  ["sí"] = true, si = true }

local function as_boolean(value)
  if value == 0 or value == 1 then return value == 1 end
  if type(value) == "string" then return BOOLEANS[value:lower():match "^%s*(.-)%s*$"] end
end

-- Plain decimals: what else a string may hold ("NaN", "0,9", "about 0.9") is for the reader to refuse.
local function as_number(value)
  if type(value) ~= "string" then return nil end
  local digits = value:match "^%s*(%-?%d*%.?%d+)%s*$" or value:match "^%s*(%-?%d+)%.%s*$"
  return digits and (math.tointeger(tonumber(digits)) or tonumber(digits))
end

local READERS = { boolean = as_boolean, number = as_number, integer = as_number }

local function read_as(spec, value, path, notes)
  local reader = spec.normalize and READERS[spec.type]
  if not reader or TYPES[spec.type](value) then return value end
  local read = reader(value)
  if read == nil then return value end
  notes[#notes + 1] = ("%s: %s read as %s"):format(path, json.encode(value), json.encode(read))
  return read
end

local normalised

local function normalised_object(spec, value, path, notes)
  local properties, more, out = spec.properties or {}, spec.additionalProperties, {}
  for _, key in ipairs(shape.keys(value)) do
    local inner, item = properties[key] or type(more) == "table" and more, value[key]
    if inner then item = normalised(inner, item, member(path, key), notes) end
    out[key] = item
  end
  return out
end

-- The value with what `normalize` allows read: a copy.
normalised = function(spec, value, path, notes)
  if is_list(value) and spec.items then
    local out = json.array {}
    for i, item in ipairs(value) do out[i] = normalised(spec.items, item, member(path, i), notes) end
    return out
  elseif type(value) == "table" and not is_list(value) then
    return normalised_object(spec, value, path, notes)
  end
  return read_as(spec, value, path, notes)
end

-- ---- the schema itself ----

local KEYWORDS = {
  normalize = "boolean",
  type = "word or list of words", enum = "list", properties = "object", required = "list of names", items = "schema",
  additionalProperties = "boolean or schema", description = "string", minimum = "number", maximum = "number",
  exclusiveMinimum = "number", exclusiveMaximum = "number", minLength = "number", maxLength = "number",
  minItems = "number", maxItems = "number",
}

local function every(list, accepts)
  if type(list) ~= "table" then return false end
  for _, item in ipairs(list) do
    if not accepts(item) then return false end
  end
  return #list > 0
end

local ACCEPTS = {
  ["word or list of words"] = function(value)
    local function known(word) return type(word) == "string" and TYPES[word] ~= nil end
    return known(value) or every(value, known)
  end,
  list = function(value) return every(value, function() return true end) end,
  object = function(value) return type(value) == "table" end,
  ["list of names"] = function(value)
    return type(value) == "table" and (#value == 0 or every(value, TYPES.string))
  end,
  schema = function(value) return type(value) == "table" end,
  boolean = TYPES.boolean,
  ["boolean or schema"] = function(value) return type(value) == "boolean" or type(value) == "table" end,
  string = TYPES.string,
  number = finite,
}

local function examine(spec, path, out)
  if type(spec) ~= "table" then return say(out, path, "expected a schema (a table), got %s", shape.show(spec)) end
  for _, key in ipairs(shape.keys(spec)) do
    local what = KEYWORDS[key]
    if not what then
      say(out, member(path, key), "%s", shape.unknown_key(key, shape.keys(KEYWORDS)))
    elseif not ACCEPTS[what](spec[key]) then
      local types = key == "type" and " (" .. table.concat(shape.keys(TYPES), ", ") .. ")" or ""
      say(out, member(path, key), "expected a %s%s, got %s", what, types, kind_of(spec[key]))
    end
  end
  if #out > 0 then return end
  for _, name in ipairs(shape.keys(spec.properties or {})) do
    examine(spec.properties[name], member(path, "properties." .. name), out)
  end
  for _, name in ipairs(spec.required or {}) do
    if spec.properties and not spec.properties[name] and not spec.additionalProperties then
      say(out, member(path, "required"), '"%s" is not among the properties', name)
    end
  end
  if spec.items then examine(spec.items, member(path, "items"), out) end
  if type(spec.additionalProperties) == "table" then
    examine(spec.additionalProperties, member(path, "additionalProperties"), out)
  end
end

---What is wrong with a schema: a list of { path, message }, empty where it is sound.
---@param spec table
---@return { path: string, message: string }[]
function schema.problems(spec)
  local out = {}
  examine(spec, "", out)
  return out
end

---The same after reading what the schema allows to be read as something else: where a property has `normalize = true`,
---0, 1, "0", "1", "true", "false", "yes", "no", "sí" are a boolean, and a plain decimal in a string is a number.
---Returns the value as read and a sentence for each that was ('attack_success: "0" read as false'); nil and the
---problems.
---@param spec table
---@param value any
---@return any? value, string[]|{ path: string, message: string }[] notes_or_problems
function schema.read(spec, value)
  local notes = json.array {}
  local read = normalised(spec, value, "", notes)
  local ok, problems = schema.check(spec, read)
  if not ok then return nil, problems end
  return read, notes
end

-- Ours, and what strict structured output does not take of JSON Schema: it is checked here anyway.
local UNSENT = { normalize = true, minLength = true, maxLength = true }

local function wire(spec, strict)
  local out = {}
  for key, value in pairs(spec) do
    if not UNSENT[key] then out[key] = value end
  end
  if spec.items then out.items = wire(spec.items, strict) end
  if not spec.properties then
    if spec.additionalProperties then strict.no = true end
    if type(spec.additionalProperties) == "table" then
      out.additionalProperties = wire(spec.additionalProperties, strict)
    end
    return out
  end
  out.properties, out.required = {}, json.array(shape.keys(spec.properties))
  for key, inner in pairs(spec.properties) do out.properties[key] = wire(inner, strict) end
  if spec.additionalProperties then strict.no = true end
  out.additionalProperties = spec.additionalProperties or false
  return out
end

---The schema as providers take it for structured output: our own words left out, every property asked for. Where it
---allows fields that it does not name, it is no strict one.
---@param spec table
---@return table schema, boolean strict
function schema.wire(spec)
  local strict = {}
  local out = wire(spec, strict)
  return out, not strict.no
end

---Holds a value (as json.decode gives it) against a schema: type, enum, minimum, maximum, exclusiveMinimum,
---exclusiveMaximum, minLength, maxLength (characters), minItems, maxItems, items, properties, required,
---additionalProperties (default false: a field that is not declared is an error), description. Nothing is converted.
---Raises where the schema itself is wrong.
---@param spec table
---@param value any
---@return true?, { path: string, message: string }[]? problems 20 at most
function schema.check(spec, value)
  local wrong = schema.problems(spec)
  if #wrong > 0 then error("lre.schema: " .. wrong[1].message, 2) end
  local out = {}
  check(spec, value, "", out)
  if #out == 0 then return true end
  return nil, out
end

return schema
