-- recorded: what results.json and run.json must look like before they are believed. They come from other machines,
-- other versions and other hands: what does not fit is an error that names file and field, not one of our code.
local defaults = require "lre.defaults"
local json = require "lre.json"
local shape = require "lre.shape"

local recorded = {}

local count = shape.integer { min = 0 }
local share = shape.optional(shape.number { min = 0, max = 1 })
local rate = shape.record {
  value = share, n = count, low = share, high = share, method = shape.optional(shape.string()),
  without_truncated = shape.optional(shape.map(shape.any())),
  n_eff = shape.optional(shape.number { min = 0 }), clusters = shape.optional(count),
}

-- A mean (method t) may lie anywhere, and has a spread.
local anywhere = shape.optional(shape.number())
local mean = shape.record {
  value = anywhere, n = count, low = anywhere, high = anywhere, method = shape.string(), sd = anywhere,
  clusters = shape.optional(count), constant = shape.optional(shape.boolean()),
  without_truncated = shape.optional(shape.map(shape.any())),
}

local function tell(out, path, detail, ...)
  out[#out + 1] = { path = path, detail = detail:format(...) }
end

-- Of anything there is a value, and of a share its interval; a mean may have none.
local function check_metric(_, value, path, out)
  local is_mean = type(value) == "table" and value.method == "t"
  local before = #out;
  (is_mean and mean or rate):check(value, path, out)
  if #out > before or value.n == 0 then return end
  for _, name in ipairs(is_mean and { "value" } or { "value", "low", "high" }) do
    if type(value[name]) ~= "number" then
      tell(out, path .. "." .. name, "expected a number where n is %d, got %s", value.n, shape.show(value[name]))
    end
  end
end

local metric = { what = "table", check = check_metric }

-- May be absent, but is not null.
local function given(inner)
  return { what = inner.what, check = function(_, value, path, out)
    if value ~= nil then inner:check(value, path, out) end
  end }
end

-- The same of a map's values.
local function map_of(inner)
  local map = shape.map(inner)
  return { what = map.what, check = function(_, value, path, out)
    map:check(value, path, out)
    for _, key in ipairs(type(value) == "table" and shape.keys(value) or {}) do
      if value[key] == json.null then tell(out, path .. "." .. key, "expected %s, got null", inner.what) end
    end
  end }
end

-- The fields that are read; others may be there.
local function with(fields)
  local record = shape.record(fields)
  return {
    what = "table",
    check = function(_, value, path, out)
      if type(value) ~= "table" then return record:check(value, path, out) end
      local known = {}
      for name in pairs(fields) do known[name] = value[name] end
      record:check(known, path, out)
    end,
  }
end

local function part(more)
  local fields = { total = count, truncated = count, filtered = count, undecided = count, unscored = count,
    generation_errors = count, judge_errors = count, counts = map_of(count), metrics = map_of(metric) }
  for name, inner in pairs(more or {}) do fields[name] = inner end
  return with(fields)
end

local text, words = shape.string(), shape.list(shape.string())

local result_row = part { suite = text, model = text, persona = text, judge = text, primary = given(text),
  categories = map_of(part()) }

local function check_row(_, value, path, out)
  local before = #out
  result_row:check(value, path, out)
  if #out == before and value.primary and not value.metrics[value.primary] then
    tell(out, path .. ".primary", "expected the name of one of its metrics, got %s", shape.show(value.primary))
  end
end

-- What a judge's metrics are of, as lre.results says them.
local measured_fields = with { name = text, rate = given(words), of = given(words), mean = given(text),
  min = given(shape.number()), max = given(shape.number()) }

local function check_measured(_, value, path, out)
  local before, counted = #out, {}
  measured_fields:check(value, path, out)
  if #out > before then return end
  for _, name in ipairs(value.mean and {} or { "rate", "of" }) do
    if not value[name] then return tell(out, path .. "." .. name, "expected a list of labels, or a mean beside it") end
  end
  for _, label in ipairs(value.of or {}) do counted[label] = true end
  for i, label in ipairs(value.rate or {}) do
    if not counted[label] then
      tell(out, ("%s.rate[%d]"):format(path, i), "expected one of the labels in `of`, got %s", shape.show(label))
    end
  end
end

local script = with { path = text, sha256 = text }
local any_map = given(shape.map(shape.any()))

-- `strictly`: a run's description has what a results file may leave out.
local function inputs_of(strictly)
  local must, some = strictly and function(inner) return inner end or given, { min = strictly and 1 }
  return with {
    judges = shape.list(with { name = text, hash = must(text), labels = must(words),
      metrics_of = given(map_of(shape.list { what = "table", check = check_measured })),
      source = given(with { path = text, sha256 = text, modules = map_of(script) }) }),
    suites = shape.list(with { name = text, title = must(text), hash = must(text), count = must(count),
      judges = must(words) }, some),
    personas = shape.list(with { name = text, hash = must(text) }, some),
    models = shape.list(with { label = text, adapter = given(text), id = given(text), params = any_map,
      options = any_map }, some),
    repeats = must(shape.integer { min = 1 }), planned = must(count),
  }
end

local results = with {
  inputs = inputs_of(false),
  rows = shape.list { what = "table", check = check_row },
  trials = given(with { planned = count, recorded = count }),
}

local full_inputs = inputs_of(true)

-- A suite's judges are there, and know what is measured on it.
local function check_inputs(_, value, path, out)
  local before, measured = #out, {}
  full_inputs:check(value, path, out)
  if #out > before then return end
  for _, judge in ipairs(value.judges) do measured[judge.name] = judge.metrics_of or {} end
  for i, suite in ipairs(value.suites) do
    for k, name in ipairs(suite.judges) do
      local where = ("%s.suites[%d].judges[%d]"):format(path, i, k)
      if not measured[name] then
        tell(out, where, "expected the name of one of inputs.judges, got %s", shape.show(name))
      elseif not measured[name][suite.name] then
        tell(out, where, "expected metrics_of of this judge to have %s", shape.show(suite.name))
      end
    end
  end
end

local names = shape.list(with { name = text })
local limit = given(count)
local run = with {
  inputs = given { what = "table", check = check_inputs },
  plan = given(with { judges = names, suites = names, personas = names, models = shape.list(with { label = text }),
    repeats = shape.integer { min = 1 } }),
  files = given(shape.list(with { kind = text, name = text, file = text, sha256 = text })),
  flags = given(with { judge_steps = limit, judge_memory = limit, regex_match_limit = limit }),
  judged = given(shape.list(with {})), resumed_at = given(words),
}

local function flag(e)
  if e.type == "flag" then return given(shape.boolean()) end
  if e.type == "integer" then return given(shape.integer { min = e.min, max = e.max }) end
  if e.type == "number" then return given(shape.number { min = e.min, max = e.max }) end
  if e.type == "words" or e.type == "specs" or e.type == "list" then return given(words) end
  return given(e.choices and shape.one_of(e.choices) or text)
end

---Raises { exit = 3 } where data is no results file of this version.
---@return table data
function recorded.results(data, path) return shape.assert(results, data, path) end

---The same of a run.json.
---@return table info
function recorded.run(info, path) return shape.assert(run, info, path) end

---The first thing that is wrong with a run.json; nil where nothing is.
---@return string?
function recorded.damage(info, path)
  local ok, problems = shape.check(run, info, path)
  return not ok and problems[1].message or nil
end

---Raises { exit = 3 } where a run's flags cannot be those of `lre run`. Before they are run again.
---@return table flags
function recorded.flags(flags, path)
  local fields = {}
  for _, e in ipairs(defaults.list "run") do fields[e.name] = flag(e) end
  return shape.assert(with { flags = with(fields) }, { flags = flags }, path).flags
end

return recorded
