-- source: what compare, report, kappa and did read: the folder of a run, or a results.json. Reads only: takes no lock,
-- writes nothing.
local aggregate = require "lre.aggregate"
local fs = require "lre.fs"
local journal = require "lre.journal"
local json = require "lre.json"
local log = require "lre.log"
local plan = require "lre.plan"
local recorded = require "lre.recorded"
local results = require "lre.results"
local rundir = require "lre.rundir"
local shape = require "lre.shape"
local turns = require "lre.turns"

local source = {}
local Source = {}
Source.__index = Source

local SCHEMA = 1
local MAX_BYTES = 1 << 30

-- ---- files ----

local function read_json(path)
  local text, err = fs.read(path, MAX_BYTES)
  if not text then shape.fail(("%s: %s"):format(path, tostring(err)), 4) end
  local data, bad = json.decode(text, { max_bytes = MAX_BYTES })
  if data == nil then shape.fail(("%s: %s"):format(path, tostring(bad))) end
  return data
end

-- A list at the top is how the first seed wrote its results.
local function check_version(data, path)
  if json.is_array(data) then
    shape.fail(("%s: expected results of this tool (an object with schema, inputs and rows), got a list; `lre import` "
      .. "reads results of the first seed"):format(path))
  elseif type(data) ~= "table" or data.schema ~= SCHEMA then
    local got = type(data) == "table" and shape.show(data.schema) or shape.show(data)
    shape.fail(("%s: schema: expected %d, got %s: the file comes from another version or is no results file"):format(
      path, SCHEMA, got))
  end
end

local function read_results(path)
  local data = read_json(path)
  check_version(data, path)
  return recorded.results(data, path)
end

-- ---- the folder of a run ----

-- Each damaged line is told of once, however many passes there are.
local function warn(path)
  local furthest = 0
  return function(number, err)
    if number <= furthest then return end
    furthest = number
    log.warning(("%s:%d: left out: %s"):format(path, number, tostring(err)))
  end
end

-- A run's journal as aggregate wants it, without the lock that a run in progress has.
local function store_of(path)
  local problem = warn(path)
  local stat = fs.stat(path)
  -- `lines` only says how large a set will be, and it grows: a journal's line has about 500 bytes.
  return { journal_path = path, lines = stat.size // 500 + 16, counted = {}, scan = function(_, fields, told)
    local pull, err = journal.scan(path, fields, true)
    if not pull then shape.fail(tostring(err), 4) end
    return function()
      while true do
        local row, number, wrong = pull()
        if row or not number then return row, number end
        if told ~= false then problem(number, wrong) end
      end
    end
  end }
end

-- A run's own copies of its samples.
local function samples_of(folder, info)
  return function(suite)
    for _, entry in ipairs(info.files or {}) do
      if entry.kind == "samples" and entry.name == suite.name then
        return rundir.samples_in(folder .. "/" .. entry.file)
      end
    end
    shape.fail(("%s: the samples of suite %s are not in the run"):format(folder, suite.name))
  end
end

local function open_folder(folder, without_results)
  folder = folder:gsub("(.)/+$", "%1")
  local described, journal_path = folder .. "/run.json", folder .. "/partials.jsonl"
  if not fs.stat(described) or not fs.stat(journal_path) then
    shape.fail(("%s: expected the folder of a run (with run.json and partials.jsonl)"):format(folder))
  end
  local info = read_json(described)
  if type(info) ~= "table" or info.schema ~= SCHEMA or type(info.inputs) ~= "table" then
    shape.fail(("%s: schema: expected %d, got %s: the run comes from another version"):format(described, SCHEMA,
      shape.show(type(info) == "table" and info.schema)))
  end
  recorded.run(info, described)
  local store = store_of(journal_path)
  return setmetatable({ path = folder, store = store, info = info, inputs = info.inputs,
    samples = samples_of(folder, info),
    results = not without_results and results.of(store, info.inputs, samples_of(folder, info)) or nil }, Source)
end

---Opens the folder of a run (its figures are made from the journal anew) or a results.json. Raises { exit = 3 | 4 }.
---@param path string
---@param without_results boolean? of a folder: its figures are not made
---@return table source { path, results, inputs, store? }: store only where there is a journal
function source.open(path, without_results)
  local stat = fs.stat(path)
  if not stat then
    shape.fail(("%s: no such file or folder; expected the folder of a run or a results.json"):format(path), 4)
  end
  if stat.type == "folder" and not fs.stat(path .. "/run.json") and fs.stat(path .. "/results.json") then
    path = path .. "/results.json" -- imported
  elseif stat.type == "folder" then
    return open_folder(path, without_results)
  end
  local data = read_results(path)
  return setmetatable({ path = path, results = data, inputs = data.inputs }, Source)
end

---The journal of a run that is in hand.
---@param store table
---@param inputs table see lre.results.inputs
function source.over(store, inputs)
  return setmetatable({ path = store.path or "memory", store = store, inputs = inputs }, Source)
end

-- ---- trials ----

