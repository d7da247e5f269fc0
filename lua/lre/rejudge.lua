-- rejudge: judges the answers of a run again. Nothing is asked of the models that were judged; older verdicts stay in
-- the journal, and the derived files are made from all of it.
local aggregate = require "lre.aggregate"
local budget = require "lre.budget"
local catalog = require "lre.catalog"
local clock = require "lre.clock"
local defaults = require "lre.defaults"
local finals = require "lre.finals"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local judges_by_name = require "lre.judge"
local judge_model = require "lre.judge_model"
local log = require "lre.log"
local persona = require "lre.persona"
local plan = require "lre.plan"
local results = require "lre.results"
local run = require "lre.run"
local rundir = require "lre.rundir"
local run_source = require "lre.source"
local shape = require "lre.shape"

local rejudge = {}

local MAX_BYTES = 1 << 30
-- Of a suite that names none.
local DEFAULT = { "refusal" }

local fail = shape.stop

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

-- Where a run does not say which scripts a judge is made of: those of its name, and all modules.
local function source_of(dir, entry)
  if entry.source then return entry.source end
  local out = { modules = {} }
  for _, file in ipairs(dir.old.files) do
    if file.kind == "judge" and file.name == entry.name then out.path, out.sha256 = file.path, file.sha256 end
    if file.kind == "module" then out.modules[file.name] = { path = file.path, sha256 = file.sha256 } end
  end
  return out
end

local function script(dir, sum)
  return sum and fs.read(("%s/inputs/%s.lua"):format(dir.path, sum), MAX_BYTES)
end

---The script of a judge in inputs.judges, from the run's own copies; nil where one is missing. dir: { path, old }.
---@return lre.Chunk?
function rejudge.chunk_of(dir, entry)
  local from, modules = source_of(dir, entry), {}
  local text = script(dir, from.sha256)
  if not text then return nil end
  for name, part in pairs(from.modules) do
    local inner = script(dir, part.sha256)
    if not inner then return nil end
    modules[name] = { chunk = "@" .. part.path, source = inner, sha256 = hash.sha256(inner) }
  end
  return catalog.chunk_of(from.path, text, modules)
end

-- What a persona said, from the run's own copy.
local function persona_of(dir, entry)
  local path = rejudge.file_of(dir, "persona", entry.name)
  local found = { name = entry.name }
  if path and path:find "%.json$" then
    found.system = json.decode(assert(fs.read(path))).system
  elseif path then
    found.system = persona.text(catalog.load(path, "persona"), select(2, persona.spec(entry.name)))
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

