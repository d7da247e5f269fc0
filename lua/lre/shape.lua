-- shape: the one checker of everything a user writes. A schema is built from small builders and describes itself, so
-- that a message says what was expected: `suites/x.lua: samples[3].id: expected string, got nil`.
local json = require "lre.json"
local suggest = require "lre.suggest"
local text = require "lre.text"

local shape = {}

-- Printed with the whole list of problems; more than this helps nobody.
local MAX_PROBLEMS = 100

local fatal = {
  __name = "lre.fatal",
  __tostring = function(self)
    return self.message
  end,
}

---Ends the command: main prints only the message and exits.
---2 usage, 3 a script, suite or config is invalid (the default), 4 environment.
---@param message string
---@param exit integer?
function shape.fail(message, exit)
  error(setmetatable({ exit = exit or 3, message = message }, fatal), 0)
end

---The same, of a place in a file: "where: field: message".
---@param where string "file:line"
---@param field string?
function shape.bad(where, field, message, ...)
  shape.fail(("%s: %s%s"):format(where, field and field .. ": " or "", message:format(...)))
end

---The same with the exit code first and a message that is formatted.
function shape.stop(exit, message, ...)
  shape.fail(message:format(...), exit)
end

local function is_absent(value)
  return value == nil or value == json.null
end

---The value; nil for JSON's null.
function shape.present(value)
  if value ~= json.null then
    return value
  end
end

local function quote(s)
  if #s > 60 then
    s = s:sub(1, (utf8.offset(s, 0, 58) or 58) - 1) .. "..."
  end
  return '"' .. text.terminal(s) .. '"'
end
shape.quote = quote

