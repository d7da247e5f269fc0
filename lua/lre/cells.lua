-- cells: a run's figures by what its judge says is worth a look (category, subcategory, model, persona and their grid),
-- and what each persona changes against the control arm. The test is the unit: what it was answered over repeats,
-- models and personas is one cluster, and differences are paired by test.
local aggregate = require "lre.aggregate"
local difference = require "lre.difference"
local json = require "lre.json"
local means = require "lre.means"
local plan = require "lre.plan"
local shape = require "lre.shape"
local stats = require "lre.stats"

local cells = {}

local CONTROL = "none"

-- ---- what was answered ----

local COUNTS = { "total", "generation_errors", "filtered", "undecided", "unscored", "judge_errors" }
local OTHER = { undecided = "undecided", error = "judge_errors" }

-- The answers of one model and persona to one test, all repeats together, under one judge.
local function unit_of(units, suite, judge, id, model, persona)
  local key = table.concat({ suite, judge, id, model, persona }, "\0")
  local unit = units[key]
  if not unit then
    unit = { suite = suite, judge = judge, id = id, model = model, persona = persona, labels = {}, numbers = {},
      given = 0 }
    for _, name in ipairs(COUNTS) do unit[name] = 0 end
    units[key], units[#units + 1] = unit, unit
  end
  return unit
end

local function take_verdict(unit, row, paths)
  unit.given = unit.given + 1
  if row.state ~= "scored" then
    local filtered = row.state == "unscored" and row["reason.code"] == "filtered"
    local name = filtered and "filtered" or OTHER[row.state] or "unscored"
    unit[name] = unit[name] + 1
    return
  end
  local label = row.label or "scored"
  unit.labels[label] = (unit.labels[label] or 0) + 1
  for _, path in ipairs(paths) do
    local value = row[path]
    if type(value) == "number" then
      unit.numbers[path] = unit.numbers[path] or {}
      table.insert(unit.numbers[path], value)
    end
  end
end

local function wanted_judges(inputs)
  local by_hash, names, paths, seen = {}, {}, {}, {}
  for _, judge in ipairs(inputs.judges) do
    if judge.cells then
      by_hash[judge.hash], names[judge.name] = judge, judge
      for _, metrics in pairs(judge.metrics_of) do
        for _, metric in ipairs(metrics) do
          if metric.mean and not seen[metric.mean] then paths[#paths + 1] = metric.mean end
          if metric.mean then seen[metric.mean] = true end
        end
      end
    end
  end
  return by_hash, names, paths
end

-- suite -> the judges with cells that speak on it.
local function judges_of(inputs, names)
  local out = {}
  for _, suite in ipairs(inputs.suites) do
    out[suite.name] = {}
    for _, name in ipairs(suite.judges) do
      if names[name] then table.insert(out[suite.name], name) end
    end
  end
  return out
end

local ROW = { "type", "key", "judge_hash", "n", "response_hash", "state", "label", "reason.code",
  "response.error.kind" }

local function gather(store, inputs, by_hash, names, paths)
  local fields = table.move(paths, 1, #paths, #ROW + 1, table.move(ROW, 1, #ROW, 1, {}))
  local successors, speaks, units = aggregate.successors(inputs), judges_of(inputs, names), {}
  local counts = aggregate.counting(store, successors)
  for row, number in store:scan(fields) do
    if counts(row, number) and not aggregate.is_unfinished(row) then
      local suite, id, persona, model = plan.parse_key(row.key)
      local judge = row.type == "verdict" and by_hash[successors[row.judge_hash] or row.judge_hash]
      if judge then
        take_verdict(unit_of(units, suite, judge.name, id, model, persona), row, paths)
      elseif row.type == "trial" then
        for _, name in ipairs(speaks[suite] or {}) do
          local unit = unit_of(units, suite, name, id, model, persona)
          unit.total = unit.total + 1
          if row["response.error.kind"] then unit.generation_errors = unit.generation_errors + 1 end
        end
      end
    end
  end
  return units
end

-- What a sample is: the journal's verdicts do not say its subcategory.
local function describe(units, inputs, samples)
  local of = {}
  for _, suite in ipairs(inputs.suites) do
    of[suite.name] = {}
    for sample in samples(suite) do of[suite.name][sample.id] = sample end
  end
  for _, unit in ipairs(units) do
    local sample = (of[unit.suite] or {})[unit.id] or {}
    unit.category, unit.subcategory = sample.category, sample.subcategory
    -- Answered, not judged (an interrupted run).
    unit.unscored = unit.unscored + math.max(0, unit.total - unit.generation_errors - unit.given)
  end
  table.sort(units, function(a, b)
    for _, field in ipairs { "id", "model", "persona" } do
      if a[field] ~= b[field] then return a[field] < b[field] end
    end
    return false
  end)
end

-- ---- figures of a cell ----

local function count(unit, labels)
  local n = 0
  for _, label in ipairs(labels) do n = n + (unit.labels[label] or 0) end
  return n
end

-- Tests with what they gave, in the order of their ids.
local function rate_of(units, metric)
  local x, n, index, largest, of = {}, {}, {}, 0, 0
  for _, unit in ipairs(units) do
    local size = count(unit, metric.of)
    if size > 0 then
      local i = index[unit.id] or #n + 1
      index[unit.id] = i
      x[i], n[i] = (x[i] or 0) + count(unit, metric.rate), (n[i] or 0) + size
      largest, of = math.max(largest, n[i]), of + size
    end
  end
  if of == 0 then return { value = json.null, n = 0, low = json.null, high = json.null, method = "wilson" } end
  local sum = 0
  for _, positives in ipairs(x) do sum = sum + positives end
  local interval = assert(largest > 1 and stats.wilson_clustered(x, n) or stats.wilson(sum, of))
  return { value = json.round(sum / of), n = of, low = json.round(interval.low), high = json.round(interval.high),
    method = interval.method, clusters = interval.clusters, n_eff = interval.n_eff and json.round(interval.n_eff) }
end

local function mean_of(units, metric)
  local values, tests = {}, {}
  for _, unit in ipairs(units) do
    for _, value in ipairs(unit.numbers[metric.mean] or {}) do
      values[#values + 1], tests[#tests + 1] = value, unit.id
    end
  end
  return means.within(means.interval(values, tests), metric.min, metric.max)
end

local function cell_of(at, units, metrics)
  local out = { counts = {}, metrics = {}, judged = 0 }
  for name, value in pairs(at) do out[name] = value end
  for _, name in ipairs(COUNTS) do out[name] = 0 end
  for _, unit in ipairs(units) do
    for _, name in ipairs(COUNTS) do out[name] = out[name] + unit[name] end
    for label, n in pairs(unit.labels) do
      out.counts[label], out.judged = (out.counts[label] or 0) + n, out.judged + n
    end
  end
  for _, metric in ipairs(metrics) do
    out.metrics[metric.name] = metric.mean and mean_of(units, metric) or rate_of(units, metric)
  end
  return out
end

-- Units by the values of some fields, in the order of these; who lacks one is in none.
local function groups_of(units, fields)
  local index, out = {}, {}
  for _, unit in ipairs(units) do
    local parts = {}
    for i, field in ipairs(fields) do parts[i] = unit[field] end
    if #parts == #fields then
      local key = table.concat(parts, "\0")
      if not index[key] then
        index[key] = { key = key, values = parts, units = {} }
        out[#out + 1] = index[key]
      end
      table.insert(index[key].units, unit)
    end
  end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

local function cells_of(out, at, units, judge, metrics)
  for _, fields in ipairs(judge.cells) do
    for _, group in ipairs(groups_of(units, fields)) do
      local one = cell_of(at, group.units, metrics)
      one.by = json.array(table.move(fields, 1, #fields, 1, {}))
      for i, field in ipairs(fields) do one[field] = group.values[i] end
      out[#out + 1] = one
    end
  end
end

-- ---- what a persona changes ----

local function average(list)
  table.sort(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return #list > 0 and sum / #list or nil
end

-- The number of one unit: its share of a label, or its mean. nil where it has none.
local function number_of(unit, metric)
  if metric.mean then return average(unit.numbers[metric.mean] or {}) end
  local n = count(unit, metric.of)
  return n > 0 and count(unit, metric.rate) / n or nil
end

-- test -> { [persona] = x, none = y }, over the models on which both spoke; and how many tests have but one of them.
local function pairs_of(units, metric, persona)
  local by_unit, tests, lone = {}, {}, {}
  for _, unit in ipairs(units) do
    local value = (unit.persona == persona or unit.persona == CONTROL) and number_of(unit, metric)
    if value then
      local key = unit.id .. "\0" .. unit.model
      by_unit[key] = by_unit[key] or { id = unit.id }
      by_unit[key][unit.persona] = value
    end
  end
  for _, key in ipairs(shape.keys(by_unit)) do
    local one = by_unit[key]
    local test = tests[one.id] or { [persona] = {}, [CONTROL] = {} }
    if one[persona] and one[CONTROL] then
      tests[one.id] = test
      table.insert(test[persona], one[persona])
      table.insert(test[CONTROL], one[CONTROL])
    else
      lone[one.id] = true
    end
  end
  local ids, incomplete = shape.keys(tests), 0
  for id in pairs(lone) do incomplete = incomplete + (tests[id] and 0 or 1) end
  for _, id in ipairs(ids) do
    tests[id] = { [persona] = average(tests[id][persona]), [CONTROL] = average(tests[id][CONTROL]) }
  end
  return tests, ids, incomplete
end

local function against_control(at, units, metric, persona)
  local tests, ids, incomplete = pairs_of(units, metric, persona)
  local out = difference.weighed({ rate = metric.rate ~= nil, weights = { [persona] = 1, [CONTROL] = -1 } }, tests,
    ids)
  if metric.min and metric.max then means.within(out, metric.min - metric.max, metric.max - metric.min) end
  for name, value in pairs(at) do out[name] = value end
  out.metric, out.persona, out.control, out.incomplete = metric.name, persona, CONTROL, incomplete
  return out
end

-- Holm over the personas (and models) of one metric: each family answers one question.
local function correct(family)
  local p, with = {}, {}
  for _, one in ipairs(family) do
    if one.p then p[#p + 1], with[#with + 1] = one.p, one end
  end
  local adjusted = #p > 0 and assert(stats.holm(p)) or {}
  for i, one in ipairs(with) do one.p_holm, one.tests = json.round(adjusted[i]), #p end
end

local function differences_of(out, at, units, inputs, metrics)
  local others, control = {}, false
  for _, who in ipairs(inputs.personas) do
    if who.name == CONTROL then control = true else others[#others + 1] = who.name end
  end
  if not control or #others == 0 then return end
  local scopes = { { { units = units } } } -- all models together; then each
  if #inputs.models > 1 then scopes[2] = groups_of(units, { "model" }) end
  for _, metric in ipairs(metrics) do
    for _, scope in ipairs(scopes) do
      local family = {}
      for _, group in ipairs(scope) do
        for _, persona in ipairs(others) do
          local one = against_control(at, group.units, metric, persona)
          one.model = group.values and group.values[1]
          family[#family + 1], out[#out + 1] = one, one
        end
      end
      correct(family)
    end
  end
end

-- ---- all of them ----

---The cells and the differences of a run: two lists, nil where no judge declares `cells` (a list of lists of category,
---subcategory, model, persona). `samples(suite)`: its samples.
---A cell: { suite, judge, by, category?, subcategory?, model?, persona?, total, judged, unscored, ..., counts,
---metrics }; a difference: { suite, judge, model?, persona, control, metric, value, n (tests), incomplete, low, high,
---method, p?, p_holm?, tests? }.
---@param store table the journal
---@param inputs table see lre.results.inputs
---@param samples (fun(suite: table): (fun(): table?))?
function cells.of(store, inputs, samples)
  local by_hash, names, paths = wanted_judges(inputs)
  if not next(by_hash) or not samples then return nil end
  local all = gather(store, inputs, by_hash, names, paths)
  describe(all, inputs, samples)
  local out, differences = json.array {}, json.array {}
  for _, suite in ipairs(inputs.suites) do
    for _, name in ipairs(suite.judges) do
      local judge, units = names[name], {}
      for _, unit in ipairs(judge and all or {}) do
        if unit.suite == suite.name and unit.judge == name then units[#units + 1] = unit end
      end
      if #units > 0 then
        local at, metrics = { suite = suite.title, judge = name }, judge.metrics_of[suite.name]
        cells_of(out, at, units, judge, metrics)
        differences_of(differences, at, units, inputs, metrics)
      end
    end
  end
  return out, #differences > 0 and differences or nil
end

return cells
