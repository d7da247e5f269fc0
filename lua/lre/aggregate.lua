-- aggregate: the journal becomes results. Passes over the rows hold none of them, so memory does not follow the run's
-- length.
local json = require "lre.json"
local means = require "lre.means"
local rundir = require "lre.rundir"
local set = require "lre.set"
local stats = require "lre.stats"
local turns = require "lre.turns"

local aggregate = {}

---A model judge that was asked again about some answers, with another model, speaks for the one it follows: the hashes
---of older ones (`also`), each with the hash that it counts as.
---@param inputs table see lre.results.inputs
---@return table<string, string>
function aggregate.successors(inputs)
  local out = {}
  for _, judge in ipairs(inputs.judges) do
    for _, older in ipairs(judge.also or {}) do out[older] = judge.hash end
  end
  return out
end

---Is this the journal's row of a conversation that goes on? It counts as a trial that was not asked.
---@param row table with response.error.kind
function aggregate.is_unfinished(row)
  return turns.is_unfinished(row["response.error.kind"])
end

local NONE = {}

-- What a row is, for "the last line counts".
local function identity(row, successors)
  if row.type == "trial" then return row.key end
  return ("%s\n%s\n%s"):format(row.key, successors[row.judge_hash] or row.judge_hash, row.n)
end

-- Which lines may have been superseded: a set of hashes finds suspects in 8 bytes a row, a second pass settles them
-- exactly. `orphans`: keys with verdicts whose answer is not there (its line was damaged).
local function suspects(store, successors)
  local seen <close> = set.new(store.lines) -- closed: the collector does not know how large they are
  local failed <close> = set.new() -- trials that failed first,
  local mended <close> = set.new() -- and were answered then
  local found, orphans = {}, {}
  local function is_answered(key) return seen:has(key) and (not failed:has(key) or mended:has(key)) end
  for row in store:scan { "type", "key", "judge_hash", "n", "response.error.kind" } do
    local id = identity(row, successors)
    local is_new = seen:add(id)
    if not is_new then
      found[id] = 0
      found[row.key] = found[row.key] or 0 -- its trial: for the verdicts' response_hash
    end
    if row.type ~= "trial" then
      if not is_answered(row.key) then orphans[row.key] = true end
    elseif not row["response.error.kind"] then
      if failed:has(row.key) then mended:add(row.key) end
    elseif is_new then
      failed:add(row.key)
    end
  end
  for key in pairs(orphans) do
    if is_answered(key) then orphans[key] = nil end
  end
  return found, orphans
end

local function settle(store, found, successors)
  local answers = {}
  local fields = { "type", "key", "judge_hash", "n", "response.text", "response.finish_reason" }
  for row, number in store:scan(fields) do
    local id = identity(row, successors)
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

local function counting(store, successors)
  local found, orphans = suspects(store, successors)
  if not next(found) and not next(orphans) then return function() return true end end
  local answers = settle(store, found, successors)
  return function(row, number)
    if row.type == "verdict" and orphans[row.key] then return false end
    local last = found[identity(row, successors)]
    if last and last ~= number then return false end
    local answer = row.type == "verdict" and answers[row.key]
    return not answer or answer == row.response_hash
  end
end

