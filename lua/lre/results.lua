-- results: what a run's inputs are as data, its results, and cells pooled from them.
local aggregate = require "lre.aggregate"
local contrasts = require "lre.contrasts"
local json = require "lre.json"
local platform = require "lre.platform"
local stats = require "lre.stats"

local results = {}

local function each(list, fn)
  local out = json.array {}
  for i, item in ipairs(list) do out[i] = fn(item) end
  return out
end

local function contains_all(list, words)
  local there = {}
  for _, label in ipairs(list) do there[label] = true end
  for _, word in ipairs(words) do
    if not there[word] then return false end
  end
  return true
end

local function as_list(labels)
  return json.array(type(labels) == "table" and labels or { labels })
end

-- Does the judge give the number of a mean? One without labels gives nothing else.
local function gives(judge, path)
  for _, m in ipairs(judge.metrics or {}) do
    if m.mean == path then return true end
  end
  return #judge.labels == 0
end

-- Metrics whose labels, or numbers, the judge has. A rate is of some of the labels in `of`.
local function fitting(metrics, judge)
  local out, labels = json.array {}, judge.labels
  for _, m in ipairs(metrics or {}) do
    if m.mean and gives(judge, m.mean) then
      out[#out + 1] = { name = m.name, mean = m.mean, min = m.min, max = m.max }
    elseif m.rate then
      local rate, of = as_list(m.rate), as_list(m.of)
      if contains_all(labels, of) and contains_all(of, rate) then
        out[#out + 1] = { name = m.name, rate = rate, of = of }
      end
    end
  end
  return out
end

-- A judge with labels of its own may count them under a suite's name for it: its denominator then holds them all.
local function in_words_of(judge, list)
  for i, m in ipairs(list) do
    for _, own in ipairs(fitting(judge.metrics, judge)) do
      if own.name == m.name then list[i] = own end
    end
  end
  return list
end

---What is measured with a judge on a suite: the suite's metrics, else the judge's, else the refusal rate, else each
---label's share. Where both name a metric, the judge's counts.
function results.metrics(suite, judge)
  local out = in_words_of(judge, fitting(suite.metrics, judge))
  if #out > 0 then return out end
  out = fitting(judge.metrics, judge)
  if #out > 0 then return out end
  if contains_all(judge.labels, { "refused", "complied" }) then
    return json.array { { name = "refusal_rate", rate = json.array { "refused" }, of = json.array { "refused",
      "complied" } } }
  end
  if #judge.labels == 0 then return json.array { { name = "mean_value", mean = "value" } } end
  return each(judge.labels, function(label)
    return { name = label .. "_rate", rate = json.array { label }, of = json.array(judge.labels) }
  end)
end

-- Which scripts a judge is made of: verify opens them from the run's own copies.
local function source_of(chunk)
  if not chunk then return nil end
  local modules = {}
  for name, part in pairs(chunk.modules) do modules[name] = { path = part.chunk:sub(2), sha256 = part.sha256 } end
  return { path = chunk.name, sha256 = chunk.sha256, modules = modules }
end

---The same of one judge. suites: { name, suite = { metrics? } }.
function results.judge_inputs(judge, suites)
  local metrics_of = {}
  for _, e in ipairs(suites) do metrics_of[e.name] = results.metrics(e.suite, judge) end
  return { name = judge.name, hash = judge.hash, kind = judge.kind, labels = judge.labels, metrics_of = metrics_of,
    asks = judge.kind == "model" and judge:inputs() or nil, cells = judge.cells,
    options = judge.options and next(judge.options) and judge.options or nil,
    file = judge.judge ~= judge.name and judge.judge or nil, source = source_of(judge.chunk) }
end

---The inputs of a plan, as plain data: all that aggregating needs beside the journal.
function results.inputs(plan)
  return {
    suites = each(plan.suites, function(e)
      return { name = e.name, title = e.title, hash = e.hash, count = e.count, total = e.total,
        sampled = e.tag ~= "" and e.tag or nil, metrics = e.suite.metrics,
        clusters = e.suite.clusters, contrasts = e.suite.contrasts, default_judges = json.array(e.suite.judges),
        judges = each(e.judges, function(j) return j.name end) }
    end),
    judges = each(plan.judges, function(j) return results.judge_inputs(j, plan.suites) end),
    models = each(plan.models, function(m)
      return { label = m.label, adapter = m.adapter, id = m.id, base_url = m.base_url, params = m.params,
        options = m.options, facts = m.facts,
        adapter_hash = m.adapter_hash }
    end),
    personas = each(plan.personas, function(p) return { name = p.name, hash = p.hash } end),
    filter = plan.wanted and plan.filter or nil, seed = plan.seed, repeats = plan.repeats,
    shard = plan.shard and { i = plan.shard.i, n = plan.shard.n, of = plan:full_count() } or nil,
    version = platform.version, planned = plan:count(),
  }
end

local function by_name(list)
  local out = {}
  for _, item in ipairs(list) do out[item.name] = item end
  return out
end

-- `mine` in the order of `old`, with what only `old` has; then what only `mine` has. `id` names an item.
local function joined(old, mine, id)
  local there, seen, out = {}, {}, json.array {}
  for _, item in ipairs(mine) do there[id(item)] = item end
  for _, list in ipairs { old, mine } do
    for _, item in ipairs(list) do
      local name = id(item)
      if not seen[name] then out[#out + 1] = there[name] or item end
      seen[name] = true
    end
  end
  return out
end

-- A judge of the plan that another one speaks for since (lre rejudge) is not put back by a resume.
local function without_replaced(old, mine)
  local replaced, out = {}, {}
  for _, judge in ipairs(old) do
    for _, older in ipairs(judge.also or {}) do replaced[older] = true end
  end
  for _, judge in ipairs(mine) do
    if not replaced[judge.hash] then out[#out + 1] = judge end
  end
  return out
end

---The inputs of a run that was judged again since (`old`: its run.json, or nil): its other judges stay in the results.
---`newer`: those in `inputs` are what it is judged with now; else those of its plan.
function results.with_judges_of(old, inputs, newer)
  if not old or not old.inputs then return inputs end
  local suites = by_name(old.inputs.suites)
  inputs.judges = joined(old.inputs.judges, newer and inputs.judges
    or without_replaced(old.inputs.judges, inputs.judges), function(judge) return judge.name end)
  for _, suite in ipairs(inputs.suites) do
    local was = suites[suite.name]
    suite.judges = joined(was and was.judges or {}, suite.judges, function(name) return name end)
  end
  return inputs
end

---The results of a journal. `counter`: what was counted while it was written, where that was all of it.
---@param samples (fun(suite: table): (fun(): table?))? the samples of one of the inputs' suites, for its contrasts
---@param counter table?
---@param problem fun(number: integer, err: any)? told of lines that cannot be read
function results.of(store, inputs, samples, counter, problem)
  local out = aggregate.results(counter or aggregate.count(store, inputs, problem), inputs)
  if #inputs.judges > 1 then out.joint = require("lre.composite").joint(store, inputs) end
  out.contrasts = contrasts.of(store, inputs, samples)
  out.cells, out.differences = require("lre.cells").of(store, inputs, samples)
  return out
end

local function add(into, from)
  for label, n in pairs(from) do into[label] = (into[label] or 0) + n end
end

local function new_cell(row, by)
  local cell = { total = 0, counts = {}, x = 0, n = 0, worth = 0, left_out = 0, primary = row.primary,
    judge = row.judge }
  for _, field in ipairs(by) do cell[field] = row[field] end
  return cell
end

local function key_of(row, by)
  local parts = { row.judge }
  for i, field in ipairs(by) do
    if row[field] == nil then error(("cells: rows have no field %q"):format(tostring(field)), 0) end
    parts[i + 1] = row[field]
  end
  return table.concat(parts, "\0")
end

-- Rows are pooled as independent of one another, each worth what it is worth alone.
local function rate_of(cell)
  if cell.n == 0 then return { n = 0, method = "wilson" } end
  local interval = assert(cell.clustered and stats.wilson_effective(cell.x, cell.n, math.min(cell.n, cell.worth))
    or stats.wilson(cell.x, cell.n))
  return { value = cell.x / cell.n, low = interval.low, high = interval.high, n = cell.n, method = interval.method,
    n_eff = interval.n_eff }
end

---Rows pooled by the fields in `opt.by` (and by judge: rates of two judges are never mixed), in the order of the rows.
---`opt.metric`: another metric than each row's primary one.
function results.cells(data, opt)
  local by, cells, index = opt.by or { "model" }, {}, {}
  for _, row in ipairs(data.rows) do
    local key = key_of(row, by)
    local cell = index[key]
    if not cell then
      cell = new_cell(row, by)
      index[key] = cell
      cells[#cells + 1] = cell
    end
    local metric = row.metrics[opt.metric or row.primary]
    cell.total = cell.total + row.total
    add(cell.counts, row.counts)
    if metric and metric.sd == nil and metric.n > 0 then
      cell.clustered = cell.clustered or metric.n_eff ~= nil
      cell.worth = cell.worth + (metric.n_eff or metric.n)
      cell.x, cell.n = cell.x + math.floor(metric.value * metric.n + 0.5), cell.n + metric.n
    end
  end
  for _, cell in ipairs(cells) do
    cell.rate = rate_of(cell)
    cell.left_out = cell.total - cell.n
    cell.x, cell.n, cell.worth, cell.clustered = nil, nil, nil, nil
  end
  return cells
end

return results
