-- composite: several judges on one answer. The joint verdict of a chain of defences (either refused), a majority, and
-- what the second adds to the first.
local agreement = require "lre.agreement"
local json = require "lre.json"
local plan = require "lre.plan"
local source = require "lre.source"
local stats = require "lre.stats"

local composite = {}

---The verdict of most judges. A label wins with more than half of the votes that were cast; who is undecided or has no
---verdict casts none. Without such a label the tie rule holds: `opt.tie` is "undecided" (the default) or the label that
---then wins. Without any vote: unscored.
---@param verdicts { state: string, label: string? }[]
---@param opt { tie: string? }?
---@return { state: string, label: string?, evidence: table, reason: table? }
function composite.majority(verdicts, opt)
  local votes, cast, tie = {}, 0, opt and opt.tie or "undecided"
  for _, verdict in ipairs(verdicts) do
    if verdict.state == "scored" and verdict.label then
      votes[verdict.label], cast = (votes[verdict.label] or 0) + 1, cast + 1
    end
  end
  local evidence = { votes = votes, judges = #verdicts }
  if cast == 0 then
    local reason = { code = "no_votes", message = "no judge gave a label" }
    return { state = "unscored", reason = reason, evidence = evidence }
  end
  for label, n in pairs(votes) do -- at most one has more than half: the order does not matter
    if 2 * n > cast then return { state = "scored", label = label, evidence = evidence } end
  end
  evidence.tie = tie
  if tie == "undecided" then return { state = "undecided", evidence = evidence } end
  return { state = "scored", label = tie, evidence = evidence }
end

-- ---- inner or outer ----

local Tally = {}
Tally.__index = Tally

---Counts pairs of outcomes. `positive`: { inner label, outer label }.
function composite.tally(inner, outer)
  return setmetatable({ positive = { inner, outer }, total = 0, both = 0, inner_only = 0, outer_only = 0, neither = 0,
    apart = {}, samples = {}, numbers = {} }, Tally)
end

-- Counts by sample, for intervals that take several trials of one for what they are.
local function count_sample(self, sample, field)
  local number = self.numbers[sample]
  if not number then
    number = #self.samples + 1
    self.numbers[sample] = number
    self.samples[number] = { both = 0, inner_only = 0, outer_only = 0, neither = 0, n = 0 }
  end
  local one = self.samples[number]
  one[field], one.n = one[field] + 1, one.n + 1
  self.several = self.several or one.n > 1
end

---Adds one trial's two outcomes (lre.source.outcome). Only trials on which both judges gave a label are in the rates;
---the others are counted by what both said. `sample`: whose trial it is. Returns the joint label's truth, or nil.
function Tally:add(inner, inner_scored, outer, outer_scored, sample)
  self.total = self.total + 1
  if not (inner_scored and outer_scored) then
    local what = inner == "generation_error" and "generation_error" or inner .. " / " .. outer
    self.apart[what] = (self.apart[what] or 0) + 1
    return nil
  end
  local x, y = inner == self.positive[1], outer == self.positive[2]
  local field = x and (y and "both" or "inner_only") or y and "outer_only" or "neither"
  self[field] = self[field] + 1
  if sample then count_sample(self, sample, field) end
  return x or y
end

-- The share of some fields, with Wilson's interval, clustered by sample where one has several trials.
local function share_of(self, fields, n, confidence)
  local x = 0
  for _, field in ipairs(fields) do x = x + self[field] end
  local out = agreement.share(x, n, confidence)
  if not self.several then return out end
  local positives, sizes, order = {}, {}, {}
  for i, one in ipairs(self.samples) do
    local hits = 0
    for _, field in ipairs(fields) do hits = hits + one[field] end
    order[i] = { hits, one.n }
  end
  table.sort(order, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end) -- any order, but one
  for i, pair in ipairs(order) do positives[i], sizes[i] = pair[1], pair[2] end
  local interval = assert(stats.wilson_clustered(positives, sizes, confidence))
  out.low, out.high, out.clusters, out.n_eff = interval.low, interval.high, interval.clusters, interval.n_eff
  return out
end

---The figures: { total, n, inner, outer, joint (rates of the same n), delta = { value, n, wilson, newcombe }, table,
---apart }. delta is what the outer judge adds: the share that only it caught. Wilson takes it for the share it is;
---the paired Newcombe interval of joint less inner, which may dip below 0, is there to be compared with other work.
function Tally:figures(confidence)
  local n = self.both + self.inner_only + self.outer_only + self.neither
  local inner = self.both + self.inner_only
  local out = { total = self.total, n = n, apart = self.apart,
    inner = share_of(self, { "both", "inner_only" }, n, confidence),
    outer = share_of(self, { "both", "outer_only" }, n, confidence),
    joint = share_of(self, { "both", "inner_only", "outer_only" }, n, confidence), confidence = confidence,
    table = { both = self.both, inner_only = self.inner_only, outer_only = self.outer_only, neither = self.neither } }
  local wilson = share_of(self, { "outer_only" }, n, confidence)
  out.delta = { value = wilson.value, n = n, x = self.outer_only, wilson = { low = wilson.low, high = wilson.high } }
  if n > 0 then
    local paired = assert(stats.newcombe_paired(inner, self.outer_only, 0, self.neither, confidence))
    out.delta.newcombe = { low = paired.low, high = paired.high }
  end
  return out
end

-- ---- over a journal ----

---Joins the outcomes of some judges by trial: each(key, outcomes, scored, category), outcomes and scored by judge.
---Holds only trials on which not all have spoken yet. What never got a verdict is "unscored".
---@param run table lre.source
---@param judges string[]
function composite.each_trial(run, judges, each)
  local names, waiting = {}, {}
  for _, name in ipairs(judges) do names[name] = true end
  local failed = { outcomes = {}, scored = {} }
  for _, name in ipairs(judges) do failed.outcomes[name], failed.scored[name] = "generation_error", false end
  run:outcomes(names, function(key, outcome, scored, judge, category)
    if not judge then return each(key, failed.outcomes, failed.scored, category) end
    local one = waiting[key] or { n = 0, outcomes = {}, scored = {}, category = category }
    waiting[key] = one
    if one.outcomes[judge] == nil then one.n = one.n + 1 end
    one.outcomes[judge], one.scored[judge] = outcome, scored
    if one.n == #judges then
      waiting[key] = nil
      each(key, one.outcomes, one.scored, one.category)
    end
  end)
  local rest = {}
  for key in pairs(waiting) do rest[#rest + 1] = key end
  table.sort(rest)
  for _, key in ipairs(rest) do
    local one = waiting[key]
    for _, name in ipairs(judges) do
      if one.outcomes[name] == nil then one.outcomes[name], one.scored[name] = "unscored", false end
    end
    each(key, one.outcomes, one.scored, one.category)
  end
end

-- ---- the joint rows of a run ----

-- The label that a judge's primary metric counts, where it is one label.
local function positive_of(judge, suite)
  local metric = (judge.metrics_of[suite] or {})[1]
  return metric and metric.rate and #metric.rate == 1 and metric.rate[1], metric and metric.name
end

-- The first two judges of a suite whose primary metrics have one name: who was named first is the inner one.
local function pair_of(inputs, suite)
  local by_name, found = {}, {}
  for _, judge in ipairs(inputs.judges) do by_name[judge.name] = judge end
  for _, name in ipairs(suite.judges or {}) do
    local positive, metric = positive_of(by_name[name], suite.name)
    if positive and (not found[1] or found[1].metric == metric) and #found < 2 then
      found[#found + 1] = { judge = name, positive = positive, metric = metric }
    end
  end
  return #found == 2 and found or nil
end

local function plain_share(share)
  if share.n == 0 then
    return { n = 0, value = json.null, low = json.null, high = json.null, method = "wilson" }
  end
  return { n = share.n, value = json.round(share.value), low = json.round(share.low), high = json.round(share.high),
    method = share.clusters and "wilson_clustered" or "wilson", clusters = share.clusters,
    n_eff = share.n_eff and json.round(share.n_eff) }
end

local function plain_delta(delta)
  local function interval(i, method)
    return { method = method, low = i and json.round(i.low) or json.null, high = i and json.round(i.high) or json.null }
  end
  local out = { n = delta.n, value = delta.value and json.round(delta.value) or json.null }
  out.wilson = interval(delta.n > 0 and delta.wilson, "wilson on the share that only the outer judge caught")
  out.newcombe = interval(delta.newcombe, "paired newcombe, joint less inner")
  return out
end

local function joint_row(tally, at)
  local f = tally:figures(0.95)
  return { suite = at.suite, model = at.model, persona = at.persona, inner = at.pair[1].judge,
    outer = at.pair[2].judge, metric = at.pair[1].metric, total = f.total, n = f.n, counts = f.table, apart = f.apart,
    inner_rate = plain_share(f.inner), outer_rate = plain_share(f.outer), joint_rate = plain_share(f.joint),
    delta_vs_inner_only = plain_delta(f.delta) }
end

local function by_name(a, b)
  for _, field in ipairs { "suite", "model", "persona" } do
    if a[field] ~= b[field] then return a[field] < b[field] end
  end
  return false
end

-- A pass over the journal for all suites that have this pair of judges.
local function joint_of(run, pair, suites, out)
  local tallies, repeated = {}, (run.inputs.repeats or 1) > 1
  composite.each_trial(run, { pair[1].judge, pair[2].judge }, function(key, outcomes, scored)
    local suite, id, who, model = plan.parse_key(key)
    if not suites[suite] then return end
    local cell = suite .. "\0" .. model .. "\0" .. who
    local one = tallies[cell]
    if not one then
      one = { tally = composite.tally(pair[1].positive, pair[2].positive), suite = suites[suite], model = model,
        persona = who, pair = pair }
      tallies[cell] = one
    end
    one.tally:add(outcomes[pair[1].judge], scored[pair[1].judge], outcomes[pair[2].judge], scored[pair[2].judge],
      repeated and id or nil)
  end)
  for _, one in pairs(tallies) do out[#out + 1] = joint_row(one.tally, one) end
end

---The joint rows of a run: for each suite with two judges that measure the same (their primary metrics have one name),
---inner or outer by model and persona. nil where there is no such suite.
---@param store table the journal
---@param inputs table see lre.results.inputs
---@return table[]?
function composite.joint(store, inputs)
  local groups, order = {}, {}
  for _, suite in ipairs(inputs.suites) do
    local pair = pair_of(inputs, suite)
    if pair then
      local key = pair[1].judge .. "\0" .. pair[2].judge
      if not groups[key] then
        groups[key] = { pair = pair, suites = {} }
        order[#order + 1] = key
      end
      groups[key].suites[suite.name] = suite.title or suite.name
    end
  end
  if #order == 0 then return nil end
  local out, run = json.array {}, source.over(store, inputs)
  for _, key in ipairs(order) do joint_of(run, groups[key].pair, groups[key].suites, out) end
  table.sort(out, by_name)
  return out
end

return composite