local function text_of(successors)
  local out = {}
  for older, hash in pairs(successors) do out[#out + 1] = older .. " " .. hash end
  table.sort(out)
  return table.concat(out, "\n")
end

---Which lines of a journal count: a function of (row with type, key, judge_hash, n, response_hash; number).
---A line counts where no later one has its key (and judge, for a verdict), and a verdict only where it is about the
---counting response. `successors`: see aggregate.successors. A store whose `counted` is a table keeps what it learnt:
---the pass over it is the one that takes memory.
---@return fun(row: table, number: integer): boolean
function aggregate.counting(store, successors)
  successors = successors or NONE
  local known = store.counted
  if not known then return counting(store, successors) end
  local which = text_of(successors)
  known[which] = known[which] or counting(store, successors)
  return known[which]
end

-- ---- counting ----

local function new_tally()
  return { total = 0, truncated = 0, generation_errors = 0, filtered = 0, undecided = 0, unscored = 0, judge_errors = 0,
    counts = {}, cut = {} }
end

local function bump(t, name)
  t[name] = (t[name] or 0) + 1
end

local function new_cell()
  return { all = new_tally(), categories = {} }
end

-- Mostly that of the row before.
local last = {}

local function cell_key(suite, model, persona)
  if suite ~= last.suite or model ~= last.model or persona ~= last.persona then
    last = { suite = suite, model = model, persona = persona, key = suite .. "\0" .. model .. "\0" .. persona }
  end
  return last.key
end

-- A cell's tally and its category's (nil where the sample has none).
local function tallies(cells, key, category)
  local cell = cells[key]
  if not cell then
    cell = new_cell()
    cells[key] = cell
  end
  if not category then return cell.all end
  local part = cell.categories[category]
  if not part then
    part = new_tally()
    cell.categories[category] = part
  end
  return cell.all, part
end

local function count_trial(tally, failed, truncated)
  tally.total = tally.total + 1
  if failed then
    tally.generation_errors = tally.generation_errors + 1
  elseif truncated then
    tally.truncated = tally.truncated + 1
  end
end

-- Of trials that are not independent: how many of each cluster had the label.
local function bump_cluster(by, label, cluster)
  by[label] = by[label] or {}
  bump(by[label], cluster)
end

local function bump_clusters(tally, label, truncated, cluster)
  tally.by = tally.by or {}
  bump_cluster(tally.by, label, cluster)
  if not truncated then return end
  tally.cut_by = tally.cut_by or {}
  bump_cluster(tally.cut_by, label, cluster)
end

local OTHER = { undecided = "undecided", error = "judge_errors" }

local function count_verdict(tally, verdict, code, truncated, cluster, paths)
  if verdict.state == "scored" then
    local label = verdict.label or "scored" -- a judge without labels
    bump(tally.counts, label)
    if truncated then bump(tally.cut, label) end
    if cluster then bump_clusters(tally, label, truncated, cluster) end
    if paths then means.add(tally, paths, verdict, truncated, cluster) end
  elseif verdict.state == "unscored" and code == "filtered" then
    tally.filtered = tally.filtered + 1
  else
    bump(tally, OTHER[verdict.state] or "unscored")
  end
end

local Counter = {}
Counter.__index = Counter

-- Suites whose trials are not independent, because samples are repeated or the suite says what belongs together:
-- name -> the numbers of its clusters. Others need no memory a sample.
local function clustered_suites(inputs)
  local out = {}
  for _, suite in ipairs(inputs.suites) do
    if suite.clusters or (inputs.repeats or 1) > 1 then out[suite.name] = { n = 0, declared = {}, samples = {} } end
  end
  return out
end

---What has been counted of a journal: each counting row is given to it once, when it is written or when it is read.
---@param inputs table see lre.results.inputs
function aggregate.counter(inputs)
  return setmetatable({ trials = {}, verdicts = {}, recorded = 0, clustered = clustered_suites(inputs),
    paths = means.paths(inputs) }, Counter)
end

-- The number of a trial's cluster: what its suite's `clusters` says, else its sample. nil where trials are independent.
local function number_of(clusters, sample_id, cluster)
  if not clusters then return nil end
  local numbers, name = clusters.samples, sample_id
  if cluster then numbers, name = clusters.declared, cluster end
  local number = numbers[name]
  if not number then
    number = clusters.n + 1
    clusters.n, numbers[name] = number, number
  end
  return number
end

---Counts a trial's row: where it belongs, whether it failed, whether the answer was cut.
function Counter:trial(suite, model, persona, category, failed, truncated)
  local all, part = tallies(self.trials, cell_key(suite, model, persona), category)
  self.recorded = self.recorded + 1
  count_trial(all, failed, truncated)
  if part then count_trial(part, failed, truncated) end
end

---Counts a verdict { state, label, value, evidence } (or a journal's row, which is flat); `code` is its reason's;
---`sample_id` and `cluster` are its trial's.
function Counter:verdict(judge_hash, suite, model, persona, category, verdict, code, truncated, sample_id, cluster)
  local cells = self.verdicts[judge_hash]
  if not cells then
    cells = {}
    self.verdicts[judge_hash] = cells
  end
  local all, part = tallies(cells, cell_key(suite, model, persona), category)
  local number = number_of(self.clustered[suite], sample_id, cluster)
  local paths = self.paths[judge_hash]
  count_verdict(all, verdict, code, truncated, number, paths)
  if part then count_verdict(part, verdict, code, truncated, number, paths) end
end

local FIELDS = { "type", "key", "suite", "persona", "model", "category", "response.error.kind",
  "response.finish_reason",
  "judge", "judge_hash", "n", "response_hash", "state", "label", "reason.code", "truncated",
  "cluster" }

local function count_row(counter, row)
  local category = row.category or nil
  if row.type == "trial" then
    if turns.is_unfinished(row["response.error.kind"]) then return end
    local truncated = row["response.finish_reason"] == "length"
    return counter:trial(row.suite, row.model, row.persona, category, row["response.error.kind"], truncated)
  end
  local suite, id, who, model = require("lre.plan").parse_key(row.key)
  counter:verdict(row.judge_hash, suite, model, who, category, row, row["reason.code"], row.truncated, id,
    row.cluster or nil)
end

---Counts a whole journal in one pass.
---@param inputs table see lre.results.inputs
---@param problem fun(number: integer, err: any)? told of lines that cannot be read
function aggregate.count(store, inputs, problem)
  local successors = aggregate.successors(inputs)
  local counts, counter = aggregate.counting(store, successors), aggregate.counter(inputs)
  local fields = table.move(FIELDS, 1, #FIELDS, 1, {})
  for _, path in ipairs(means.all_paths(counter.paths)) do fields[#fields + 1] = path end
  for row, number in store:scan(fields, problem) do
    if counts(row, number) then
      row.judge_hash = successors[row.judge_hash] or row.judge_hash
      count_row(counter, row)
    end
  end
  return counter
end

-- ---- metrics ----

local function sum(counts, labels)
  local n = 0
  for _, label in ipairs(labels) do n = n + (counts[label] or 0) end
  return n
end

-- How many of each cluster have one of the labels, less those in `cut`: added to `into`.
local function sum_by(into, by, labels, sign)
  for _, label in ipairs(labels) do
    for cluster, n in pairs(by and by[label] or {}) do into[cluster] = (into[cluster] or 0) + sign * n end
  end
end

-- The clustered interval. Clusters are numbered as they are completed, which is no order: their counts are, so that
-- sums have the same last bits in every run.
local function clustered(by, cut, metric)
  local x, n, pairs_of, positives, sizes = {}, {}, {}, {}, {}
  sum_by(x, by, metric.rate, 1)
  sum_by(x, cut, metric.rate, -1)
  sum_by(n, by, metric.of, 1)
  sum_by(n, cut, metric.of, -1)
  for cluster, size in pairs(n) do pairs_of[#pairs_of + 1] = { x[cluster] or 0, size } end
  table.sort(pairs_of, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
  for i, pair in ipairs(pairs_of) do positives[i], sizes[i] = pair[1], pair[2] end
  return assert(stats.wilson_clustered(positives, sizes))
end

-- x of n with its Wilson interval; null where nothing was judged. `by`: counts by label and cluster, where trials are
-- not independent; `cut`: what of them is left out.
local function rate(counts, metric, by, cut)
  local x, n = sum(counts, metric.rate), sum(counts, metric.of)
  if n == 0 then return { value = json.null, n = 0, low = json.null, high = json.null, method = "wilson" } end
  local interval = by and clustered(by, cut, metric) or assert(stats.wilson(x, n))
  return { value = json.round(x / n), n = n, low = json.round(interval.low), high = json.round(interval.high),
    method = interval.method, clusters = interval.clusters, n_eff = interval.n_eff and json.round(interval.n_eff) }
end

local function without(counts, cut)
  local rest = {}
  for label, n in pairs(counts) do rest[label] = n - (cut[label] or 0) end
  return rest
end

local function metric_of(tally, metric)
  if metric.mean then return means.metric(tally, metric) end
  local out = rate(tally.counts, metric, tally.by)
  if next(tally.cut) then
    out.without_truncated = rate(without(tally.counts, tally.cut), metric, tally.by, tally.cut_by)
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

local function row_of(inputs, counter, at)
  local key = cell_key(at.suite.name, at.model, at.persona)
  local trial = counter.trials[key] or new_cell()
  local cells = counter.verdicts[at.judge.hash] or {}
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

---The order of results' rows.
function aggregate.row_order(a, b)
  for _, field in ipairs { "suite", "model", "persona", "judge" } do
    if a[field] ~= b[field] then return a[field] < b[field] end
  end
  return false
end

-- What of the inputs is not for the file: how the aggregate finds a judge's metrics.
local function public(inputs)
  local out = {}
  for name, value in pairs(inputs) do out[name] = value end
  out.planned = nil
  out.judges = json.array {}
  for i, judge in ipairs(inputs.judges) do
    out.judges[i] = { name = judge.name, hash = judge.hash, kind = judge.kind, labels = judge.labels,
      also = judge.also, asks = judge.asks, options = judge.options, file = judge.file }
  end
  out.suites = json.array {}
  for i, suite in ipairs(inputs.suites) do
    out.suites[i] = { name = suite.name, hash = suite.hash, count = suite.count, sampled = suite.sampled,
      judges = suite.judges, clusters = suite.clusters }
  end
  return out
end

-- A row for each suite, model, persona and judge of the inputs, also where nothing was counted.
local function all_rows(inputs, counter)
  local judges, rows = {}, json.array {}
  for _, judge in ipairs(inputs.judges) do judges[judge.name] = judge end
  for _, suite in ipairs(inputs.suites) do
    for _, model in ipairs(inputs.models) do
      for _, who in ipairs(inputs.personas) do
        for _, name in ipairs(suite.judges) do
          local at = { suite = suite, model = model.label, persona = who.name, judge = judges[name] }
          rows[#rows + 1] = row_of(inputs, counter, at)
        end
      end
    end
  end
  table.sort(rows, aggregate.row_order)
  return rows
end

---The results of what was counted: plain data in the shape of results.json.
---@param counter table
---@param inputs table see lre.results.inputs
function aggregate.results(counter, inputs)
  return { schema = 1, inputs = public(inputs), rows = all_rows(inputs, counter),
    trials = { planned = inputs.planned, recorded = counter.recorded } }
end

return aggregate
