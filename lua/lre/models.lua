-- models: which models a run asks, in which order, and with which settings: names, rosters (docs/settings.md), and what
-- flags, variables and the project's file say.
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local model = require "lre.model"
local param = require "lre.params"
local providers = require "lre.providers"
local settings = require "lre.settings"
local shape = require "lre.shape"

local models = {}

local nothing = {}

local fail = shape.stop

-- ---- rosters ----

local entry_schema = shape.record {
  id = shape.string { min = 1 }, label = shape.optional(shape.string { min = 1 }),
  provider = shape.optional(shape.string { min = 1 }),
  base_url = shape.optional(shape.string()), api_key_env = shape.optional(shape.string()),
  notes = shape.optional(shape.any()), preferred = shape.optional(shape.boolean()),
  rate_limit = shape.optional(shape.record { rps = shape.optional(shape.number { min = 0 }),
    burst = shape.optional(shape.number { min = 1 }) }),
  concurrency = shape.optional(shape.integer { min = 1 }), options = shape.optional(shape.map(shape.any())),
  params = shape.optional(shape.map(shape.any())),
}
local name_schema = shape.string { min = 1 }

-- A table is meant as an entry: then its fields are what is wrong, not that it is no name.
local entry_or_name = {
  what = "a model's id or { id, ... }",
  check = function(_, value, path, out)
    (type(value) == "table" and entry_schema or name_schema):check(value, path, out)
  end,
}
local roster_schema = shape.list(entry_or_name, { min = 1 })

local function read_roster(path)
  local text, err = fs.read(path, 1 << 24)
  if not text then fail(3, "%s: %s", path, tostring(err)) end
  local list, bad = json.decode(text)
  if not list then fail(3, "%s: %s", path, tostring(bad)) end
  return shape.assert(roster_schema, list, path)
end

local function strip_nulls(entry)
  local out = {}
  for name, value in pairs(entry) do
    if value ~= json.null then out[name] = value end
  end
  return out
end

local function wanted_of(value, where)
  if type(value) == "string" then return { roster = { id = value }, label = value, id = value, where = where } end
  local entry = strip_nulls(value)
  return { roster = entry, label = entry.label or entry.id, id = entry.id, preferred = entry.preferred, where = where }
end

