-- did: defence in depth. What a second judge (the outer) adds to a first (the inner) on the same answers: from a run
-- that both judged, or from a file of answers that both judge now.
local agreement = require "lre.agreement"
local answers = require "lre.answers"
local composite = require "lre.composite"
local json = require "lre.json"
local plan = require "lre.plan"
local report = require "lre.report"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local validate = require "lre.validate"

local did = {}

-- ---- a run ----

local function check_judges(run, names)
  local there, known = {}, run:judges()
  for _, name in ipairs(known) do there[name] = true end
  for _, name in ipairs(names) do
    if not there[name] then
      shape.fail(("%s: no verdicts of judge %s.%s It has %s; `lre judge --in %s --judge NAME` adds others"):format(
        run.path, shape.quote(name), suggest.sentence(name, known), #known > 0 and table.concat(known, ", ") or "none",
        run.path))
    end
  end
end

-- What a run's judge counts as positive.
local function run_positive(run, name, wanted)
  local labels = run:labels(name) or {}
  local metrics
  for _, judge in ipairs(run.inputs.judges) do
    if judge.name == name then metrics = select(2, next(judge.metrics_of or {})) end
  end
  return validate.positive({ name = name, labels = labels, metrics = metrics and { { rate = metrics[1].rate[1] } } },
    wanted)
end

