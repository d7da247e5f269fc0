-- options: what a script, judge, suite or adapter lets its user set. `limit = { 20, "samples per suite" }`: the default
-- value is the type and the documentation.
local json = require "lre.json"
local shape = require "lre.shape"
local suggest = require "lre.suggest"

local options = {}

local default_value = shape.either(shape.boolean(), shape.number(), shape.string(), shape.list(shape.string()))

-- One declaration: { default, doc, min =, max =, one_of =, json = }. json: a string that a roster may also give as the
-- JSON itself.
local declaration = {
  what = "{ default, documentation }",
  check = function(self, value, path, out)
    if type(value) ~= "table" or value[1] == nil then
      out[#out + 1] = { path = path, detail = ("expected %s, got %s"):format(self.what, shape.show(value)) }
      return
    end
    default_value:check(value[1], path .. "[1]", out)
    shape.optional(shape.string()):check(value[2], path .. "[2]", out)
    local rest = {}
    for key, v in pairs(value) do
      if key ~= 1 and key ~= 2 then
        rest[key] = v
      end
    end
    self.rest:check(rest, path, out)
  end,
  rest = shape.record {
    min = shape.optional(shape.number()),
    max = shape.optional(shape.number()),
    one_of = shape.optional(shape.list(shape.string(), { min = 1 })),
    json = shape.optional(shape.boolean()),
  },
}

---The schema of an `options` table.
options.schema = shape.map(declaration)

-- ---- values ----

local function type_of(default)
  if type(default) == "table" then
    return "list"
  end
  return math.type(default) or type(default)
end

local parsers = {
  integer = function(s)
    return math.tointeger(tonumber(s:match "^%s*([+-]?%d+)%s*$"))
  end,
  float = function(s)
    local n = tonumber(s)
    return n and n == n and math.abs(n) ~= math.huge and n + 0.0 or nil
  end,
  boolean = function(s)
    if s == "true" or s == "yes" or s == "1" then
      return true
    elseif s == "false" or s == "no" or s == "0" then
      return false
    end
  end,
  string = function(s)
    return s
  end,
  list = function(s)
    local list = json.array {}
    for part in s:gmatch "[^,]+" do
      list[#list + 1] = part
    end
    return list
  end,
}

local words = {
  integer = "an integer",
  float = "a number",
  boolean = "true or false",
  string = "a string",
  list = "a list",
}

-- From a script the value has its type already; an integer is as good as a float.
local function typed(kind, value)
  if kind == "list" then
    return type(value) == "table" and value or nil
  elseif kind == "float" and math.type(value) == "integer" then
    return value + 0.0
  elseif kind == "integer" or kind == "float" then
    return math.type(value) == kind and value or nil
  elseif type(value) == kind then
    return value
  end
end

local function constraint(declared, value)
  if declared.min and value < declared.min or declared.max and value > declared.max then
    local low, high = declared.min, declared.max
    return low and high and ("from %s to %s"):format(low, high) or low and "at least " .. low or "at most " .. high
  end
  if declared.one_of then
    for _, word in ipairs(declared.one_of) do
      if value == word then
        return nil
      end
    end
    return "one of " .. table.concat(declared.one_of, ", ")
  end
end

local function convert(declared, value, label, exit)
  local kind = type_of(declared[1])
  local got
  if declared.json and type(value) == "table" then value = assert(json.encode(value)) end
  if type(value) == "string" then
    got = parsers[kind](value)
  else
    got = typed(kind, value)
  end
  if got == nil then
    shape.fail(("%s: expected %s, got %s"):format(label, words[kind], shape.show(value)), exit)
  end
  local expected = constraint(declared, got)
  if expected then
    shape.fail(("%s: expected %s, got %s"):format(label, expected, shape.show(value)), exit)
  end
  return got
end

local function copy(value)
  return type(value) == "table" and table.move(value, 1, #value, 1, json.array {}) or value
end

---Declared options with what was given: every option has a value in the result. Strings are read as the option's type.
---Raises (exit 2): an unknown name with a suggestion, a wrong type, a value out of range.
---@param declared table<string, table>?
---@param given table<string, any>?
---@param where string what has the options, for messages: 'judge "brevity"'
---@param exit integer?
---@return table<string, any>
function options.resolve(declared, given, where, exit)
  declared, given, exit = declared or {}, given or {}, exit or 2
  local values = {}
  for name, entry in pairs(declared) do
    values[name] = copy(entry[1])
  end
  for _, name in ipairs(shape.keys(given)) do
    local entry = declared[name]
    if not entry then
      local known = shape.keys(declared)
      local hint = suggest.sentence(name, known)
      if hint == "" then
        hint = #known > 0 and " It has: " .. table.concat(known, ", ") or " It has none"
      end
      shape.fail(("%s: unknown option %s.%s"):format(where, shape.quote(name), hint), exit)
    end
    values[name] = convert(entry, given[name], ("%s: option %s"):format(where, name), exit)
  end
  return values
end

-- ---- "brevity:max_words=30,as=b30" ----

---Takes a spec apart: name (or path) and the given options (strings). Raises (exit 2) for what is not key=value.
---@param spec string
---@return string name, table<string, string> given
function options.spec(spec)
  local name, rest = spec:match "^(.-):([%a_][%w_]*=.*)$"
  if not name then
    local before, after = spec:match "^(.-):(.*)$"
    if before and before ~= "" and not spec:find("/", 1, true) then
      shape.fail(("%s: expected NAME:option=value,option=value, got %s after the colon"):format(
        shape.quote(spec), shape.quote(after)), 2)
    end
    return spec, {}
  end
  local given = {}
  for part in rest:gmatch "[^,]+" do
    local key, value = part:match "^%s*([%a_][%w_]*)=(.*)$"
    if not key then
      shape.fail(("%s: expected option=value, got %s"):format(shape.quote(spec), shape.quote(part)), 2)
    elseif given[key] then
      shape.fail(("%s: option %s is given twice"):format(shape.quote(spec), key), 2)
    end
    given[key] = value
  end
  return name, given
end

---Splits what a flag that takes commas was given. `key=value` after a spec with a colon belongs to that spec:
---"refusal,brevity:max_words=30,as=b30" are two.
---@param s string
---@return string[]
function options.split(s)
  local list = {}
  for part in s:gmatch "[^,]+" do
    local last = list[#list]
    if last and last:find(":", 1, true) and part:find "^%s*[%a_][%w_]*=" then
      list[#list] = last .. "," .. part
    else
      list[#list + 1] = part:match "^%s*(.-)%s*$"
    end
  end
  return list
end

-- ---- flags of a script ----

local function flag(name)
  return "--" .. name:gsub("_", "-")
end

---Help text of declared options, a line each, sorted: flag, type, documentation, default.
---@param declared table<string, table>
---@return string
function options.help(declared)
  local lines = {}
  for _, name in ipairs(shape.keys(declared)) do
    local entry = declared[name]
    local kind, default = type_of(entry[1]), entry[1]
    if kind == "list" then
      default = table.concat(default, ",")
    end
    local left = kind == "boolean" and ("%s, --no-%s"):format(flag(name), flag(name):sub(3))
      or ("%s %s"):format(flag(name), kind:upper())
    lines[#lines + 1] = ("  %-28s %s (default: %s)"):format(left, entry[2] or "", tostring(default))
  end
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or "  (this script has no options)\n"
end

local function fail_flag(declared, word, program)
  local known = {}
  for _, name in ipairs(shape.keys(declared)) do
    known[#known + 1] = flag(name)
    if type_of(declared[name][1]) == "boolean" then
      known[#known + 1] = "--no-" .. flag(name):sub(3)
    end
  end
  local hint = suggest.sentence(word, known)
  shape.fail(("%s: unknown option %s.%s"):format(
    program, shape.quote(word), hint ~= "" and hint or " See: lre script " .. program .. " -- --help"), 2)
end

-- The name that a word without its dashes means, and whether it is the negative of a boolean.
local function named(declared, word)
  local name = word:gsub("-", "_")
  if declared[name] then
    return name, false
  end
  local positive = name:match "^no_(.+)$"
  if positive and declared[positive] and type_of(declared[positive][1]) == "boolean" then
    return positive, true
  end
end

-- Reads the flag at arguments[i] into `given`; the index behind it.
local function read_flag(declared, arguments, i, given)
  local word, program = arguments[i], arguments[0]
  local key, value = word:match "^%-%-([^=]+)=(.*)$"
  local name, negative = named(declared, key or word:match "^%-%-(.+)$" or "")
  if not name then
    fail_flag(declared, word:match "^[^=]*", program)
  end
  if type_of(declared[name][1]) == "boolean" and not value then
    value = tostring(not negative)
  elseif negative then
    shape.fail(("%s: %s takes no value"):format(program, word:match "^[^=]*"), 2)
  elseif not value then
    i = i + 1
    value = arguments[i]
    if not value then
      shape.fail(("%s: %s needs a value"):format(program, word), 2)
    end
  end
  given[name] = value
  return i + 1
end

---lre.options{ limit = { 20, "samples per suite" } }: the values from `lre script FILE -- --limit 30`, which are in the
---global `arg`. `--help` prints them and ends the command.
---@param declared table<string, table>
---@return table<string, any>
function options.declare(declared)
  shape.assert(options.schema, declared, "lre.options")
  local arguments = rawget(_G, "arg") or {}
  arguments = table.move(arguments, 1, #arguments, 1, { [0] = arguments[0] or "script" })
  local given, i = {}, 1
  while i <= #arguments do
    if arguments[i] == "--help" or arguments[i] == "-h" then
      shape.fail(("Options of %s:\n%s"):format(arguments[0], options.help(declared)), 0)
    end
    i = read_flag(declared, arguments, i, given)
  end
  return options.resolve(declared, given, arguments[0])
end

return options
