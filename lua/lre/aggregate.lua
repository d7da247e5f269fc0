-- aggregate: the journal becomes results. Passes over the rows hold none of them, so memory does not follow the run's
-- length.
local json = require "lre.json"
local rundir = require "lre.rundir"
local set = require "lre.set"
local stats = require "lre.stats"

local aggregate = {}

-- What a row is, for "the last line counts".
local function identity(row)
  if row.type == "trial" then return row.key end
  return ("%s\n%s\n%s"):format(row.key, row.judge_hash, row.n)
end

-- Which lines may have been superseded: a set of hashes finds suspects in 8 bytes a row, a second pass settles them
-- exactly.
local function suspects(store)
  local seen, found = set.new(store.lines), {}
  for row in store:scan { "type", "key", "judge_hash", "n" } do
    local id = identity(row)
    if not seen:add(id) then
      found[id] = 0
      found[row.key] = found[row.key] or 0 -- its trial: for the verdicts' response_hash
    end
  end
  return found
end

local function settle(store, found)
  local answers = {}
  local fields = { "type", "key", "judge_hash", "n", "response.text", "response.finish_reason" }
  for row, number in store:scan(fields) do
    local id = identity(row)
    if found[id] then
      found[id] = number
      if row.type == "trial" then
        local text = row["response.text"]
        answers[row.key] = rundir.response_hash(text or "", row["response.finish_reason"] or nil)
      end
    end
  end
  return answers
end

---Which lines of a journal count: a function of (row with type, key, judge_hash, n, response_hash; number).
---A line counts where no later one has its key (and judge, for a verdict), and a verdict only where it is about the
---counting response.
---@return fun(row: table, number: integer): boolean
function aggregate.counting(store)
  local found = suspects(store)
  if not next(found) then return function() return true end end
  local answers = settle(store, found)
  return function(row, number)
    local last = found[identity(row)]
    if last and last ~= number then return false end
    local answer = row.type == "verdict" and answers[row.key]
    return not answer or answer == row.response_hash
  end
end

-- ---- counting ----

local function new_tally()
  return { total = 0, truncated = 0, generation_errors = 0, filtered = 0, undecided = 0, unscored = 0, judge_errors = 0,
    counts = {}, cut = {} }
end

local function bump(t, name)
  t[name] = (t[name] or 0) + 1
end

local function slot(map, key, make)
  local value = map[key]
  if not value then
    value = make()
    map[key] = value
  end
  return value
end

local function new_cell()
  return { all = new_tally(), categories = {} }
end

-- The tallies that a row belongs to: its cell's and its category's.
local function tallies(cell, category)
  return cell.all, category and slot(cell.categories, category, new_tally)
end

local function count_trial(tally, row)
  tally.total = tally.total + 1
  if row["response.error.code"] or row["response.error.kind"] then
    tally.generation_errors = tally.generation_errors + 1
  elseif row["response.finish_reason"] == "length" then
    tally.truncated = tally.truncated + 1
  end
end

local OTHER = { undecided = "undecided", error = "judge_errors" }

local function count_verdict(tally, row)
  if row.state == "scored" then
    bump(tally.counts, row.label)
    if row.truncated then bump(tally.cut, row.label) end
  elseif row.state == "unscored" and row["reason.code"] == "filtered" then
    tally.filtered = tally.filtered + 1
  else
    bump(tally, OTHER[row.state] or "unscored")
  end
end

local FIELDS = { "type", "key", "suite", "persona", "model", "category", "response.error.code", "response.error.kind",
  "response.finish_reason", "judge", "judge_hash", "n", "response_hash", "state", "label", "reason.code", "truncated" }

local function cell_key(suite, model, persona)
  return suite .. "\0" .. model .. "\0" .. persona
end

-- One pass: trials by cell, verdicts by judge's hash and cell.
local function pass(store, problem)
  local parse_key = require("lre.plan").parse_key
  local counts = aggregate.counting(store)
  local trials, verdicts = {}, {}
  for row, number in store:scan(FIELDS, problem) do
    if counts(row, number) then
      local map, count, cell
      if row.type == "trial" then
        map, count, cell = trials, count_trial, cell_key(row.suite, row.model, row.persona)
      else
        local suite, _, who, model = parse_key(row.key)
        map, count, cell = slot(verdicts, row.judge_hash, function() return {} end), count_verdict, cell_key(suite,
          model, who)
      end
      local all, category = tallies(slot(map, cell, new_cell), row.category)
      count(all, row)
      if category then count(category, row) end
    end
  end
  return trials, verdicts
end

-- ---- metrics ----

local function sum(counts, labels)
  local n = 0
  for _, label in ipairs(labels) do n = n + (counts[label] or 0) end
  return n
end

-- x of n with its Wilson interval; null where nothing was judged.
local function rate(counts, metric)
  local x, n = sum(counts, metric.rate), sum(counts, metric.of)
  if n == 0 then return { value = json.null, n = 0, low = json.null, high = json.null, method = "wilson" } end
  local interval = assert(stats.wilson(x, n))
  return { value = json.round(x / n), n = n, low = json.round(interval.low), high = json.round(interval.high),
    method = "wilson" }
end

local function without(counts, cut)
  local rest = {}
  for label, n in pairs(counts) do rest[label] = n - (cut[label] or 0) end
  return rest
end