---What a verdict came to: its label, or why there is none.
---@return string outcome a label where `scored`, else "undecided", "unscored", "filtered", "judge_error"
---@return boolean scored
function source.outcome(state, label, code)
  if state == "scored" then return label or "scored", true end
  if state == "undecided" then return "undecided", false end
  if state == "error" then return "judge_error", false end
  return code == "filtered" and "filtered" or "unscored", false
end

local FIELDS = { "type", "key", "judge", "judge_hash", "n", "response_hash", "state", "label", "reason.code",
  "category", "response.error.kind" }

---Calls each(row, number) with the counting rows of the journal: what FIELDS names.
local function scan(self, fields, each)
  self.successors = self.successors or aggregate.successors(self.inputs)
  self.counts = self.counts or aggregate.counting(self.store, self.successors)
  for row, number in self.store:scan(fields) do
    row.judge_hash = self.successors[row.judge_hash] or row.judge_hash
    if self.counts(row, number) and not turns.is_unfinished(row["response.error.kind"]) then each(row, number) end
  end
end

-- A journal may hold verdicts of an older version of a judge: those under the hash of the inputs are meant.
local function hashes_of(self)
  local out = {}
  for _, judge in ipairs(self.inputs.judges) do out[judge.name] = judge.hash end
  return out
end

---Streams the counting verdicts of some judges and the failed trials: each(key, outcome, scored, judge, category);
---judge is nil for a trial without an answer.
---@param names table<string, boolean>
function Source:outcomes(names, each)
  local hashes = hashes_of(self)
  scan(self, FIELDS, function(row)
    if row.type == "trial" then
      if row["response.error.kind"] then each(row.key, "generation_error", false, nil, row.category or nil) end
    elseif names[row.judge] and row.judge_hash == hashes[row.judge] then
      local outcome, scored = source.outcome(row.state, row.label, row["reason.code"])
      each(row.key, outcome, scored, row.judge, row.category or nil)
    end
  end)
end

---Streams the counting trials: each(key, category, failed). What is no key is told, and left out.
---@param each fun(key: string, category: string?, failed: boolean)
function Source:trials_of(each)
  scan(self, FIELDS, function(row)
    if row.type ~= "trial" then return end
    if not plan.parse_key(row.key) then
      return log.warning(("%s: left out: not a key: %s"):format(self.path, shape.quote(row.key)))
    end
    each(row.key, row.category or nil, row["response.error.kind"] and true or false)
  end)
end

---The trials of a run under one judge by their number: { key = { value?, category?, cluster? } }, `value` nil where
---there is none. Holds them all.
---@param judge string
---@param path string where a verdict has the number
---@param wanted fun(key: string): boolean only these
function Source:numbers(judge, path, wanted)
  local out, hash = {}, hashes_of(self)[judge]
  scan(self, { path, "cluster", table.unpack(FIELDS) }, function(row)
    local trial = out[row.key]
    if not trial then
      if not plan.parse_key(row.key) or not wanted(row.key) then return end
      trial = {}
      out[row.key] = trial
    end
    trial.category, trial.cluster = row.category or trial.category, row.cluster or trial.cluster
    if row.type == "verdict" and row.judge == judge and row.judge_hash == hash then
      trial.value = row.state == "scored" and type(row[path]) == "number" and row[path] or nil
    end
  end)
  return out
end

---The trials of a run under one judge: a list of { key, category, outcome, scored } sorted by key; see
---lre.plan.parse_key. One that was answered but not judged is unscored. Holds them all.
---@param judge string
---@param wanted? fun(key: string): boolean only these
---@return table[]
function Source:trials(judge, wanted)
  local by_key, list, hash = {}, {}, hashes_of(self)[judge]
  scan(self, FIELDS, function(row)
    local trial = by_key[row.key]
    if not trial then
      if not plan.parse_key(row.key) then
        return log.warning(("%s: left out: not a key: %s"):format(self.path, shape.quote(row.key)))
      end
      if wanted and not wanted(row.key) then return end
      trial = { key = row.key, outcome = "unscored", scored = false }
      by_key[row.key], list[#list + 1] = trial, trial
    end
    trial.category = row.category or trial.category
    if row.type == "trial" then
      if row["response.error.kind"] then trial.outcome = "generation_error" end
    elseif row.judge == judge and row.judge_hash == hash then
      trial.outcome, trial.scored = source.outcome(row.state, row.label, row["reason.code"])
    end
  end)
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

---The names of the judges that gave rows, in the order of the inputs.
---@return string[]
function Source:judges()
  local there, out = {}, {}
  for _, row in ipairs(self.results.rows) do there[row.judge] = true end
  for _, judge in ipairs(self.inputs.judges) do
    if there[judge.name] then out[#out + 1] = judge.name end
  end
  return out
end

---The labels that a judge may give; nil where the inputs do not say.
function Source:labels(name)
  for _, judge in ipairs(self.inputs.judges) do
    if judge.name == name then return judge.labels end
  end
end

return source
