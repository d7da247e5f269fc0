-- rejudge: judges the answers of a run again. Nothing is asked of the models that were judged; older verdicts stay in
-- the journal, and the derived files are made from all of it.
local catalog = require "lre.catalog"
local clock = require "lre.clock"
local finals = require "lre.finals"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local log = require "lre.log"
local plan = require "lre.plan"
local results = require "lre.results"
local run = require "lre.run"
local rundir = require "lre.rundir"

local rejudge = {}

-- Of a suite that names none.
local DEFAULT = { "refusal" }

local function fail(exit, message, ...)
  error({ exit = exit, message = message:format(...) }, 0)
end

---Is this the folder of a run?
function rejudge.is_run(path)
  local stat = fs.stat(path)
  return stat ~= nil and stat.type == "folder"
end

local function open(path)
  path = path:gsub("(.)/+$", "%1")
  if not fs.stat(path .. "/run.json") or not fs.stat(path .. "/partials.jsonl") then
    fail(3, "%s: expected the folder of a run (with run.json and partials.jsonl)", path)
  end
  local parent, id = path:match "^(.*)/([^/]+)$"
  local dir = rundir.open(parent == "" and "/" or parent or ".", id or path)
  if not dir.old or not dir.old.inputs or not dir.old.files then
    fail(3, "%s; `lre run` with the run's flags and --run-id writes it anew",
      dir.lost or path .. "/run.json: it does not say what was run")
  end
  return dir
end

---The run's own copy of a file; nil where it has none. dir: { path, old = its run.json }.
function rejudge.file_of(dir, kind, name)
  for _, entry in ipairs(dir.old.files) do
    if entry.kind == kind and entry.name == name then return dir.path .. "/" .. entry.file end
  end
end

-- What a persona said, from the run's own copy.
local function persona_of(dir, entry)
  local path = rejudge.file_of(dir, "persona", entry.name)
  local found = { name = entry.name }
  if path and path:find "%.json$" then
    found.system = json.decode(assert(fs.read(path))).system
  elseif path then
    found.system = catalog.load(path, "persona").system
  end
  if hash.sha256(json.encode { system = found.system or json.null }) ~= entry.hash then
    fail(3, "%s: the text of persona %s is not in the run", dir.path, entry.name)
  end
  return found
end

local function map(list, fn)
  local out = json.array {}
  for i, item in ipairs(list) do out[i] = fn(item) end
  return out
end