local function add_roster(out, path)
  for i, value in ipairs(read_roster(path)) do out[#out + 1] = wanted_of(value, ("%s[%d]"):format(path, i)) end
end

local function add_named(out, name)
  if name:match "%.json$" then return add_roster(out, name) end
  out[#out + 1] = { name = name, label = name, id = name, where = "--model " .. name }
end

-- The rosters that suites read where nobody names a model. From here on they count as named: run.json shows them, and
-- who makes the run again gets them as a flag.
local function from_suites(s, suites)
  local out, paths = {}, {}
  for _, one in ipairs(suites) do
    local path = one.suite.roster
    if path and not paths[path] and fs.stat(path) then
      add_roster(out, path)
      paths[path], paths[#paths + 1] = true, path
    end
  end
  if #paths > 0 then s.models = table.move(paths, 1, #paths, 1, {}) end
  return out
end

-- All that is named, in order.
local function all_wanted(s, suites)
  local out = {}
  for i, name in ipairs(s.model) do
    if type(name) == "table" then
      shape.assert(entry_schema, name, ("experiment: models[%d]"):format(i))
      out[#out + 1] = wanted_of(name, ("experiment: models[%d]"):format(i))
    else
      add_named(out, name)
    end
  end
  for _, name in ipairs(s.models or nothing) do add_named(out, name) end
  return #out > 0 and out or from_suites(s, suites)
end

-- Each label once. The same model twice is a slip that is said; two models under one label could not be told apart.
local function distinct(wanted)
  local out, first = {}, {}
  for _, one in ipairs(wanted) do
    local other = first[one.label]
    if not other then
      first[one.label], out[#out + 1] = one, one
    elseif other.id ~= one.id then
      fail(3, '%s: the label "%s" is that of %s too, which is %s; give each model a label of its own', one.where,
        one.label, other.where, other.id)
    else
      log.warning(("%s: %s is named already (%s) and asked once"):format(one.where, one.label, other.where))
    end
  end
  return out
end

-- The preferred ones first, each part in its own order.
local function in_order(wanted)
  local out = {}
  for _, first in ipairs { true, false } do
    for _, one in ipairs(wanted) do
      if (one.preferred or false) == first then out[#out + 1] = one end
    end
  end
  return out
end

local function wanted_models(s, suites)
  local wanted = in_order(distinct(all_wanted(s, suites)))
  local limit = s.models_limit
  return limit and table.move(wanted, 1, math.min(limit, #wanted), 1, {}) or wanted
end

local function fail_without(suites)
  for _, one in ipairs(suites) do
    if one.suite.roster then
      fail(2, "no model: give one with --model, or a roster in %s, which the suite %s reads", one.suite.roster,
        one.suite.name)
    end
  end
  fail(2, "no model: give one with --model, for example --model fake/fake-1b")
end

-- ---- settings ----

local function pairs_of(list, flag)
  local out = {}
  for _, word in ipairs(list or nothing) do
    local name, value = word:match "^([%w_]+)=(.*)$"
    if not name then fail(2, '%s: expected KEY=VALUE, got "%s"', flag, word) end
    out[name] = value
  end
  return out
end

local function param_flags(s)
  local out = {}
  for name, value in pairs(pairs_of(s.param, "--param")) do
    local parsed = json.decode(value)
    if parsed == nil then parsed = value end
    out[name] = param.value(name, parsed, "--param")
  end
  return out
end

-- What a roster's entry overrides, and what overrides it.
local function params_by_distance(s)
  local far, near = param.merged(settings.project_params() or nothing, nothing), {}
  for _, name in ipairs { "temperature", "max_tokens", "seed" } do
    local to = settings.is_near(s, name) and near or far
    if s[name] ~= nil and (to == near or far[name] == nil) then to[name] = s[name] end
  end
  local flags = settings.is_near(s, "param") and near or far
  for name, value in pairs(param_flags(s)) do flags[name] = value end
  for name, value in pairs(s.params or nothing) do near[name] = value end
  return far, near
end

---The decoding parameters of a run, where no roster says otherwise.
---@param s table settings
---@return table
function models.params(s)
  local far, near = params_by_distance(s)
  return param.merged(far, near)
end

-- The fake adapter's rate is a flag of its own.
local function fake_options(s, wanted, far, near)
  local rate = (s.fake_rates or nothing)[wanted.name or wanted.id]
  if rate or settings.is_near(s, "fake_refusal_rate") then
    near.refusal_rate = rate or s.fake_refusal_rate
  else
    far.refusal_rate = s.fake_refusal_rate
  end
end

-- So are those of models that run here.
local function local_options(s, far, near)
  local template
  if s.no_chat_template then template = false end
  local given = { threads = s.threads, kv_memory = s.kv_memory, quant = s.quant, chat_template = template }
  for name, value in pairs(given) do
    local flag = name == "chat_template" and "no_chat_template" or name;
    (settings.is_near(s, flag) and near or far)[name] = value
  end
end

-- Flags that a roster has words for, by the name that model.resolve gives them.
local PER_MODEL = { base_url = "base_url", api_key_env = "api_key_env", rate_limit_rps = "rate_limit_rps",
  rate_limit_burst = "burst" }

local function spec_of(s, wanted, opt)
  local far_params, near_params = params_by_distance(s)
  local far = { params = far_params, options = {} }
  local spec = {
    name = wanted.name, roster = wanted.roster, adapter = s.adapter, model_id = s.model_id, params = near_params,
    options = pairs_of(s.adapter_option, "--adapter-option"), far = far,
    seed = s.seed, max_connections = s.max_connections, adaptive_cap = not s.no_adaptive and s.concurrency or nil,
    retries = s.retries, max_retry_after = s.max_retry_after, dry = opt.dry or s.offline, cache = opt.cache,
    timeouts = { connect = s.timeout_connect, first_byte = s.timeout_first_byte, stall = s.timeout_stall,
      total = s.timeout_total },
  }
  for flag, field in pairs(PER_MODEL) do
    (settings.is_near(s, flag) and spec or far)[field] = s[flag]
  end
  local wish = s.adapter or wanted.roster and wanted.roster.provider
  local adapter = providers.choose(wanted.name or wanted.id, wish, wanted.roster ~= nil)
  if adapter:lower() == "fake" then fake_options(s, wanted, far.options, spec.options) end
  if adapter:lower() == "hf" then local_options(s, far.options, spec.options) end
  return spec
end

-- Says which entry of a roster an error is about.
local function resolve_one(s, wanted, opt)
  local ok, result = pcall(function() return model.resolve(spec_of(s, wanted, opt)) end)
  if ok then
    result.where = wanted.where
    return result
  end
  if wanted.roster and type(result) == "table" and result.exit then
    result.message = ("%s: %s"):format(wanted.where, result.message)
  end
  error(result, 0)
end

-- One endpoint, one key: with two providers a flag would send the key of one to the other.
local function check_shared(s, list)
  local flags = { base_url = "endpoint", api_key_env = "key" }
  for _, name in ipairs(shape.keys(flags)) do
    if s[name] then
      for _, other in ipairs(list) do
        if other.adapter ~= list[1].adapter or name == "api_key_env" and other.base_url ~= list[1].base_url then
          fail(2, "%s names one %s, and %s and %s have different providers: put %s into a roster (--models FILE.json)",
            defaults.entry(name).flag, flags[name], list[1].label, other.label, name)
        end
      end
    end
  end
end

---The models of a run. `suites`: `{ suite = Suite }` each, whose roster is read where no model is named. opt: dry (no
---key is needed), cache. Raises { exit = 2 | 3 | 4 }; nothing is sent.
---@param s table settings
---@param suites table[]
---@param opt { dry: boolean?, cache: table? }
---@return lre.Model[]
function models.resolve(s, suites, opt)
  local wanted, list = wanted_models(s, suites), {}
  if #wanted == 0 then fail_without(suites) end
  if s.model_id and #wanted > 1 then fail(2, "--model-id: expected one --model, got %d", #wanted) end
  for i, one in ipairs(wanted) do list[i] = resolve_one(s, one, opt) end
  check_shared(s, list)
  return list
end

return models
