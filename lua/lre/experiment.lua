-- experiment: from settings (flags, or a script's table) to a finished run. `lre run` and lre.experiment are the same
-- thing.
local aggregate = require "lre.aggregate"
local budget = require "lre.budget"
local catalog = require "lre.catalog"
local clock = require "lre.clock"
local defaults = require "lre.defaults"
local expect = require "lre.expect"
local finals = require "lre.finals"
local forecast = require "lre.forecast"
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local judge = require "lre.judge"
local judge_model = require "lre.judge_model"
local log = require "lre.log"
local models = require "lre.models"
local persona = require "lre.persona"
local plan = require "lre.plan"
local platform = require "lre.platform"
local results = require "lre.results"
local rundir = require "lre.rundir"
local run = require "lre.run"
local sched = require "lre.sched"
local settings = require "lre.settings"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local suite = require "lre.suite"

local experiment = {}
local Experiment = {}
Experiment.__index = Experiment

local fail = shape.stop

-- ---- settings ----

-- "file:line: " of the user's script that is being run: the innermost caller outside the engine. "" where there is
-- none.
local function script_line()
  for level = 3, 20 do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    if info.currentline > 0 and info.source:sub(2, #platform.lua_dir + 1) ~= platform.lua_dir then
      return ("%s:%d: "):format(info.source:sub(2), info.currentline)
    end
  end
  return ""
end

local LISTS = { words = true, specs = true, list = true }
-- What a script may say beyond the flags.
local MORE = { params = true, fake_rates = true, store = true }

local function known_names()
  local names = {}
  for _, e in ipairs(defaults.list("run")) do names[#names + 1] = e.name end
  for name in pairs(settings.PLURAL) do names[#names + 1] = name end
  for name in pairs(MORE) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- A script's table as settings with defaults; unknown names are refused.
local function settings_of(given)
  local entries, out = {}, {}
  for _, e in ipairs(defaults.list("run")) do entries[e.name] = e end
  for name, value in pairs(given) do
    local e = entries[settings.PLURAL[name] or name]
    if name == "models" then e = entries.model end
    if not e and not MORE[name] then
      fail(3, "%sexperiment: unknown field %s.%s", script_line(), shape.quote(tostring(name)),
        suggest.sentence(tostring(name), known_names()))
    end
    if e then
      out[e.name] = settings.check(e, value, script_line() .. "experiment: ")
    else
      out[name] = value
    end
  end
  -- What lives in memory alone (lre demo) is the same wherever it runs.
  if not given.store then settings.fill(out, "run") end
  for _, e in pairs(entries) do
    if out[e.name] == nil then out[e.name] = LISTS[e.type] and {} or e.default end
  end
  return out
end

---lre.experiment { suites = {...}, personas = {...}, models = {...}, judges = {...}, limit = 20, ... }: every flag of
---`lre run` is a
---field (snake_case); `params` is a table of decoding parameters. Returns an Experiment: `:run()`.
---@param given table
function experiment.new(given)
  if type(given) ~= "table" then error("lre.experiment: expected a table, got " .. type(given), 2) end
  return experiment.from(settings_of(given))
end

---An Experiment from settings that are complete (what defaults.apply gives).
function experiment.from(complete)
  return setmetatable({ settings = complete }, Experiment)
end

-- One cache for all models of a run.
local function cache_of(s)
  if s.offline and not s.cache then fail(2, "--offline needs --cache: nothing is sent, so answers must be there") end
  if s.cache and not s.cache_object then s.cache_object = require("lre.cache").open(s.cache, s.offline) end
  return s.cache_object
end

-- ---- suites, personas, judges ----

-- `all` (or `all:en`) for every installed one, each once. What a persona does is told by the control arm beside it,
-- which is added.
local function resolve_personas(list, no_control)
  local out, there, last = {}, {}, nil
  local function add(name)
    local opened = persona.open(name)
    out[#out + 1], there[opened.name] = opened, true
  end
  local function all(language)
    for _, entry in ipairs(catalog.list "personas") do
      local control = entry.name == "none"
      local name = language and not control and entry.name .. ":" .. language or entry.name
      if name ~= last and not there[name] and not (control and no_control) then add(name) end
      last = name
    end
  end
  local function is_all(name) return type(name) == "string" and (persona.spec(name)) == "all" end
  for _, name in ipairs(list) do
    if not is_all(name) then add(name) end
  end
  for _, name in ipairs(list) do
    if is_all(name) then all(select(2, persona.spec(name))) end
  end
  if not there.none and (#out == 0 or not no_control) then table.insert(out, 1, persona.open "none") end
  return out
end

-- Each judge is opened once, however many suites name it.
local function judge_opener(s, dry)
  local open = {}
  s.cache_object, s.dry = cache_of(s), dry or s.offline
  local asking = judge_model.asker(s)
  local limits = { steps = s.judge_steps, bytes = s.judge_memory << 20, regex_match = s.regex_match_limit }
  return function(spec)
    open[spec] = open[spec] or judge.open(spec, { limits = limits, asking = asking,
      defaults = { judge_prompt = s.judge_prompt, show_asker = s.show_asker } })
    return open[spec]
  end
end

local function resolve_suites(s, dry)
  local out, open_judge = {}, judge_opener(s, dry)
  if #s.suite == 0 then fail(2, "no suite: give one with --suite; `lre list suites` shows what is there") end
  for i, name in ipairs(s.suite) do
    local opened, judges = suite.open(name), {}
    if not s.no_judge then
      for k, spec in ipairs(#s.judge > 0 and s.judge or opened.judges) do judges[k] = open_judge(spec) end
    end
    out[i] = { suite = opened, judges = judges }
  end
  return out
end

---The models alone, without a key and without reading a suite's samples.
---@return lre.Model[]
function Experiment:models()
  local suites = {}
  for i, name in ipairs(self.settings.suite) do suites[i] = { suite = suite.open(name) } end
  return models.resolve(self.settings, suites, { dry = true })
end

-- Judges that must not ask a model that is tested.
local function check_impartial(suites, tested)
  for _, entry in ipairs(suites) do
    for _, one in ipairs(entry.judges) do
      if one.kind == "model" then one:check_impartial(tested) end
    end
  end
end

---Resolves every name and reads every suite once. Raises { exit = 2 | 3 | 4 }; nothing is sent. `dry`: no key is
---needed.
function Experiment:plan(dry)
  local s = self.settings
  if s.run_id then rundir.check_id(s.run_id) end
  local suites, personas = resolve_suites(s, dry), resolve_personas(s.persona, s.no_control)
  local resolved = models.resolve(s, suites, { dry = dry, cache = cache_of(s) })
  check_impartial(suites, resolved)
  return plan.new { suites = suites, personas = personas, models = resolved, repeats = s.repeats, limit = s.limit,
    filter = s.filter, sample = s.sample, shard = s.shard, seed = s.seed, params = models.params(s) }
end

-- ---- running ----

-- A script's own tables (a suite, a roster's entry) are shown by name.
local function shown_list(list)
  local out = json.array {}
  for i, value in ipairs(list) do
    out[i] = type(value) == "table" and (value.label or value.name or value.id) or value
  end
  return out
end

-- Flags as run.json shows them. A proxy's URL may hold a password.
local function shown_flags(s)
  local out = {}
  for _, e in ipairs(defaults.list("run")) do
    local value = s[e.name]
    if type(value) == "table" then value = shown_list(value) end
    if e.name == "proxy" and value then value = value:gsub("//[^/@]*@", "//") end
    out[e.name] = value
  end
  return out
end

local function keep_scripts(dir, the_plan)
  local kept, seen = json.array {}, {}
  local function keep(kind, name, path)
    local id = name .. "\0" .. (path or "") -- a persona's file may speak in two languages
    if not path or seen[id] or not path:match("%.lua$") then return end
    seen[id] = true
    local chunk = catalog.chunk(path)
    local copy = dir:keep(chunk.source, chunk.name)
    kept[#kept + 1] = { kind = kind, name = name, path = chunk.name, sha256 = copy.sha256, file = copy.file }
    for module, part in pairs(chunk.modules) do
      local more = dir:keep(part.source, module .. ".lua")
      kept[#kept + 1] = { kind = "module", name = module, path = part.chunk, sha256 = more.sha256, file = more.file }
    end
  end
  for _, entry in ipairs(the_plan.suites) do keep("suite", entry.name, entry.suite.path) end
  for _, j in ipairs(the_plan.judges) do keep("judge", j.name, j.path) end
  for _, p in ipairs(the_plan.personas) do
    keep("persona", p.name, p.path)
    if p.system and not p.path then -- written in an experiment: judging again needs its text
      local text = assert(json.encode { name = p.name, system = p.system })
      local copy = dir:keep(text, "persona.json")
      kept[#kept + 1] = { kind = "persona", name = p.name, sha256 = copy.sha256, file = copy.file }
    end
  end
  for _, m in ipairs(the_plan.models) do keep("adapter", m.adapter, m._adapter and m._adapter.path) end
  table.sort(kept, function(a, b) return a.kind .. "\0" .. a.name < b.kind .. "\0" .. b.name end)
  return kept
end

-- Copies the sample lists into the run; returns how they are read back.
local function keep_samples(dir, the_plan)
  local kept = {}
  for _, entry in ipairs(the_plan.suites) do
    kept[entry] = dir:keep_samples(the_plan:texts(entry))
    entry.kept = nil -- from here on they are read from the run
  end
  return function(entry) return dir:samples(kept[entry]) end, kept
end

local function open_folder(self, the_plan)
  local s = self.settings
  local dir = rundir.open(s.run_dir, s.run_id, s.fresh)
  dir:check_plan(the_plan:identity())
  local ok, err = log.open(dir.path .. "/run.log")
  if not ok then fail(4, "%s", err) end
  if dir.torn_bytes > 0 then
    log.warning(("%s: the last line was torn (%d bytes) and is dropped"):format(dir.journal_path, dir.torn_bytes))
  end
  if dir.lost then
    require("lre.recover").check(dir, the_plan)
    log.warning(dir.lost .. ": the journal's requests are those of this plan; the run goes on and run.json is written "
      .. "anew")
  end
  local open, kept = keep_samples(dir, the_plan)
  local files = keep_scripts(dir, the_plan)
  for _, entry in ipairs(the_plan.suites) do
    files[#files + 1] = { kind = "samples", name = entry.name, file = kept[entry],
      sha256 = kept[entry]:match("(%x+)%.jsonl") }
  end
  dir:describe(the_plan:identity(), results.with_judges_of(dir.old, results.inputs(the_plan)), shown_flags(s), files)
  return dir, open
end

-- Judges' models are asked while trials are.
local function configure_network(s, judges)
  if s.ca_file and not fs.stat(s.ca_file) then fail(3, "--ca-file: %s: no such file", s.ca_file) end
  local connections = s.max_connections or s.concurrency
  for _, one in ipairs(judges) do
    if one.kind == "model" then
      connections = 2 * connections
      break
    end
  end
  platform.raise_nofile(connections + 64)
  http.configure { max_connections = connections, ca_file = s.ca_file, proxy = s.proxy }
end

-- Who judges is said before anything is sent, also to whoever wants it quiet.
local function announce_judges(s, judges)
  local safe = require("lre.text").terminal
  for _, one in ipairs(judges) do
    if one.model_choice then fs.print("stderr", safe(http.redact(one.model_choice)) .. "\n") end
  end
  if not s.cache or s.repeats > 1 or s.cache_allow_nondeterministic then return end
  if models.params(s).temperature > 0 then
    log.warning("--cache at a temperature above 0 gives the one stored answer each time; --repeats N samples more "
      .. "(--cache-allow-nondeterministic silences this)")
  end
end

local Run = {}
Run.__index = Run

-- While a run goes on, nobody else is asked: not by a redirect, not by a script.
local function only_its_hosts(the_plan)
  http.allow(forecast.hosts(the_plan))
  return setmetatable({}, { __close = function() http.allow(nil) end })
end

-- By a limit of the user's, not by a signal or a provider.
local function ended_early(asked)
  return asked.timed_out or asked.budget and asked.budget.ended or false
end

---Rows of the results in which a judge found no answer that it could read: their rates are of nothing.
function Run:silent_judges()
  local out = {}
  for _, row in ipairs(self.results.rows) do
    if row.total > 0 and row.unscored == row.total then out[#out + 1] = row end
  end
  return out
end

-- 130, 143: interrupted; 4: a provider refused us; 1: something failed.
local function exit_code(self)
  local asked = self.asked
  if asked.failure then return asked.failure.exit or 3 end
  if asked.interrupted or self.judged and self.judged.interrupted then
    local _, signal = require("lre.sched").interrupted()
    return 128 + (signal or 2)
  end
  if asked.stopped then return 4 end
  for _, one in ipairs(self.plan.judges) do
    if one.stopped then return 4 end -- its provider refused the key
  end
  if asked.timed_out and self.results.trials.recorded < self.results.trials.planned then return 1 end
  if asked.budget and asked.budget.ended then return 1 end
  for _, row in ipairs(self.results.rows) do
    if row.generation_errors > 0 or row.judge_errors > 0 then return 1 end
  end
  if self.expectations_hold == false or #self:silent_judges() > 0 then return 1 end
  local verdicts_failed = (asked.judging and asked.judging.failed or 0) + (self.judged and self.judged.failed or 0)
  return (asked.errors > 0 or verdicts_failed > 0) and 1 or 0
end

-- What asking and judging needed is not needed by the derived files, which take memory of their own.
local function give_back_memory(judges)
  for _, one in ipairs(judges) do one:rest() end
  collectgarbage()
  platform.trim_memory()
end

local function finish(self, the_plan, counter, open)
  local function problem(number, err)
    log.warning(("%s:%d: left out: %s"):format(self.store.journal_path or "journal", number, tostring(err)))
  end
  self.asked.timing:phase("judge")
  local cache = self.cache
  self.asked.timing.cache = cache and { hits = cache.hits, misses = cache.misses, writes = cache.writes }
  local inputs = results.with_judges_of(self.store.old, results.inputs(the_plan))
  local function samples(of)
    for _, entry in ipairs(the_plan.suites) do
      if entry.name == of.name then return open and open(entry) or the_plan:samples(entry) end
    end
  end
  self.results = results.of(self.store, inputs, samples, counter, problem)
  if not counter then self.asked.timing:count(self.store) end
  self.asked.timing:phase("results")
  if #self.expect > 0 then self.expectations, self.expectations_hold = expect.check(self.expect, self.results) end
  if self.store.write then
    give_back_memory(the_plan.judges)
    finals.write(self.store, self.results)
    self.store:write("timing.json", assert(json.encode(self.asked.timing:data(self.results.trials.recorded,
      self.asked.asked), 2)))
  end
end

---Runs the plan: asks, judges, writes the files of the run. Returns a Run { dir, id, results, exit, asked, judged }.
---`opt`: plan (made before), on_start(plan, store), progress. Raises { exit = 4 } where the disk is full, with what was
---done kept.
function Experiment:run(opt)
  opt = opt or {}
  local s = self.settings
  self.begun = self.begun or clock.mono()
  local expectations = expect.parse_all(s.expect)
  local the_plan = opt.plan or self:plan()
  if not s.no_judge then expect.check_names(expectations, results.inputs(the_plan)) end
  local account = budget.of(s, forecast.models(the_plan))
  local guard <close> = only_its_hosts(the_plan) -- luacheck: ignore guard
  configure_network(s, the_plan.judges)
  announce_judges(s, the_plan.judges)
  local store, open = s.store, nil
  if not store then store, open = open_folder(self, the_plan) end
  if store.path then
    sched.notice(("lre: interrupted: finishing what is in flight; press Ctrl-C again to stop at once. "
      .. "--run-id %s goes on with it\n"):format(store.id))
  end
  local good = run.answered(store)
  if account then account:continue(store, the_plan) end
  local wall = s.max_wall and self.begun + s.max_wall
  if opt.on_start then -- counting what is left walks along the plan: only where it is told
    opt.on_start(the_plan, store, good and log.level() ~= "ERROR" and run.left(the_plan, open, good) or nil)
  end
  local self_run = setmetatable({ store = store, dir = store.path, id = store.id, plan = the_plan,
    expect = expectations }, Run)
  -- In a new journal every row counts, and is counted when it is written; an older one is read again.
  local counter = store.lines == 0 and aggregate.counter(results.inputs(the_plan)) or nil
  local asked = run.ask(the_plan, store, { concurrency = s.concurrency, open = open, timeout_trial = s.timeout_trial,
    timeout_run = s.timeout_run, wall = wall, budget = account, progress = opt.progress, judge = not s.no_judge,
    counter = counter, good = good })
  self_run.asked, self_run.cache = asked, s.cache_object
  asked.timing:phase("ask")
  if asked.failure then
    store:close()
    error(asked.failure, 0)
  end
  if not s.no_judge and not counter then self_run.judged = run.judge(the_plan, store, open, wall) end
  finish(self_run, the_plan, counter, open)
  if account then account:close() end
  if ended_early(asked) then
    self_run.missing = run.missing(the_plan, open, store)
    self_run.missing.verdicts = s.no_judge and {} or run.missing_verdicts(the_plan, store)
  end
  self_run.exit = exit_code(self_run)
  sched.notice(nil)
  store:close()
  log.info(("finished: %d asked, %d failed, exit %d"):format(asked.asked, asked.errors, self_run.exit))
  log.close()
  return self_run
end

---The text of a report ("md", "scaling", "json", or a name of your own).
---@param name string
---@param opt table?
function Run:report(name, opt)
  local all = { source = { store = self.store, inputs = self.results.inputs, info = { run_id = self.id } } }
  for key, value in pairs(opt or {}) do all[key] = value end
  return require("lre.report").render(name, self.results, all)
end

---The responses as JSON lines, sorted by key, written to `path` ("-": standard output) piece by piece.
---@param path string
---@return integer n
function Run:dump(path)
  return require("lre.dump").write(self.store, path)
end

---Cells: rows pooled over what `by` does not name. Each has the fields of `by`, counts, total and rate = { value, low,
---high, n }
---of the primary metric. Only rows of one judge are pooled: name `judge` in `by` where a run has several.
---@param opt { by: string[], metric: string? }
function Run:cells(opt)
  return results.cells(self.results, opt)
end

return experiment