-- All of them, or those that the suite names itself where nobody named judges.
local function judges_of(suite, judges)
  if not judges.by_default then return judges end
  local wanted = {}
  for _, spec in ipairs(suite.default_judges or DEFAULT) do wanted[spec] = true end
  local out = {}
  for _, judge in ipairs(judges) do out[#out + 1] = wanted[judges.by_default[judge]] and judge or nil end
  return out
end

---The judges that the suites of a run name themselves: for who names none. Raises { exit = 3 }.
---@param path string
---@return string[]
function rejudge.default_judges(path)
  local text = fs.read(path .. "/run.json", 1 << 30)
  local info = text and json.decode(text, { max_bytes = 1 << 30 })
  local out, seen = {}, {}
  for _, suite in ipairs(type(info) == "table" and info.inputs and info.inputs.suites or {}) do
    for _, spec in ipairs(suite.default_judges or DEFAULT) do
      if not seen[spec] then out[#out + 1] = spec end
      seen[spec] = true
    end
  end
  return #out > 0 and out or DEFAULT
end

---The newest run in a folder of runs: the last that was begun. Raises { exit = 3 } where there is none.
---@param parent string
---@return string
function rejudge.newest(parent)
  local newest, at
  for _, name in ipairs(fs.stat(parent) and fs.list(parent) or {}) do
    local text = fs.read(("%s/%s/run.json"):format(parent, name), 1 << 30)
    local info = text and json.decode(text, { max_bytes = 1 << 30 })
    local begun = type(info) == "table" and type(info.started_at) == "string" and info.started_at .. "\0" .. name
    if begun and (not at or begun > at) then newest, at = name, begun end
  end
  if not newest then
    fail(3, "%s: there is no run in it; name one with --in RUN (or the folder of runs with --run-dir)", parent)
  end
  return parent .. "/" .. newest
end

---Enough of the plan to find each answer's messages.
function rejudge.plan_of(dir, judges)
  local old = dir.old
  return plan.stored {
    suites = map(old.inputs.suites, function(suite)
      return { name = suite.name, suite = suite, judges = judges_of(suite, judges) }
    end),
    personas = map(old.plan.personas, function(entry) return persona_of(dir, entry) end),
    models = map(old.inputs.models, function(model) return { label = model.label } end),
    repeats = old.plan.repeats, judges = judges,
  }
end

local function shallow(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

-- The run's inputs with the new judges, and with those that it had.
local function inputs_of(dir, the_plan)
  local inputs = shallow(dir.old.inputs)
  inputs.judges = map(the_plan.judges, function(judge) return results.judge_inputs(judge, the_plan.suites) end)
  inputs.suites = map(inputs.suites, function(suite)
    local copy = shallow(suite)
    copy.judges = map(judges_of(suite, the_plan.judges), function(judge) return judge.name end)
    return copy
  end)
  return results.with_judges_of(dir.old, inputs)
end

local function keep_judges(dir, judges)
  local files, there = dir.old.files, {}
  for _, entry in ipairs(files) do there[entry.sha256] = true end
  local function keep(kind, name, chunk, source)
    local copy = dir:keep(source, name .. ".lua")
    if there[copy.sha256] then return end
    files[#files + 1] = { kind = kind, name = name, path = chunk, sha256 = copy.sha256, file = copy.file }
    there[copy.sha256] = true
  end
  for _, judge in ipairs(judges) do
    keep("judge", judge.name, judge.chunk.name, judge.chunk.source)
    for name, module in pairs(judge.chunk.modules) do keep("module", name, module.chunk, module.source) end
  end
end

-- run.json tells who judged, before anything is sent.
local function describe(dir, inputs, judges)
  local info = dir.old
  info.inputs = inputs
  info.judged = info.judged or json.array {}
  table.insert(info.judged, { at = clock.iso(nil, false), judges = map(judges, function(judge)
    return { name = judge.name, hash = judge.hash, options = judge.options,
      asks = judge.kind == "model" and judge:inputs() or nil }
  end) })
  dir:write("run.json", assert(json.encode(info, 2)))
end

---Gives the verdicts of `judges` (with `by_default`, judge -> spec, each on the suites that name it) on the
---answers of the run in the folder `path`. Returns { results, given, failed, interrupted, path }.
function rejudge.run(path, judges)
  local dir = open(path)
  local ok, err = log.open(dir.path .. "/run.log")
  if not ok then fail(4, "%s", err) end
  for _, judge in ipairs(judges) do
    if judge.kind == "model" then judge:check_impartial(dir.old.inputs.models) end
  end
  local the_plan = rejudge.plan_of(dir, judges)
  local inputs = inputs_of(dir, the_plan)
  keep_judges(dir, judges)
  describe(dir, inputs, judges)
  local function samples(entry)
    local kept = rejudge.file_of(dir, "samples", entry.name)
    if not kept then fail(3, "%s: the samples of suite %s are not in the run", dir.path, entry.name) end
    return dir:samples(kept:sub(#dir.path + 2))
  end
  local judged = run.judge(the_plan, dir, samples)
  local data = results.of(dir, inputs, samples, nil, function(number, problem)
    log.warning(("%s:%d: left out: %s"):format(dir.journal_path, number, tostring(problem)))
  end)
  finals.write(dir, data)
  dir:close()
  log.close()
  return { results = data, given = judged.given, failed = judged.failed, interrupted = judged.interrupted,
    path = dir.path }
end

return rejudge
