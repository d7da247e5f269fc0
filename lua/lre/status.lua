-- status: how a run stands, told from its folder by anyone who can read it, while it goes on or after: `lre status
-- RUN`.
local fs = require "lre.fs"
local journal = require "lre.journal"
local json = require "lre.json"
local recorded = require "lre.recorded"
local rundir = require "lre.rundir"
local set = require "lre.set"

local status = {}

local function fail(message, ...)
  error({ exit = 3, message = message:format(...) }, 0)
end

local function read_json(path)
  if not fs.stat(path) then return nil end
  local data = json.decode((fs.read(path)) or "", { max_bytes = 1 << 30 })
  return type(data) == "table" and data or nil
end

-- {} where there is none yet.
local function read_description(path)
  local description = read_json(path) or {}
  local damage = recorded.damage(description, path)
  if damage then fail("%s", damage) end
  return description
end

local FIELDS = { "type", "key", "judge", "judge_hash", "n", "response_hash", "state", "suite", "model", "persona",
  "response.error.code", "response.error.message" }

local MAX_SHOWN = 5

local function count_verdict(self, row)
  local states = self.verdicts[row.judge] or {}
  self.verdicts[row.judge] = states
  states[row.state] = (states[row.state] or 0) + 1
  if self.judged:add(row.judge .. "\n" .. row.key) then
    self.by_judge[row.judge] = (self.by_judge[row.judge] or 0) + 1
  end
end

local function count_trial(self, row)
  local code, good = row["response.error.code"], self.good
  if not code and good:add(row.key) then
    self.answered = self.answered + 1
    self.by_suite[row.suite] = (self.by_suite[row.suite] or 0) + 1
  end
  if code then
    self.failures = self.failures + 1
    self.by_code[code] = (self.by_code[code] or 0) + 1
    if #self.first < MAX_SHOWN then
      self.first[#self.first + 1] = { key = row.key, code = code, message = row["response.error.message"] or nil }
    end
  end
end

-- What the journal tells. A line that is being written is no line yet.
local function read_journal(path)
  local self = { good = set.new(1024), answered = 0, failures = 0, verdicts = {}, by_code = {}, first = json.array {},
    unreadable = 0, by_suite = {}, by_judge = {}, judged = set.new(1024) }
  for row in rundir.rows(path, FIELDS, function() self.unreadable = self.unreadable + 1 end) do
    if row.type == "trial" then count_trial(self, row) end
    if row.type == "verdict" then count_verdict(self, row) end
  end
  self.good, self.judged = nil, nil
  return self
end

-- Answers that a judge of their suite has not spoken on: a budget may have ended the run before.
local function lacking(counted, description)
  local wanted, n = {}, 0
  for _, suite in ipairs(description.inputs and description.inputs.suites or {}) do
    for _, judge in ipairs(suite.judges or {}) do
      wanted[judge] = (wanted[judge] or 0) + (counted.by_suite[suite.name] or 0)
    end
  end
  for judge, answers in pairs(wanted) do n = n + math.max(0, answers - (counted.by_judge[judge] or 0)) end
  counted.by_suite, counted.by_judge = nil, nil
  return n
end

-- Suites' sizes times what they are crossed with; nil where an old run.json does not say.
local function planned(description)
  local plan, n = description.plan or {}, 0
  for _, entry in ipairs(description.inputs and description.inputs.suites or {}) do
    if math.type(entry.count) ~= "integer" then return nil end
    n = n + entry.count
  end
  return n > 0 and n * #(plan.personas or {}) * #(plan.models or {}) * (plan.repeats or 1) or nil
end

---How a run stands: { path, state ("running", "finished", "stopped"), holder (the process's id, where it can be told),
---planned, answered, lacking (verdicts on answers), failures (rows), by_code, first (errors), verdicts (by judge
---and state), live (what the process itself says, at most a few seconds old; see lre.progress), budget }.
---@param path string a run's folder
function status.of(path)
  path = path:gsub("/+$", "")
  local journal_path = path .. "/partials.jsonl"
  if not fs.stat(journal_path) then fail("%s: is no run (it has no partials.jsonl)", path) end
  local description = read_description(path .. "/run.json")
  local out = read_journal(journal_path)
  local locked, holder = journal.holder(journal_path)
  out.path, out.planned, out.holder = path, planned(description), holder
  out.started_at = description.started_at
  out.live = locked and read_json(path .. "/status.json") or nil
  out.budget = read_json(path .. "/budget.json")
  out.lacking = lacking(out, description)
  local finished = fs.stat(path .. "/results.json") and (not out.planned or out.answered >= out.planned)
    and out.lacking == 0
  out.state = locked and "running" or finished and "finished" or "stopped"
  return out
end

-- ---- as text ----

local function sorted_pairs(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  local i = 0
  return function()
    i = i + 1
    return names[i], t[names[i]]
  end
end

local function counts_text(t)
  local parts = {}
  for name, n in sorted_pairs(t) do parts[#parts + 1] = ("%d %s"):format(n, name) end
  return table.concat(parts, ", ")
end

local SAID = { running = "running", finished = "finished", stopped = "stopped: the same command and --run-id go on" }

---The same for a person.
function status.text(out)
  local held = out.holder and (" (process %d)"):format(out.holder) or ""
  local lines = { ("run      %s"):format(out.path), ("state    %s%s"):format(SAID[out.state], held),
    ("trials   %d of %s answered; %d errors in the journal%s"):format(out.answered,
      out.planned and ("%d"):format(out.planned) or "?", out.failures,
      out.failures > 0 and ": " .. counts_text(out.by_code) or "") }
  if out.unreadable > 0 then
    lines[#lines + 1] = ("journal  %d lines cannot be read; `lre verify` names them"):format(out.unreadable)
  end
  for judge, states in sorted_pairs(out.verdicts) do
    lines[#lines + 1] = ("verdicts %s: %s"):format(judge, counts_text(states))
  end
  if out.lacking > 0 then lines[#lines + 1] = ("verdicts lacking: %d"):format(out.lacking) end
  for _, one in ipairs(out.first) do
    lines[#lines + 1] = ("error    %s: %s"):format(one.key, one.message or one.code)
  end
  if out.live then
    lines[#lines + 1] = ("now      %s (%s)"):format(require("lre.progress").words(out.live), out.live.at)
  end
  if out.budget then
    lines[#lines + 1] = ("budget   at most %d requests, %d tokens, $%.4f are gone"):format(out.budget.requests,
      out.budget.tokens, out.budget.usd)
  end
  return table.concat(lines, "\n") .. "\n"
end

return status