---Figures and rows of a run that both judges have judged.
---@param run table lre.source with a journal
---@param inner string
---@param outer string
---@param opt { positive: string?, confidence: number }
function did.of_run(run, inner, outer, opt)
  if not run.store then
    shape.fail(("%s: a results file has no single trials; give the run's folder or a file of answers"):format(run.path))
  end
  check_judges(run, { inner, outer })
  local tally = composite.tally(run_positive(run, inner, opt.positive), run_positive(run, outer, opt.positive))
  local rows = json.array {}
  local several = (run.inputs.repeats or 1) > 1 or #run.inputs.personas > 1
  composite.each_trial(run, { inner, outer }, function(key, outcomes, scored)
    local suite, id = plan.parse_key(key)
    local sample = several and suite and suite .. "/" .. id or nil
    local joint = tally:add(outcomes[inner], scored[inner], outcomes[outer], scored[outer], sample)
    rows[#rows + 1] = { key = key, inner = outcomes[inner], outer = outcomes[outer], joint = joint }
  end)
  table.sort(rows, function(a, b) return a.key < b.key end)
  return { of = run.path, inner = inner, outer = outer, figures = tally:figures(opt.confidence), rows = rows }
end

-- ---- a file ----

---Figures and rows of a file of answers, judged now.
---@param path string
---@param inner table lre.Judge
---@param outer table lre.Judge
function did.of_file(path, inner, outer, opt)
  local list = answers.read(path)
  local first, second = answers.judge(inner, list), answers.judge(outer, list)
  local tally = composite.tally(validate.positive(inner, opt.positive), validate.positive(outer, opt.positive))
  local rows = json.array {}
  for i, one in ipairs(list) do
    local x, x_scored = answers.outcome(first[i])
    local y, y_scored = answers.outcome(second[i])
    local joint = tally:add(x, x_scored, y, y_scored)
    rows[i] = { id = one.id, model = one.parts.model, inner = x, outer = y, joint = joint }
  end
  return { of = path, inner = inner.name, outer = outer.name, figures = tally:figures(opt.confidence), rows = rows }
end

-- ---- majorities ----

-- Each judge votes yes (its positive label), no (any other label) or not at all. `word` says what a trial is called.
local Poll = {}
Poll.__index = Poll

local function new_poll(names, positive, opt)
  return setmetatable({ names = names, positive = positive, tie = opt.tie, rows = json.array {}, yes = 0, n = 0,
    ties = 0, apart = {}, votes = {}, cast = {} }, Poll)
end

local function count(t, name)
  t[name] = (t[name] or 0) + 1
end

function Poll:add(row, outcomes, scored)
  local verdicts = {}
  for i, name in ipairs(self.names) do
    local yes = scored[i] and outcomes[i] == self.positive[i]
    verdicts[i] = scored[i] and { state = "scored", label = yes and "yes" or "no" } or { state = outcomes[i] }
    if scored[i] then count(self.cast, name) end
    if yes then count(self.votes, name) end
  end
  local verdict = composite.majority(verdicts, { tie = self.tie })
  if verdict.evidence.tie then self.ties = self.ties + 1 end
  if verdict.state == "scored" then
    self.n, self.yes = self.n + 1, self.yes + (verdict.label == "yes" and 1 or 0)
  else
    count(self.apart, outcomes[1] == "generation_error" and "no answer (generation error)"
      or verdict.state == "undecided" and "a tie" or "no judge gave a label")
  end
  row.votes, row.majority, row.tie = json.array(outcomes), verdict.label, verdict.evidence.tie and true or nil
  self.rows[#self.rows + 1] = row
end

function Poll:result(of, confidence)
  local each = json.array {}
  for i, name in ipairs(self.names) do
    each[i] = { judge = name, positive = self.positive[i],
      rate = agreement.share(self.votes[name] or 0, self.cast[name] or 0, confidence) }
  end
  return { of = of, rows = self.rows, figures = { total = #self.rows, n = self.n, ties = self.ties, tie = self.tie,
    apart = self.apart, judges = each, rate = agreement.share(self.yes, self.n, confidence),
    confidence = confidence } }
end

---What most of the judges of a run say: { of, figures, rows }. opt: positive, confidence, tie ("undecided", "yes",
---"no").
---@param run table lre.source with a journal
---@param names string[]
function did.majority_of_run(run, names, opt)
  if not run.store then
    shape.fail(("%s: a results file has no single trials; give the run's folder or a file of answers"):format(run.path))
  end
  check_judges(run, names)
  local positive = {}
  for i, name in ipairs(names) do positive[i] = run_positive(run, name, opt.positive) end
  local poll = new_poll(names, positive, opt)
  composite.each_trial(run, names, function(key, outcomes, scored)
    local said, given = {}, {}
    for i, name in ipairs(names) do said[i], given[i] = outcomes[name], scored[name] end
    poll:add({ key = key }, said, given)
  end)
  table.sort(poll.rows, function(a, b) return a.key < b.key end)
  return poll:result(run.path, opt.confidence)
end

---The same of a file of answers, which the judges judge now.
---@param path string
---@param judges lre.Judge[]
function did.majority_of_file(path, judges, opt)
  local list, names, positive, verdicts = answers.read(path), {}, {}, {}
  for i, judge in ipairs(judges) do
    names[i], positive[i] = judge.name, validate.positive(judge, opt.positive)
    verdicts[i] = answers.judge(judge, list)
  end
  local poll = new_poll(names, positive, opt)
  for k, one in ipairs(list) do
    local said, given = {}, {}
    for i in ipairs(judges) do said[i], given[i] = answers.outcome(verdicts[i][k]) end
    poll:add({ id = one.id, model = one.parts.model }, said, given)
  end
  return poll:result(path, opt.confidence)
end

-- ---- text ----

local TIES = { undecided = "undecided", yes = "counted as the positive label", no = "counted as another label" }

---A majority as Markdown.
---@return string
function did.majority_text(out)
  local f, rows, lines = out.figures, {}, {}
  for i, one in ipairs(f.judges) do
    rows[i] = { ("%s: %s"):format(one.judge, one.positive), agreement.share_text(one.rate) }
  end
  rows[#rows + 1] = { ("majority of %d"):format(#f.judges), agreement.share_text(f.rate) }
  for _, what in ipairs(shape.keys(f.apart)) do
    lines[#lines + 1] = ("- left out: %d, %s\n"):format(f.apart[what], what)
  end
  return table.concat {
    ("# Majority: %s\n\n"):format(report.plain(out.of)),
    ("%d answers; %d with a majority, which its rate is of; a judge's own rate is of the answers that it labelled.\n\n")
      :format(f.total, f.n),
    report.table({ "Judge", ("Rate [%g%% Wilson CI] (n)"):format(f.confidence * 100) }, rows),
    "\nA majority is more than half of the votes cast: undecided and unscored judges cast none. ",
    ("A tie is %s (--tie %s): %d.\n"):format(TIES[f.tie], f.tie, f.ties),
    #lines > 0 and "\n" .. table.concat(lines) or "",
  }
end

---A majority as JSON, a line a trial.
---@return string
function did.majority_json(out)
  local lines = {}
  for i, row in ipairs(out.rows) do
    row.majority = row.majority or json.null
    lines[i] = "    " .. assert(json.encode(row))
  end
  local head = assert(json.encode(agreement.rounded(out.figures), 2)):gsub("\n$", ""):gsub("\n", "\n  ")
  return ('{\n  "per_trial": [\n%s\n  ],\n  "summary": %s\n}\n'):format(table.concat(lines, ",\n"), head)
end

local function delta_lines(f)
  local d = f.delta
  if d.n == 0 then return "Added by the outer judge: no data.\n" end
  return ("Added by the outer judge: %+.4f (%d/%d)\n- Wilson, on the share that only it caught: [%+.4f, %+.4f]\n"
    .. "- paired Newcombe, joint less inner: [%+.4f, %+.4f]\n"):format(d.value, d.x, d.n, d.wilson.low, d.wilson.high,
    d.newcombe.low, d.newcombe.high)
end

local function apart_lines(f)
  local lines = {}
  for _, what in ipairs(shape.keys(f.apart)) do
    lines[#lines + 1] = ("- left out: %d, %s\n"):format(f.apart[what],
      what == "generation_error" and "no answer (generation error)" or report.plain(what) .. " (inner / outer)")
  end
  return #lines > 0 and "\n" .. table.concat(lines) or ""
end

---As Markdown.
---@return string
function did.text(out)
  local f = out.figures
  local rows = { { "inner: " .. out.inner, agreement.share_text(f.inner) },
    { "outer: " .. out.outer, agreement.share_text(f.outer) },
    { "joint: inner or outer", agreement.share_text(f.joint) } }
  local t, head = f.table, { "Judge", ("Rate [%g%% Wilson CI] (n)"):format(f.confidence * 100) }
  return table.concat {
    ("# Defence in depth: %s\n\n"):format(report.plain(out.of)),
    ("%d answers; %d with a label from both judges, which the rates are of.\n\n"):format(f.total, f.n),
    report.table(head, rows), "\n", delta_lines(f),
    ("\nBoth %d, inner only %d, outer only %d, neither %d.\n"):format(t.both, t.inner_only, t.outer_only, t.neither),
    out.inner == out.outer and "\nInner and outer are the same judge.\n" or "", apart_lines(f),
  }
end

-- A trial that is not in the rates has joint null.
local function plain_row(row)
  local out = { inner = row.inner, outer = row.outer, joint = json.null }
  if row.joint ~= nil then out.joint = row.joint end
  for _, name in ipairs { "key", "id", "model" } do out[name] = row[name] end
  return out
end

---As JSON: { summary } and a line a trial: each element of per_trial is on a line of its own.
---@return string
function did.json(out)
  local summary = agreement.rounded(out.figures)
  summary.inner_judge, summary.outer_judge = out.inner, out.outer
  local lines = {}
  for i, row in ipairs(out.rows) do lines[i] = "    " .. assert(json.encode(plain_row(row))) end
  local head = assert(json.encode(summary, 2)):gsub("\n$", ""):gsub("\n", "\n  ")
  return ('{\n  "per_trial": [\n%s\n  ],\n  "summary": %s\n}\n'):format(table.concat(lines, ",\n"), head)
end

return did