---A value as a message shows it: `string "abc"`, `nil`, `null`, `integer 7`, `table`.
---@param value any
---@return string
function shape.show(value)
  if value == json.null then
    return "null"
  end
  local kind = type(value)
  if kind == "string" then
    return "string " .. quote(value)
  elseif kind == "number" then
    return ("%s %s"):format(math.type(value) == "integer" and "integer" or "number", value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return kind
end

---The sorted keys of a table, as strings.
---@param t table
---@return string[]
function shape.keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

local function report(out, path, message)
  if #out < MAX_PROBLEMS then
    out[#out + 1] = { path = path, detail = message }
  end
end

local function mismatch(schema, value, path, out)
  report(out, path, ("expected %s, got %s"):format(schema.what, shape.show(value)))
end

local function member(path, key)
  if math.type(key) == "integer" then
    return ("%s[%d]"):format(path, key)
  end
  key = tostring(key)
  if not key:find("^[%a_][%w_]*$") then
    return ("%s[%s]"):format(path, quote(key))
  end
  return path == "" and key or path .. "." .. key
end

-- "3 to 5", "at least 3", "at most 5".
local function bounds(low, high)
  if low and high then
    return ("%s to %s"):format(low, high)
  end
  return low and ("at least %s"):format(low) or ("at most %s"):format(high)
end

local function within(n, limits)
  return (not limits.min or n >= limits.min) and (not limits.max or n <= limits.max)
end

local function leaf(what, accepts)
  return {
    what = what,
    check = function(self, value, path, out)
      if not accepts(value) then
        mismatch(self, value, path, out)
      end
    end,
  }
end

---A string; `min` and `max` are bytes, `pattern` a Lua pattern, `what` its description.
---@param limits { min: integer?, max: integer?, pattern: string?, what: string? }?
function shape.string(limits)
  limits = limits or {}
  local what = "string"
  if limits.what then
    what = limits.what
  elseif limits.min == 1 and not limits.max then
    what = "non-empty string"
  elseif limits.min or limits.max then
    what = ("string of %s bytes"):format(bounds(limits.min, limits.max))
  end
  local pattern = limits.pattern or ""
  return leaf(what, function(value)
    return type(value) == "string" and within(#value, limits) and value:find(pattern) ~= nil
  end)
end

local function numeric(word, limits, accepts)
  limits = limits or {}
  local what = word
  if limits.min or limits.max then
    what = ("%s, %s"):format(word, bounds(limits.min, limits.max))
  end
  return leaf(what, function(value)
    return accepts(value) and within(value, limits)
  end)
end

---A finite number.
---@param limits { min: number?, max: number? }?
function shape.number(limits)
  return numeric("number", limits, function(value)
    return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
  end)
end

---An integer; a float with an integral value is none.
---@param limits { min: integer?, max: integer? }?
function shape.integer(limits)
  return numeric("integer", limits, function(value)
    return math.type(value) == "integer"
  end)
end

function shape.boolean()
  return leaf("boolean", function(value)
    return type(value) == "boolean"
  end)
end

function shape.func()
  return leaf("function", function(value)
    return type(value) == "function"
  end)
end

---Anything but nothing.
function shape.any()
  return leaf("a value", function(value)
    return not is_absent(value)
  end)
end

---One of these strings.
---@param words string[]
function shape.one_of(words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = quote(word)
  end
  return {
    what = (#quoted > 1 and "one of " or "") .. table.concat(quoted, ", "),
    check = function(self, value, path, out)
      for _, word in ipairs(words) do
        if value == word then
          return
        end
      end
      local hint = type(value) == "string" and suggest.sentence(value, words) or ""
      hint = hint ~= "" and "." .. hint or ""
      report(out, path, ("expected %s, got %s%s"):format(self.what, shape.show(value), hint))
    end,
  }
end

-- The first key that a list of n elements cannot have.
local function stray_key(value, n)
  local stray = {}
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > n then
      stray[#stray + 1] = tostring(key)
    end
  end
  table.sort(stray)
  return stray[1]
end

---A list (keys 1 to n) of `inner`.
---@param limits { min: integer?, max: integer? }?
function shape.list(inner, limits)
  limits = limits or {}
  return {
    what = "list of " .. inner.what,
    check = function(self, value, path, out)
      if type(value) ~= "table" then
        return mismatch(self, value, path, out)
      end
      local n = #value
      local stray = stray_key(value, n)
      if stray then
        return report(out, path, ("expected %s, got a table with the key %s"):format(self.what, quote(stray)))
      end
      if not within(n, limits) then
        report(out, path, ("expected %s elements, got %d"):format(bounds(limits.min, limits.max), n))
      end
      for i = 1, n do
        inner:check(value[i], member(path, i), out)
      end
    end,
  }
end

---A table from names to `inner`.
function shape.map(inner)
  return {
    what = "table of " .. inner.what,
    check = function(self, value, path, out)
      if type(value) ~= "table" then
        return mismatch(self, value, path, out)
      end
      for key in pairs(value) do
        if type(key) ~= "string" then
          return report(out, path, ("expected names as keys, got %s"):format(shape.show(key)))
        end
      end
      for _, key in ipairs(shape.keys(value)) do
        if not is_absent(value[key]) then
          inner:check(value[key], member(path, key), out)
        end
      end
    end,
  }
end

---What is said of a key that is not in `known`.
---@param key any
---@param known string[]
---@return string
function shape.unknown_key(key, known)
  local hint = suggest.sentence(tostring(key), known)
  return "unknown key." .. (hint ~= "" and hint or " Known: " .. table.concat(known, ", "))
end

---A table with exactly these fields. An unknown key is an error with a suggestion.
---@param fields table<string, table>
function shape.record(fields)
  local names = shape.keys(fields)
  return {
    what = "table",
    fields = fields,
    check = function(self, value, path, out)
      if type(value) ~= "table" then
        return mismatch(self, value, path, out)
      end
      for _, name in ipairs(names) do
        fields[name]:check(value[name], member(path, name), out)
      end
      local unknown = {}
      for key in pairs(value) do
        if not fields[key] then
          unknown[#unknown + 1] = key
        end
      end
      table.sort(unknown, function(a, b)
        return tostring(a) < tostring(b)
      end)
      for _, key in ipairs(unknown) do
        report(out, member(path, key), shape.unknown_key(key, names))
      end
    end,
  }
end

---May be absent. JSON's null counts as absent.
function shape.optional(inner)
  return {
    what = inner.what,
    check = function(_, value, path, out)
      if not is_absent(value) then
        inner:check(value, path, out)
      end
    end,
  }
end

---A row's field that may be absent; else it must be a string.
---@param row table
---@param name string
---@param where string "file:line"
---@return string?
function shape.text_field(row, name, where)
  local value = shape.present(row[name])
  if value ~= nil and type(value) ~= "string" then
    shape.bad(where, name, "expected a string, got %s", shape.show(value))
  end
  return value
end

---Any of these. Where one alternative gets furthest into the value, its problems are told.
function shape.either(...)
  local alternatives = { ... }
  local what = {}
  for i, schema in ipairs(alternatives) do
    what[i] = schema.what
  end
  return {
    what = table.concat(what, " or "),
    check = function(self, value, path, out)
      local deepest
      for _, schema in ipairs(alternatives) do
        local problems = {}
        schema:check(value, path, problems)
        if #problems == 0 then
          return
        end
        if problems[1].path ~= path then
          deepest = deepest or problems
        end
      end
      if not deepest then
        return mismatch(self, value, path, out)
      end
      for _, problem in ipairs(deepest) do
        report(out, problem.path, problem.detail)
      end
    end,
  }
end

---Holds a value against a schema.
---@param schema table
---@param value any
---@param file string? put in front of each message
---@return true?, { path: string, detail: string, message: string }[]? problems all of them (100 at most)
function shape.check(schema, value, file)
  local problems = {}
  schema:check(value, "", problems)
  if #problems == 0 then
    return true
  end
  for _, problem in ipairs(problems) do
    local where = problem.path ~= "" and problem.path .. ": " or ""
    problem.message = (file and file .. ": " or "") .. where .. problem.detail
  end
  return nil, problems
end

local function fail_all(problems)
  local lines = {}
  for i, problem in ipairs(problems) do
    lines[i] = problem.message
  end
  error(setmetatable({ exit = 3, message = table.concat(lines, "\n"), problems = problems }, fatal), 0)
end

---The same; raises with exit 3 and every problem.
---@return any value
function shape.assert(schema, value, file)
  local ok, problems = shape.check(schema, value, file)
  return ok and value or fail_all(problems)
end

-- What lre.suite, lre.judge, ... made: weak, so that a declared table stays a plain one.
local marks = setmetatable({}, { __mode = "k" })

---What lre.<kind> does: checks a table and notes that it was checked. With the error's `problems` the loader names the
---file.
---@return table value
function shape.declare(kind, schema, value)
  local ok, problems = shape.check(schema, value)
  if not ok then
    fail_all(problems)
  end
  marks[value] = kind
  return value
end

---@return string? kind
function shape.marked(t)
  return type(t) == "table" and marks[t] or nil
end

---Raises unless a script returned a table made by lre.<kind>.
---@return table value
function shape.expect_mark(value, kind, file)
  local got = shape.marked(value)
  if got == kind then
    return value
  end
  local article = ("aeiou"):find(kind:sub(1, 1), 1, true) and "an" or "a"
  local found = got and "one made by lre." .. got or type(value) == "table" and "a plain table" or shape.show(value)
  shape.fail(("%s: expected %s %s: the script must end with `return lre.%s { ... }`, got %s"):format(
    file, article, kind, kind, found))
end

-- A name that stands in keys, file names and specs ("name:option=value").
shape.name = shape.string {
  min = 1,
  max = 100,
  pattern = "^[%w_][%w_.+-]*$",
  what = "name (letters, digits, _ . + -)",
}

return shape
