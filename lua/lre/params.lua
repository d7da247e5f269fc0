--- Decoding parameters: their names, ranges and spelling on the command line.
local defaults = require "lre.defaults"
local suggest = require "lre.suggest"

local params = {}

--- What a request asks for where nothing else is said. The seed is the run's.
function params.defaults()
  local out = {}
  for _, name in ipairs { "temperature", "max_tokens", "seed" } do out[name] = defaults.value(name) end
  return out
end

--- The common names -> { type, min?, max?, values? }. Providers may take less; their own limits are theirs to say.
params.known = {
  temperature = { "number", min = 0, max = 2 },
  max_tokens = { "integer", min = 1 },
  seed = { "integer" },
  top_p = { "number", min = 0, max = 1 },
  max_completion_tokens = { "integer", min = 1 },
  top_k = { "integer", min = 0 },
  min_p = { "number", min = 0, max = 1 },
  presence_penalty = { "number", min = -2, max = 2 },
  frequency_penalty = { "number", min = -2, max = 2 },
  repetition_penalty = { "number", min = 0 },
  stop = { "strings" },
  logprobs = { "boolean" },
  top_logprobs = { "integer", min = 0, max = 20 },
  reasoning_effort = { "string", values = { "none", "minimal", "low", "medium", "high", "xhigh" } },
}

-- What the engine says itself: as a parameter it would silently ask something else than the results tell.
local reserved = {
  model = "--model and --model-id say it", messages = "the suite says it", system = "the suite and --persona say it",
  stream = "answers are read whole", n = "--repeats says it",
}

local function fail(where, ...)
  error({ exit = 2, message = where .. ": " .. string.format(...) }, 0)
end

local function sorted_names()
  local names = {}
  for name in pairs(params.known) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function range(rule)
  if rule.min and rule.max then return (" from %s to %s"):format(rule.min, rule.max) end
  return rule.min and (" of at least %s"):format(rule.min) or ""
end

local function number(rule, value)
  -- A whole float becomes an integer, so that 0 and 0.0 are one request with one hash.
  local x = math.tointeger(value) or value
  if type(x) ~= "number" or x ~= x or (rule[1] == "integer" and math.type(x) ~= "integer") then return nil end
  if (rule.min and x < rule.min) or (rule.max and x > rule.max) then return nil end
  return x ~= math.huge and x ~= -math.huge and x or nil
end

local function word(rule, value)
  if type(value) ~= "string" then return nil end
  for _, allowed in ipairs(rule.values or { value }) do
    if value == allowed then return value end
  end
end

local function strings(_, value)
  if type(value) == "string" then return { value } end
  if type(value) ~= "table" or #value == 0 then return nil end
  for _, s in ipairs(value) do
    if type(s) ~= "string" then return nil end
  end
  return value
end

local words = { ["true"] = true, ["false"] = false }

local function boolean(_, value)
  if type(value) == "boolean" then return value end
  return words[value]
end

local readers = { boolean = boolean, number = number, integer = number, string = word, strings = strings }
local articles = {
  boolean = "true or false", number = "a number", integer = "an integer", strings = "a string or a list of strings",
}

--- Both tables as a new one; `over` wins.
function params.merged(base, over)
  local out = {}
  for name, value in pairs(base) do out[name] = value end
  for name, value in pairs(over) do out[name] = value end
  return out
end

--- Checks one value. Raises { exit = 2 } naming `where` (a flag, a file and field), the range and what was found.
--- A name that is not common is the provider's own and passes as it is, unless it looks like a slip.
function params.value(name, value, where)
  local rule = params.known[name]
  if reserved[name] then fail(where, "%s is no parameter: %s", name, reserved[name]) end
  if not rule then
    local near = suggest.sentence(name, sorted_names())
    if near ~= "" then fail(where, 'unknown parameter "%s".%s', name, near) end
    return value
  end
  local read = readers[rule[1]](rule, value)
  if read == nil then
    local expected = rule.values and "one of " .. table.concat(rule.values, ", ") or articles[rule[1]] .. range(rule)
    fail(where, "%s: expected %s, got %s", name, expected, tostring(value))
  end
  return read
end

--- Checks a table of parameters: a new table with normalised values.
function params.check(given, where)
  local out = {}
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" then fail(where, "expected parameter names, got %s", tostring(name)) end
    out[name] = params.value(name, value, where)
  end
  return out
end

--- `--param name=value`: name, value.
function params.parse(text, where)
  local name, value = text:match "^([%w_]+)=(.*)$"
  if not name then fail(where, 'expected name=value, got "%s"', text) end
  local rule = params.known[name]
  local is_number = rule and (rule[1] == "number" or rule[1] == "integer")
  return name, params.value(name, is_number and (math.tointeger(value) or tonumber(value)) or value, where)
end

--- The parameters as one model takes them: a new table. `takes` is the adapter's list of the common names that it takes
--- (nil: all of them); `renamed` (name -> name) and `dropped` (name -> true) are the model's quirks, known or learned.
function params.fit(given, takes, renamed, dropped)
  local allowed
  if takes then
    allowed = {}
    for _, name in ipairs(takes) do allowed[name] = true end
  end
  local out = {}
  for name, value in pairs(given) do
    if (not allowed or allowed[name] or not params.known[name]) and not dropped[name] then
      local sent = renamed[name] or name
      if not dropped[sent] then out[sent] = value end
    end
  end
  return out
end

return params
