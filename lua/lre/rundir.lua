-- rundir: the folder of a run: run.json, inputs/, the journal, the derived files.
local clock = require "lre.clock"
local diff = require "lre.diff"
local fs = require "lre.fs"
local hash = require "lre.hash"
local http = require "lre.http"
local journal = require "lre.journal"
local json = require "lre.json"
local log = require "lre.log"
local platform = require "lre.platform"
local recorded = require "lre.recorded"
local shape = require "lre.shape"
local store = require "lre.store"
local writer = require "lre.writer"

local rundir = {}
local Run = {}
Run.__index = Run

local SCHEMA = 1
-- A folder's name has 255 bytes on most file systems; "-2" and what else is appended fits.
local MAX_ID = 200
-- What writing the derived files has open at a time, and a few.
local SPARE_FILES = 8

local fail = shape.stop

local function world(ok, err, path)
  if ok == nil then fail(4, "%s: %s", path, tostring(err)) end
  return ok
end

local function make_folder(path, parents)
  local ok, err = fs.mkdir(path, parents)
  return world(ok, err, path)
end

---Raises { exit = 2 } where a run id cannot be the name of a folder.
function rundir.check_id(id)
  if #id > MAX_ID then
    fail(2, "--run-id: expected at most %d bytes, got %d", MAX_ID, #id)
  elseif id == "" or id == "." or id:find("/", 1, true) or id:find("..", 1, true) or id:find("%c") then
    fail(2, '--run-id: expected a folder\'s name without "/" and "..", got "%s"', id)
  end
end

-- The first of id, id-2, id-3, ... that nobody had: mkdir is exclusive, so two runs never share a folder.
local function create_free(parent, id)
  for n = 1, 100000 do
    local name = n == 1 and id or id .. "-" .. n
    if make_folder(parent .. "/" .. name) then return name end
  end
  fail(4, "%s: no free name for run %s", parent, id)
end

-- A run's files among someone else's would be neither found nor safe. A run that was killed at once has no more than
-- its empty inputs/.
local function refuse_foreign(path)
  local stat = fs.stat(path)
  if not stat then return end
  if stat.type ~= "folder" then return end -- told by the making of inputs/
  if fs.stat(path .. "/run.json") or fs.stat(path .. "/partials.jsonl") then return end
  local names, err = fs.list(path)
  for _, name in ipairs(world(names, err, path)) do
    if name ~= "inputs" then
      fail(3, "%s: is no run (it has %s, but no run.json and no partials.jsonl); take another --run-id or --run-dir",
        path, name)
    end
  end
end

---Opens the folder of a run. `id` nil: a new run under the UTC time. An existing id is resumed unless `fresh`.
---Returns a Run { path, id, old }: `old` is its run.json where it is resumed.
function rundir.open(parent, id, fresh)
  if id then rundir.check_id(id) end
  make_folder(parent, true)
  local self = setmetatable({ lines = 0, spare = {}, told = {} }, Run)
  local path = id and parent .. "/" .. id
  if path and not fresh and fs.stat(path) then
    refuse_foreign(path)
    self.id = id
  else
    self.id = create_free(parent, id or clock.stamp())
  end
  self.path = parent .. "/" .. self.id
  self.journal_path = self.path .. "/partials.jsonl"
  make_folder(self.path .. "/inputs")
  self:_lock()
  self:_clean()
  self:_read_old()
  for i = 1, SPARE_FILES do self.spare[i] = io.open "/dev/null" end
  return self
end

---Gives back the descriptors that were kept for the derived files: idle connections may hold all the others.
function Run:release_files()
  for _, file in ipairs(self.spare) do file:close() end
  self.spare = {}
end

---Opens the folder of a run that is there. Raises { exit = 3 } where it is none.
---@param path string
function rundir.at(path)
  path = path:gsub("(.)/+$", "%1")
  if not fs.stat(path .. "/partials.jsonl") then
    fail(3, "%s: expected the folder of a run (with partials.jsonl)", path)
  end
  local parent, id = path:match "^(.*)/([^/]+)$"
  return rundir.open(parent == "" and "/" or parent or ".", id or path)
end

-- Of a process that was killed while it wrote a derived file.
function Run:_clean()
  for _, folder in ipairs { self.path, self.path .. "/inputs" } do
    local names, err = fs.list(folder)
    for _, name in ipairs(world(names, err, folder)) do
      if name:find "%.tmp%.%d+$" then fs.remove(folder .. "/" .. name) end
    end
  end
end

-- Who has, or had, the run: { pid, host, since }; nil where nobody says so.
local function holder(path)
  local text = fs.read(path, 4096)
  local told = text and json.decode(text)
  if type(told) == "table" and math.type(told.pid) == "integer" and type(told.host) == "string" then return told end
end

-- The journal's lock is the run's lock: the system lets it go when its process ends, however that ends. run.lock only
-- tells who has it. Where it is left behind, that process did not end by itself.
function Run:_lock()
  local handle, info = journal.open(self.journal_path)
  local note = self.path .. "/run.lock"
  local other, host = holder(note), platform.hostname()
  if not handle and info.code == "locked" then
    local who = other and ("process %d on host %s (since %s)"):format(other.pid, other.host, tostring(other.since))
      or tostring(info)
    fail(4, "%s is in use by %s; wait for it, stop it, or take another --run-id", self.path, who)
  elseif not handle then
    fail(4, "%s: %s", self.journal_path, tostring(info))
  end
  self.journal, self.lines, self.torn_bytes = handle, info.lines, info.torn_bytes
  if other and other.host ~= host then
    log.warning(("%s says that process %d on host %s has this run, but the lock is free: taken over. Where that "
      .. "host shares this folder without locks and its process still runs, stop one of the two."):format(note,
      other.pid, other.host))
  end
  local ok, err = fs.write(note, assert(json.encode { pid = platform.pid(), host = host,
    since = clock.iso(nil, false) }))
  world(ok, err, note)
end

-- The run.json of the run, or nil and what is wrong with it.
local function read_description(path)
  if not fs.stat(path) then return nil, path .. ": missing, but the run has a journal" end
  local source, why = fs.read(path)
  local old, err = json.decode(world(source, why, path), { max_bytes = 1 << 30 })
  if type(old) ~= "table" then return nil, ("%s: %s"):format(path, tostring(err or "expected an object")) end
  if old.schema ~= nil and old.schema ~= SCHEMA then
    fail(3, "%s: schema %s is not known to this version", path, tostring(old.schema))
  end
  for _, field in ipairs { "judges", "suites" } do
    if type(old.plan) ~= "table" or type(old.plan[field]) ~= "table" then
      return nil, ("%s: plan.%s: expected a list, got %s"):format(path, field,
        type(old.plan) == "table" and type(old.plan[field]) or "no plan")
    end
  end
  local damage = recorded.damage(old, path)
  if damage then return nil, damage end
  return old
end

-- `lost` says what is wrong with a run.json that cannot be read: lre.recover decides.
function Run:_read_old()
  local path = self.path .. "/run.json"
  if self.lines == 0 and not fs.stat(path) then return end
  local old, lost = read_description(path)
  self.lost = lost
  self.old = old
end

-- What is said first where several differ: a seed is in the models' parameters too.
local FIRST = { "seed", "sample", "filter", "repeats", "params", "suites", "personas", "judges", "models" }

-- A run that was only asked (--no-judge) may be judged now: its answers stay what they are.
local function take_judges(was, is)
  if #was.judges > 0 or #was.suites ~= #is.suites then return end
  was.judges = is.judges
  for i, suite in ipairs(was.suites) do suite.judges = is.suites[i].judges end
end

---Raises { exit = 3 } with the first field of the plan that differs from the run's.
function Run:check_plan(identity)
  if not self.old then return end
  take_judges(self.old.plan, identity)
  for _, name in ipairs(FIRST) do
    local first = diff.list(self.old.plan[name], identity[name], name)[1]
    if first then
      fail(3, "%s cannot be resumed: %s differs\n  the run has %s\n  now it is %s\nUse --fresh or another --run-id.",
        self.path, first.field, diff.show(first.was), diff.show(first.is))
    end
  end
end

-- The commit that an installed tool was built from: the file that CMakeLists.txt writes beside its Lua.
local function installed_commit()
  local text = fs.read(platform.lua_dir .. "/../COMMIT", 100)
  return text and text:match("^%x+")
end

-- The commit of the repository that holds `folder`; nil where there is none, or no git.
local function commit(folder, must_hold)
  local out = require("lre.process").run { "git", "-C", folder, "rev-parse", "--show-toplevel", "HEAD", timeout = 2 }
  if not out or out.exit ~= 0 then return nil end
  local top, id = out.out:match("^([^\n]+)\n(%x+)")
  if must_hold and not fs.stat(top .. "/" .. must_hold) then return nil end
  return id
end

---What reproduce needs: written before the first request.
function Run:describe(identity, inputs, flags, files)
  local now = clock.iso(nil, false)
  local data = {
    schema = SCHEMA, run_id = self.id, plan = identity, inputs = inputs, flags = flags, files = files,
    started_at = self.old and self.old.started_at or now, resumed_at = self.old and self.old.resumed_at
    or json.array {},
    tool = { version = platform.version, commit = commit(platform.lua_dir, "lua/lre/cli.lua")
      or installed_commit() or json.null,
      libraries = platform.libraries() },
    project = { commit = commit(".") or json.null },
    platform = platform.describe(), host = platform.host_hash(),
  }
  if self.old then table.insert(data.resumed_at, now) end
  self:write_description(data)
end

---Writes run.json, and what of it the derived files need to inputs/ by hash: a lost run.json is made again from that.
---@param data table
function Run:write_description(data)
  local kept = { schema = SCHEMA, type = "run", plan = data.plan, inputs = data.inputs, files = data.files }
  self:keep(assert(json.encode(kept)), "run.json")
  self:write("run.json", assert(json.encode(data, 2)))
end

---What inputs/ says of a run whose run.json is lost: { schema, type = "run", plan, inputs, files }. Of several (it was
---judged again, its limit grew) the one with the most judges, then with the most trials. nil: none.
---@return table?
function Run:kept_description()
  local best
  local function rank(of) return { #of.inputs.judges, of.inputs.planned or 0 } end
  for _, name in ipairs(world(fs.list(self.path .. "/inputs"))) do
    local text = name:find "%.json$" and fs.read(self.path .. "/inputs/" .. name, 1 << 30)
    local found = text and hash.sha256(text) == name:match "^%x+" and json.decode(text, { max_bytes = 1 << 30 })
    if type(found) == "table" and found.type == "run" and found.schema == SCHEMA then
      local a, b = rank(found), best and rank(best) or { -1, -1 }
      if a[1] > b[1] or a[1] == b[1] and a[2] > b[2] then best = found end
    end
  end
  return best
end

---Writes a derived file: temporary name, fsync, rename. Raises { exit = 4 }.
function Run:write(name, data)
  local path = self.path .. "/" .. name
  local ok, err = fs.write(path, http.redact(data))
  world(ok, err, path)
end

---Keeps a copy of a script under its hash: { name, sha256 }.
function Run:keep(source, name)
  local sum = hash.sha256(source)
  local kept = ("inputs/%s%s"):format(sum, name:match("%.%w+$") or "")
  if not fs.stat(self.path .. "/" .. kept) then self:write(kept, source) end
  return { name = name, sha256 = sum, file = kept }
end

---Copies a stream of samples (texts of whole lines, canonical JSON) to inputs/ under the hash of its bytes; returns
---that file's path within the run.
function Run:keep_samples(pull)
  local partial = self.path .. "/inputs/.partial"
  local file, err = io.open(partial, "w")
  if not file then fail(4, "%s", err) end
  file:setvbuf("full", 1 << 16)
  local sum = hash.new()
  for lines in pull do
    sum:update(lines)
    local ok, why = file:write(lines)
    if not ok then fail(4, "%s: %s", partial, why) end
  end
  local ok, why = file:close()
  if not ok then fail(4, "%s: %s", partial, why) end
  local kept = ("inputs/%s.jsonl"):format(sum:hex())
  local renamed, reason = os.rename(partial, self.path .. "/" .. kept)
  if not renamed then fail(4, "%s", reason) end
  return kept
end

local KEPT = { max_bytes = 1 << 30, bigint = "string" }

---Streams the samples in a file that keep_samples wrote.
function rundir.samples_in(path)
  local lines = fs.lines(path, 1 << 30)
  return function()
    local line = lines()
    return line and assert(json.decode(line, KEPT))
  end
end

---The same of this run.
function Run:samples(kept)
  return rundir.samples_in(self.path .. "/" .. kept)
end

---Appends rows (tables, or their canonical JSON) with one write. Raises { exit = 4 } where the disk does not take them:
---what is in the journal stays whole.
function Run:append(...)
  local lines = { ... }
  for i, row in ipairs(lines) do lines[i] = type(row) == "string" and row or assert(json.encode(row)) end
  local ok, err = self.journal:append(table.unpack(lines))
  if not ok then
    fail(4, "%s: %s. What was finished before is kept; make room and give the same --run-id to go on.",
      self.journal_path,
      tostring(err))
  end
  self.lines = self.lines + #lines
end

---Waits until every row is on disk.
function Run:flush()
  local ok, err = self.journal:flush()
  world(ok, err, self.journal_path)
end

---The rows of a journal: see lre.journal.scan. A line that cannot be read is reported by `problem(number, err)` and
---left out: an iterator that gave nil for it would end the loop.
---@param path string
---@param fields string[]
---@param problem fun(number: integer, err: lre.Error)?
function rundir.rows(path, fields, problem)
  local pull, err = journal.scan(path, fields, true)
  if not pull then fail(4, "%s: %s", path, tostring(err)) end
  return function()
    while true do
      local row, number, why = pull()
      if row or not number then return row, number end
      if problem then problem(number, why) end
    end
  end
end

---The same of this run.
function Run:scan(fields, problem)
  return rundir.rows(self.journal_path, fields, problem)
end

---The index over the journal. It is never a truth of its own: what is wrong with it is mended from the journal.
function Run:index()
  local path = self.path .. "/state.sqlite"
  if not self.state then
    local state, err = store.open(path)
    self.state = world(state, err, path)
  end
  return self.state
end

---Brings the index up to date with the journal as it is now (waits). What is wrong with its lines is added to `told`.
---@return boolean?, lre.Error?
function Run:update_index()
  local told, err = self:index():update(self.journal_path)
  if not told then return nil, err end
  self.told[#self.told + 1] = told
  return true
end

---The keys of trials that have a good answer, as a set.
function Run:answered()
  local set, err = self:index():answered(self.journal_path, self.lines)
  return world(set, err, self.journal_path)
end

---Closes the journal and gives the lock back.
function Run:close()
  if self.state then self.state:close() end
  if self.journal then
    fs.remove(self.path .. "/run.lock")
    self.journal:close()
  end
  self.journal, self.state = nil, nil
end

-- The rows. `response_hash` says which answer a verdict is about.

local write_hashed = writer.new { "finish_reason", "text" }

---SHA-256 of what a judge is shown: the text and why it ended.
function rundir.response_hash(text, finish_reason)
  return hash.sha256(assert(write_hashed(finish_reason, text)))
end

local write_answer = writer.new { "text", "finish_reason", "usage", "model", "request_id", "provider",
  "reasoning", "logprobs" }
local write_trial = writer.new({ "v", "type", "key", "suite", "sample_id", "category", "subcategory", "target",
  "persona", "model", "repeat", "turns", "response", "request_hash", "attempts", "params", "seconds", "cluster",
  "started_at", "completed_at" }, { "turns", "response", "params" })

-- Parameters are the model's own table, which nobody changes: its text is made once.
local param_texts = setmetatable({}, { __mode = "k" })

local function params_text(params)
  if not params then return nil end
  local text = param_texts[params]
  if not text then
    text = assert(json.encode(params))
    param_texts[params] = text
  end
  return text
end

local function answer_text(response, err)
  if response then
    return assert(write_answer(response.text, response.finish_reason, response.usage, response.model,
      response.request_id, response.provider, response.reasoning, response.logprobs))
  end
  local told = { kind = err.kind, code = err.code, message = err.message, status = err.status }
  return assert(json.encode { error = told })
end

local function turns_text(turns)
  return turns and assert(json.encode(turns)) or "[]"
end

---The journal row of a trial as canonical JSON: `response`, or `err` where there is none.
function rundir.trial_line(trial, response, err, timing)
  local sample, from = trial.sample, response or err
  return assert(write_trial(1, "trial", trial.key, trial.suite, sample.id, sample.category, sample.subcategory,
    sample.target, trial.persona.name, trial.model.label, trial.n, turns_text(trial.turns),
    answer_text(response, err), from.request_hash,
    from.attempts, params_text(from.sent_params), from.seconds or timing.seconds, trial.cluster, timing.started_at,
    timing.completed_at))
end

---The journal row of a verdict on the answer in the row `trial`. Category, cluster and `truncated` repeat what that row
---says, so that a pass over the journal can count verdicts without holding trials.
function rundir.verdict_row(trial, truncated, judge, response_hash, verdict)
  return {
    v = 1, type = "verdict", key = trial.key, judge = judge.name, judge_hash = judge.hash,
    response_hash = response_hash, n = 1, state = verdict.state, label = verdict.label, value = verdict.value,
    evidence = verdict.evidence, reason = verdict.reason, category = trial.category or nil,
    cluster = trial.cluster or nil, truncated = truncated,
    -- Of a model judge: who was asked, and each request with its reply.
    judge_model = judge.model and judge.model.label, asked = verdict.asked,
    salvaged = verdict.salvaged, disagreements = verdict.disagreements,
  }
end

local write_scored = writer.new({ "v", "type", "key", "judge", "judge_hash", "response_hash", "n", "state", "label",
  "evidence", "category", "cluster", "truncated" }, { "evidence" })

---The same as canonical JSON, for a rule judge that gave a label and no value. `evidence`: canonical JSON, or nil.
function rundir.scored_line(trial, truncated, judge, response_hash, label, evidence)
  return assert(write_scored(1, "verdict", trial.key, judge.name, judge.hash, response_hash, 1, "scored", label,
    evidence, trial.category or nil, trial.cluster or nil, truncated))
end

return rundir