-- All of them; those that the suite names itself where nobody named judges; or those that it had, where they are the
-- run's own.
local function judges_of(suite, judges, own)
  if not judges.by_default and not own then return judges end
  local wanted, out = {}, {}
  for _, name in ipairs(own and suite.judges or suite.default_judges or DEFAULT) do wanted[name] = true end
  for _, judge in ipairs(judges) do
    out[#out + 1] = wanted[own and judge.name or judges.by_default[judge]] and judge or nil
  end
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

---Enough of the plan to find each answer's messages. `own`: a suite gets only those judges that it had.
function rejudge.plan_of(dir, judges, own)
  local old = dir.old
  return plan.stored {
    suites = map(old.inputs.suites, function(suite)
      return { name = suite.name, suite = suite, judges = judges_of(suite, judges, own) }
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
  inputs.suites = map(the_plan.suites, function(entry)
    local copy = shallow(entry.suite)
    copy.judges = map(entry.judges, function(judge) return judge.name end)
    return copy
  end)
  return results.with_judges_of(dir.old, inputs, true)
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
  dir:write_description(info)
end

-- A model judge that follows one of its name, but asks another model (or in other words): older verdicts count where it
-- gives none.
local function follow(dir, inputs)
  for _, judge in ipairs(inputs.judges) do
    for _, was in ipairs(judge.kind == "model" and dir.old.inputs.judges or {}) do
      if was.name == judge.name and was.hash ~= judge.hash and was.kind == "model" then
        judge.also = json.array { was.hash }
        for _, older in ipairs(was.also or {}) do
          if older ~= judge.hash then table.insert(judge.also, older) end
        end
      elseif was.name == judge.name then
        judge.also = was.also
      end
    end
  end
end

-- What a flag says, else what the run was made with.
local function settings_of(dir, entry, given)
  local out, flags = shallow(given), dir.old.flags or {}
  for _, name in ipairs { "judge_base_url", "judge_api_key_env", "judge_param", "judge_repeats" } do
    local value = flags[name]
    local unsaid = given[name] == nil or type(given[name]) == "table" and #given[name] == 0
      or given[name] == defaults.value(name)
    if value ~= nil and value ~= json.null and unsaid and not given.judge_model then out[name] = value end
  end
  local asked = entry.asks and entry.asks.model
  if not given.judge_model then
    out.judge_model, out.from = asked and asked.label, { judge_model = "the run" }
  end
  return out
end

---The judges of the run in the folder `path`, opened from its own copies of them; model judges ask whom `settings` say
---(see lre.judge_model.asker), else whom they asked. Raises { exit = 3 }.
---@return lre.Judge[]
function rejudge.judges(path, settings)
  local out, dir = {}, { path = path:gsub("(.)/+$", "%1"), old = nil }
  dir.old = run_source.open(path, true).info
  if not dir.old or type(dir.old.files) ~= "table" then fail(3, "%s: expected the folder of a run", path) end
  local flags = dir.old.flags or {}
  for i, entry in ipairs(dir.old.inputs.judges) do
    local chunk = rejudge.chunk_of(dir, entry)
    if not chunk then
      fail(3, "%s: the script of judge %s is not in the run; name one with --judge", path, entry.name)
    end
    local bare = { chunk = chunk, options = entry.options, limits = { steps = flags.judge_steps,
      bytes = flags.judge_memory and flags.judge_memory << 20, regex_match = flags.regex_match_limit } }
    if entry.kind == "model" then bare.asking = judge_model.asker(settings_of(dir, entry, settings)) end
    out[i] = judges_by_name.open("./" .. (entry.file or entry.name), bare)
    out[i].name = entry.name
  end
  return out
end

-- The account of a run goes on: what its models and other judges cost before counts, too. nil where `settings` bound
-- nothing.
local function account_of(dir, the_plan, settings)
  local asked, judges, here = {}, {}, {}
  for _, judge in ipairs(the_plan.judges) do asked[#asked + 1] = judge.model end
  local account = budget.of(settings, asked)
  if not account then return nil end
  local function priced(model)
    return { label = model.label, _price = account:price(model.label, model.adapter, model.id) }
  end
  for i, judge in ipairs(the_plan.judges) do judges[i], here[judge.name] = judge, true end
  for _, was in ipairs(dir.old.inputs.judges) do
    local model = not here[was.name] and was.asks and was.asks.model
    if model then judges[#judges + 1] = { name = was.name, model = priced(model) } end
  end
  account:continue(dir, { models = map(dir.old.inputs.models, priced), judges = judges })
  return account
end

---Gives the verdicts of `judges` (with `by_default`, judge -> spec, each on the suites that name it) on the answers of
---the run in the folder `path`: those that are lacking, or those that `only` says (see lre.run.judge). `own`: they are
---the run's own, and a suite gets those that it had. `settings`: budget_usd, budget_tokens, budget_requests, prices.
---Returns { results, given, failed, interrupted, path, budget, missing (see lre.run.missing_verdicts) }.
function rejudge.run(path, judges, only, own, settings)
  local dir = open(path)
  local ok, err = log.open(dir.path .. "/run.log")
  if not ok then fail(4, "%s", err) end
  for _, judge in ipairs(judges) do
    if judge.kind == "model" then judge:check_impartial(dir.old.inputs.models) end
  end
  local the_plan = rejudge.plan_of(dir, judges, own)
  local inputs = inputs_of(dir, the_plan)
  local account = account_of(dir, the_plan, settings or {})
  if only then follow(dir, inputs) end
  keep_judges(dir, judges)
  describe(dir, inputs, judges)
  local function samples(entry)
    local kept = rejudge.file_of(dir, "samples", entry.name)
    if not kept then fail(3, "%s: the samples of suite %s are not in the run", dir.path, entry.name) end
    return dir:samples(kept:sub(#dir.path + 2))
  end
  local judged = run.judge(the_plan, dir, samples, nil,
    only and { only = only, successors = aggregate.successors(inputs) })
  local data = results.of(dir, inputs, samples, nil, function(number, problem)
    log.warning(("%s:%d: left out: %s"):format(dir.journal_path, number, tostring(problem)))
  end)
  finals.write(dir, data)
  if account then account:close() end
  local missing = account and account.ended and run.missing_verdicts(the_plan, dir) or nil
  dir:close()
  log.close()
  return { results = data, given = judged.given, failed = judged.failed, interrupted = judged.interrupted,
    path = dir.path, budget = account, missing = missing }
end

return rejudge