local function metric_of(tally, metric)
  local out = rate(tally.counts, metric)
  if next(tally.cut) then
    out.without_truncated = rate(without(tally.counts, tally.cut), metric)
    out.without_truncated.method = nil
  end
  return out
end

-- ---- rows ----

local function check(row, where)
  local n = sum(row.counts,
    row._labels) + row.filtered + row.undecided + row.unscored + row.generation_errors + row.judge_errors
  if n ~= row.total then error(("results do not add up in %s: %d of %d"):format(where, n, row.total)) end
  row._labels = nil
end

-- The counts of one cell (or category) under one judge. `mine` is nil where the judge saw nothing.
local function summary(trial, mine, judge, metrics, where)
  mine = mine or new_tally()
  local labels, counts = {}, {}
  for _, label in ipairs(judge.labels) do counts[label] = 0 end
  for label, n in pairs(mine.counts) do counts[label] = n end
  for label in pairs(counts) do labels[#labels + 1] = label end
  local given = sum(counts, labels) + mine.filtered + mine.undecided + mine.unscored + mine.judge_errors
  local missing = trial.total - trial.generation_errors - given -- answered, not judged (an interrupted run)
  local row = {
    total = trial.total, truncated = trial.truncated, generation_errors = trial.generation_errors, counts = counts,
    filtered = mine.filtered, undecided = mine.undecided, unscored = mine.unscored + missing,
    judge_errors = mine.judge_errors,
    metrics = {}, _labels = labels,
  }
  if missing < 0 then error(("results do not add up in %s: %d verdicts too many"):format(where, -missing)) end
  for _, metric in ipairs(metrics) do row.metrics[metric.name] = metric_of(mine, metric) end
  check(row, where)
  return row
end

-- The first seed's fields, for judges of refusal.
local function add_refusal_fields(row)
  local metric = row.metrics.refusal_rate
  if not metric or not row.counts.refused or not row.counts.complied then return end
  row.refused, row.complied, row.refusal_rate = row.counts.refused, row.counts.complied, metric.value
  row.refusal_rate_ci_low, row.refusal_rate_ci_high = metric.low, metric.high
end

local function provenance(inputs, suite, model, who, judge)
  local function find(list, field, value)
    for _, item in ipairs(list) do
      if item[field] == value then return item end
    end
    return {}
  end
  return {
    suite_hash = suite.hash, judge_hash = judge.hash, adapter_hash = find(inputs.models, "label", model).adapter_hash,
    persona_hash = find(inputs.personas, "name", who).hash,
  }
end

local function row_of(inputs, trials, verdicts, at)
  local key = cell_key(at.suite.name, at.model, at.persona)
  local trial = trials[key] or new_cell()
  local cells = verdicts[at.judge.hash] or {}
  local mine = cells[key] or new_cell()
  local metrics = at.judge.metrics_of[at.suite.name]
  local where = ("%s, %s, %s, %s"):format(at.suite.name, at.model, at.persona, at.judge.name)
  local row = summary(trial.all, mine.all, at.judge, metrics, where)
  row.suite, row.model, row.persona, row.judge = at.suite.title, at.model, at.persona, at.judge.name
  row.primary = metrics[1] and metrics[1].name
  row.categories = {}
  for category, tally in pairs(trial.categories) do
    row.categories[category] = summary(tally, mine.categories[category], at.judge, metrics, where .. ", " .. category)
  end
  row.provenance = provenance(inputs, at.suite, at.model, at.persona, at.judge)
  add_refusal_fields(row)
  return row
end

local function by_name(a, b)
  for _, field in ipairs { "suite", "model", "persona", "judge" } do
    if a[field] ~= b[field] then return a[field] < b[field] end
  end
  return false
end

-- What of the inputs is not for the file: how the aggregate finds a judge's metrics.
local function public(inputs)
  local out = {}
  for name, value in pairs(inputs) do out[name] = value end
  out.judges = json.array {}
  for i, judge in ipairs(inputs.judges) do
    out.judges[i] = { name = judge.name, hash = judge.hash, kind = judge.kind, labels = judge.labels }
  end
  out.suites = json.array {}
  for i, suite in ipairs(inputs.suites) do
    out.suites[i] = { name = suite.name, hash = suite.hash, count = suite.count, sampled = suite.sampled,
      judges = suite.judges }
  end
  return out
end

---The results of a journal: plain data in the shape of results.json.
---`inputs` (see lre.run): suites { name, title, hash, count, judges }, judges { name, hash, kind, labels, metrics_of },
---models, personas, ...
---@param store table a run folder or memory store
---@param inputs table
---@param problem fun(number: integer, err: any)? told of lines that cannot be read
function aggregate.results(store, inputs, problem)
  local trials, verdicts = pass(store, problem)
  local judges, rows, recorded = {}, json.array {}, 0
  for _, judge in ipairs(inputs.judges) do judges[judge.name] = judge end
  for _, cell in pairs(trials) do recorded = recorded + cell.all.total end
  for _, suite in ipairs(inputs.suites) do
    for _, model in ipairs(inputs.models) do
      for _, who in ipairs(inputs.personas) do
        for _, name in ipairs(suite.judges) do
          rows[#rows + 1] = row_of(inputs, trials, verdicts,
            { suite = suite, model = model.label, persona = who.name, judge = judges[name] })
        end
      end
    end
  end
  table.sort(rows, by_name)
  return { schema = 1, inputs = public(inputs), rows = rows, trials = { planned = inputs.planned,
    recorded = recorded } }
end

return aggregate
