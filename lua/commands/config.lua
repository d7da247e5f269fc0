-- lre config: every setting of a run, its value and where it came from. Takes the flags of `lre run`.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local experiment = require "lre.experiment"
local http = require "lre.http"
local json = require "lre.json"
local settings = require "lre.settings"

local command = {
  name = "config",
  summary = "Show every setting of a run, its value and where it came from.",
  epilog = "From nearest to farthest: the flag, its LRE_* variable (--max-tokens: LRE_MAX_TOKENS), the second seed's "
    .. "variable, the roster, lre.project.lua, the default. Variables are read from .env too.",
}

function command.options(parser)
  defaults.add(parser, "run")
end

-- What stands for "not given" in words: "none", "--concurrency", "the suite's, else refusal".
local function shown(entry, value)
  if type(value) == "table" then
    if #value == 0 then return entry.default_text or "none" end
    local words = {}
    for i, item in ipairs(value) do words[i] = tostring(type(item) == "table" and (item.label or item.id) or item) end
    return table.concat(words, ",")
  end
  if value == nil then return entry.default_text or "none" end
  return tostring(value)
end

local function rows_of(args)
  local rows = {}
  for i, entry in ipairs(defaults.list "run") do
    local value = args[entry.name]
    rows[i] = { flag = entry.flag, value = value, text = shown(entry, value), from = args.from[entry.name] }
  end
  return rows
end

-- ---- models ----

-- The settings of one model that a roster and variables have a say in, and the flag that says them for all.
local PER_MODEL = { { "base_url", "base_url" }, { "rate_limit_rps", "rate_limit_rps" }, { "burst", "rate_limit_burst" },
  { "concurrency" } }

local function origin(args, m, field, flag)
  local from = m.from[field]
  if from == "roster" then return m.where end
  if from == "near" or from == "far" then return flag and args.from[flag] or from end
  return from or (field == "base_url" and "adapter " .. m.adapter) or "default"
end

local function model_rows(args, list)
  local rows = {}
  for i, m in ipairs(list) do
    local set = m.key_env and http.load_key(m.key_env) or false
    local values = { base_url = m.base_url, rate_limit_rps = m._bucket.rps, concurrency = m.concurrency,
      burst = m._bucket.rps and m._bucket.burst }
    rows[i] = { label = m.label, adapter = m.adapter, id = m.id, key_env = m.key_env, key_is_set = set,
      params = m._known, settings = {} }
    for _, pair in ipairs(PER_MODEL) do
      rows[i].settings[pair[1]] = { value = values[pair[1]], from = origin(args, m, pair[1], pair[2]) }
    end
  end
  return rows
end

local function model_lines(lines, row)
  local key = row.key_env and (row.key_is_set and "key in %s" or "no key in %s"):format(row.key_env) or "no key"
  lines[#lines + 1] = ("\nMODEL %s: adapter %s, id %s, %s; %s"):format(row.label, row.adapter, row.id, key,
    assert(json.encode(row.params)))
  for _, pair in ipairs(PER_MODEL) do
    local one = row.settings[pair[1]]
    local value = type(one.value) == "number" and ("%g"):format(one.value) or one.value or "none"
    if one.value ~= nil then lines[#lines + 1] = ("  %-20s %-32s %s"):format(pair[1], value, one.from) end
  end
end

-- ---- output ----

local function as_json(rows, models, strangers)
  local out = {}
  for _, row in ipairs(rows) do
    local value = row.value
    if type(value) == "table" then value = json.array(value) end
    out[row.flag:sub(3)] = { value = value == nil and json.null or value, from = row.from }
  end
  local names = json.array {}
  for i, one in ipairs(strangers) do names[i] = one.name end
  return assert(json.encode({ settings = out, models = json.array(models),
    unknown_variables = names }, 2))
end

local function as_table(rows, models)
  local lines = { ("%-22s %-32s %s"):format("SETTING", "VALUE", "FROM") }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%-22s %-32s %s"):format(row.flag, row.text, row.from)
  end
  for _, row in ipairs(models) do model_lines(lines, row) end
  return cli.safe(table.concat(lines, "\n")) .. "\n"
end

function command.run(args)
  defaults.apply(args, "run")
  local rows, strangers, list = rows_of(args), settings.strangers(), {}
  if #args.model + #args.models + #args.suite > 0 then list = model_rows(args, experiment.from(args):models()) end
  cli.out(args.json and as_json(rows, list, strangers) or as_table(rows, list))
  return 0
end

return command
