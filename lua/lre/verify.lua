-- verify: is what a run says of itself so? Verdicts of rule judges are given again by the run's own copies of the
-- judges, and every figure is made anew from the journal. Nothing is sent, nothing is written, and none of the files
-- in the run is trusted for what another one says.
local aggregate = require "lre.aggregate"
local diff = require "lre.diff"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local judge = require "lre.judge"
local rejudge = require "lre.rejudge"
local results = require "lre.results"
local run = require "lre.run"
local rundir = require "lre.rundir"
local shape = require "lre.shape"
local source = require "lre.source"
local tables = require "lre.verify_tables"
local turns = require "lre.turns"

local verify = {}

local MAX_BYTES = 1 << 30
-- Answers that a worker judges together.
local BLOCK = 256

local Check = {}
Check.__index = Check

-- A number that is wrong: where, what was expected (made anew), what was found (in the file).
local function problem(self, file, row, field, expected, found)
  local list = self.problems
  list[#list + 1] = { file = self.path .. "/" .. file, row = row, field = field, expected = expected, found = found }
end

local function same(a, b)
  return a == b or assert(json.encode(a or json.null)) == assert(json.encode(b or json.null))
end

-- ---- inputs/ ----

-- A copy's name is the hash of its bytes.
local function check_files(self)
  for _, entry in ipairs(self.info.files) do
    local text, err = fs.read(self.path .. "/" .. entry.file, MAX_BYTES)
    if not text then
      problem(self, entry.file, nil, nil, "the copy of " .. entry.name, tostring(err))
    else
      local sum = hash.sha256(text)
      if sum ~= entry.sha256 then problem(self, entry.file, nil, "sha256", entry.sha256, sum) end
      self.files = self.files + 1
    end
  end
end

local function check_suite(self, suite)
  local path = rejudge.file_of(self, "samples", suite.name)
  if not path or not fs.stat(path) then -- told by check_files
    self.unknown_samples = true
    return
  end
  local kept, count = path:sub(#self.path + 2), 0
  for _ in fs.lines(path, MAX_BYTES) do count = count + 1 end
  if count ~= suite.count then
    problem(self, "run.json", nil, ("inputs.suites (%s).count"):format(suite.name), count, suite.count)
  elseif suite.count == suite.total and kept ~= ("inputs/%s.jsonl"):format(suite.hash) and not suite.unknown then
    problem(self, "run.json", nil, ("inputs.suites (%s).hash"):format(suite.name), kept:match("(%x+)%.jsonl"),
      suite.hash)
  end
end

local function check_planned(self)
  local n, inputs = 0, self.info.inputs
  if inputs.imported then return end -- what someone else asked need not be a whole grid
  for _, suite in ipairs(inputs.suites) do n = n + suite.count end
  n = n * #inputs.models * #inputs.personas * inputs.repeats
  if n ~= inputs.planned then problem(self, "run.json", nil, "inputs.planned", n, inputs.planned) end
end

-- ---- judges ----

-- The judge that gave the verdicts, or nil with the problem told.
local function open_judge(self, entry)
  local chunk = rejudge.chunk_of(self, entry)
  if not chunk then
    problem(self, "run.json", nil, ("inputs.judges (%s)"):format(entry.name), "a copy of its script in inputs/", nil)
    return nil
  end
  local flags = self.info.flags or {}
  local opened = judge.open("./" .. (entry.file or entry.name), { chunk = chunk, options = entry.options,
    limits = { steps = flags.judge_steps, bytes = flags.judge_memory and flags.judge_memory << 20,
    regex_match = flags.regex_match_limit } })
  opened.name = entry.name
  if opened.hash ~= entry.hash then
    problem(self, "run.json", nil, ("inputs.judges (%s).hash"):format(entry.name), opened.hash, entry.hash)
  end
  return opened
end

-- What is counted with a judge follows from its file and the suite's metrics.
local function check_metrics(self, entry, opened)
  local suites = {}
  for i, suite in ipairs(self.info.inputs.suites) do
    suites[i] = { name = suite.name, suite = { metrics = suite.metrics } }
  end
  local made = results.judge_inputs(opened, suites)
  for _, field in ipairs { "labels", "metrics_of", "kind" } do
    diff.each(made[field], entry[field], field, function(where, expected, found)
      problem(self, "run.json", nil, ("inputs.judges (%s).%s"):format(entry.name, where), expected, found)
    end)
  end
end

local function open_judges(self)
  for _, entry in ipairs(self.info.inputs.judges) do
    if entry.kind == "rule" then
      local opened = open_judge(self, entry)
      if opened then
        check_metrics(self, entry, opened)
        local earlier = self.by_hash[entry.hash] -- under another name: one verdict is that of both
        if earlier then
          table.insert(earlier.names, entry.name)
          opened:close()
        else
          self.judges[#self.judges + 1], self.by_hash[entry.hash] = opened, opened
          opened.recorded_hash, opened.names = entry.hash, { entry.name }
        end
      end
    else
      self.taken[#self.taken + 1] = entry.name
    end
  end
end

-- ---- verdicts ----

local FIELDS = { "type", "key", "judge", "judge_hash", "n", "response_hash", "state", "label", "value", "evidence",
  "reason", "category", "cluster", "truncated", "suite", "sample_id", "subcategory", "target", "persona", "model",
  "repeat", "response.error.kind", "response.text", "response.finish_reason", "response.model", "response.reasoning",
  "turns" }
local VERDICT = { "state", "label", "value", "evidence", "reason", "category", "cluster", "truncated", "response_hash" }

local function plain(value)
  if value == json.null or value == false then return nil end
  return value
end

-- Held until both the answer and the verdict have been read: a few, as they are written one after the other.
local function meet(self, key, side, value)
  local one = self.waiting[key]
  if not one then
    self.waiting[key] = { [side] = value }
    return
  end
  self.waiting[key] = nil
  one[side] = value
  local found, expected = one.found, one.expected
  self.verdicts = self.verdicts + 1
  for _, field in ipairs(VERDICT) do
    if not same(plain(found[field]), plain(expected[field])) then
      problem(self, "partials.jsonl:" .. found.line, ("verdict of %s on %s"):format(found.judge, found.key), field,
        plain(expected[field]), plain(found[field]))
    end
  end
end

local function flush_judge(self, opened)
  local block = self.blocks[opened]
  if #block == 0 then return end
  self.blocks[opened] = {}
  local inputs = {}
  for i, item in ipairs(block) do inputs[i] = item.input end
  local verdicts, err = opened:verdicts(inputs)
  if not verdicts then error(err, 0) end
  for i, item in ipairs(block) do
    local said = verdicts[i]
    meet(self, item.row.key .. "\n" .. opened.recorded_hash, "expected", { state = said.state, label = said.label,
      value = said.value, evidence = said.evidence, reason = said.reason, category = item.row.category,
      cluster = item.row.cluster,
      truncated = item.truncated, response_hash = item.response_hash })
  end
end

local SAMPLE = { "category", "subcategory", "target" }
local TRIAL = { "suite", "sample_id", "persona", "model", "repeat", "cluster", "category", "subcategory", "target" }

-- What a trial's row repeats of its sample and of its key.
local function check_trial(self, row, number, trial)
  local where = "trial " .. row.key
  if not trial then
    problem(self, "partials.jsonl:" .. number, where, "key", "a trial of the plan in run.json and inputs/", row.key)
    return
  end
  local expected = { suite = trial.suite, sample_id = trial.sample.id, persona = trial.persona.name,
    model = trial.model.label, ["repeat"] = trial.n, cluster = trial.cluster }
  for _, field in ipairs(SAMPLE) do expected[field] = trial.sample[field] end
  for _, field in ipairs(TRIAL) do
    if not same(plain(row[field]), plain(expected[field])) then
      problem(self, "partials.jsonl:" .. number, where, field, plain(expected[field]), plain(row[field]))
    end
  end
end

local function judge_answer(self, row, trial, applies)
  local answer = { text = row["response.text"] or "", finish_reason = row["response.finish_reason"] or nil,
    model = row["response.model"] or nil, reasoning = row["response.reasoning"] or nil }
  local item = { row = row, truncated = answer.finish_reason == "length" or nil,
    response_hash = rundir.response_hash(answer.text, answer.finish_reason),
    input = run.judge_input(row, answer, trial and turns.fill(trial.messages, row.turns or nil),
      trial and trial.sample.metadata) }
  for _, opened in ipairs(self.judges) do
    if applies(row.suite, opened.names) then
      local block = self.blocks[opened]
      block[#block + 1] = item
      if #block == BLOCK then flush_judge(self, opened) end
    end
  end
end

local function judges_of(inputs)
  local there = {}
  for _, suite in ipairs(inputs.suites) do
    for _, name in ipairs(suite.judges) do there[suite.name .. "\0" .. name] = true end
  end
  return function(suite, names)
    for _, name in ipairs(names) do
      if there[suite .. "\0" .. name] then return true end
    end
  end
end

-- What is left over: a verdict on no answer is wrong; an answer without a verdict is counted as unscored.
local function check_rest(self)
  local left = {}
  for key, one in pairs(self.waiting) do left[#left + 1] = { key = key, found = one.found } end
  table.sort(left, function(a, b) return a.key < b.key end)
  for _, one in ipairs(left) do
    if one.found then
      problem(self, "partials.jsonl:" .. one.found.line, ("verdict of %s on %s"):format(one.found.judge,
        one.found.key), "key", "an answer to judge", "none")
    else
      self.unjudged = self.unjudged + 1
    end
  end
end

local function check_verdicts(self)
  if self.unknown_samples then return end -- or each trial would be told of
  local the_plan = rejudge.plan_of(self, self.judges)
  local find = run.finder(the_plan, function(entry)
    local lines = fs.lines(rejudge.file_of(self, "samples", entry.name), MAX_BYTES)
    return function()
      local line = lines()
      return line and assert(json.decode(line, { max_bytes = MAX_BYTES, bigint = "string" }))
    end
  end)
  for _, opened in ipairs(self.judges) do self.blocks[opened] = {} end
  local counts, applies = aggregate.counting(self.store), judges_of(self.info.inputs)
  for row, number in self.store:scan(FIELDS) do
    if counts(row, number) then
      if row.type == "trial" then
        self.trials = self.trials + 1
        local trial = find(row.key)
        check_trial(self, row, number, trial)
        if not row["response.error.kind"] then judge_answer(self, row, trial, applies) end
      elseif self.by_hash[row.judge_hash] then
        row.line = number
        meet(self, row.key .. "\n" .. row.judge_hash, "found", row)
      else
        self.others = self.others + 1
      end
    end
  end
  for _, opened in ipairs(self.judges) do flush_judge(self, opened) end
  check_rest(self)
end

-- ---- results.json ----

local function row_name(row)
  local out = {}
  for i, field in ipairs { "suite", "model", "persona", "judge", "inner", "outer" } do
    out[i] = type(row[field]) == "string" and row[field] or ""
  end
  return (table.concat(out, ", "):gsub("[, ]+$", ""):gsub(", , ", ", "))
end

local function check_rows(self, list, made, found)
  if not json.is_array(found) then return problem(self, "results.json", nil, list, "a list", found) end
  for i, row in ipairs(found) do
    if type(row) ~= "table" then
      return problem(self, "results.json", nil, ("%s[%d]"):format(list, i), "a table", row)
    end
  end
  diff.by_name(made, found, row_name, function(name, expected, got)
    local row = ("%s (%s)"):format(list, name)
    if not expected or not got then
      return problem(self, "results.json", row, nil, expected and "this row" or "no such row", got and "it is there"
        or "it is missing")
    end
    diff.each(expected, got, nil, function(field, x, y) problem(self, "results.json", row, field, x, y) end)
  end)
end

local function line_of(a, b)
  local line, at = 1, 1
  while at <= #a and a:byte(at) == b:byte(at) do
    if a:byte(at) == 10 then line = line + 1 end
    at = at + 1
  end
  return line
end

-- The results of this journal; nil, told, where its rows do not add up.
local function figures_of(self)
  local ok, figures = pcall(results.of, self.store, self.info.inputs, self.samples)
  if ok then return figures end
  problem(self, "partials.jsonl", nil, nil, "rows that add up", tostring(figures):match "results do not.*"
    or tostring(figures))
end

local function check_results(self, figures)
  local made = assert(json.encode(figures, 2))
  local path = self.path .. "/results.json"
  local text, err = fs.read(path, MAX_BYTES)
  if not text then return problem(self, "results.json", nil, nil, "the results of this journal", tostring(err)) end
  if text == made then return end
  local found, bad = json.decode(text, { max_bytes = MAX_BYTES })
  if type(found) ~= "table" then return problem(self, "results.json", nil, nil, "JSON", tostring(bad or found)) end
  local before = #self.problems
  local expected = assert(json.decode(made, { max_bytes = MAX_BYTES }))
  for _, list in ipairs { "rows", "joint" } do
    if expected[list] and found[list] then
      check_rows(self, list, expected[list], found[list])
      expected[list], found[list] = nil, nil
    end
  end
  diff.each(expected, found, nil, function(field, x, y) problem(self, "results.json", nil, field, x, y) end)
  if #self.problems == before then
    problem(self, "results.json:" .. line_of(made, text), nil, nil, "the canonical text",
      "the same figures written otherwise")
  end
end

-- ---- the whole ----

local function unreadable(self)
  local function told(number, err)
    problem(self, "partials.jsonl:" .. number, nil, nil, "a row of this version", tostring(err))
  end
  for _ in rundir.rows(self.path .. "/partials.jsonl", { "type" }, told) do end -- luacheck: ignore 542
end

---Checks the folder of a run. Returns { path, problems = { { file, row?, field?, expected, found } }, trials, verdicts
---(given again), files, unjudged (answers without a verdict), others (verdicts that are not of rule judges of the
---results), taken (judges that cannot be asked again) }. Raises { exit = 3 | 4 } where it is no run.
---@param path string
function verify.run(path)
  local opened = source.open(path, true)
  if not opened.store then
    shape.fail(("%s: expected the folder of a run: a results file alone has nothing to be held against"):format(path))
  end
  local info = opened.info
  if type(info.files) ~= "table" or type(info.plan) ~= "table" then
    shape.fail(("%s/run.json: it does not say what was run (files, plan)"):format(opened.path))
  end
  local self = setmetatable({ path = opened.path, info = info, old = info, store = opened.store,
    samples = opened.samples, problems = {},
    judges = {}, by_hash = {}, blocks = {}, waiting = {}, taken = json.array {}, trials = 0, verdicts = 0, files = 0,
    unjudged = 0, others = 0 }, Check)
  check_files(self)
  for _, suite in ipairs(info.inputs.suites) do check_suite(self, suite) end
  check_planned(self)
  unreadable(self)
  open_judges(self)
  check_verdicts(self)
  local figures = figures_of(self)
  if figures then
    check_results(self, figures)
    tables.check(self.path, self.path .. "/partials.jsonl", figures, function(...) problem(self, ...) end)
  end
  for _, one in ipairs(self.judges) do one:close() end
  return { path = self.path, problems = json.array(self.problems), trials = self.trials, verdicts = self.verdicts,
    files = self.files, unjudged = self.unjudged, others = self.others, taken = self.taken }
end

-- So many problems are printed; --json has them all.
local SHOWN = 20

---One problem as a line: file, row, field, what was expected, what was found.
---@return string
function verify.line(one)
  local where = one.file .. (one.row and ": " .. one.row or "") .. (one.field and ": " .. one.field or "")
  return ("%s: expected %s, found %s"):format(where, diff.show(one.expected), diff.show(one.found))
end

---As text.
---@return string
function verify.text(out)
  local lines = {}
  for i = 1, math.min(#out.problems, SHOWN) do lines[i] = "WRONG " .. verify.line(out.problems[i]) end
  if #out.problems > SHOWN then
    lines[#lines + 1] = ("... and %d more (--json has all)"):format(#out.problems - SHOWN)
  end
  lines[#lines + 1] = ("%s: %d trials, %d verdicts given again, %d files of inputs/, the results: %s"):format(out.path,
    out.trials, out.verdicts, out.files, #out.problems == 0 and "all as recorded" or #out.problems .. " wrong")
  if #out.taken > 0 then
    lines[#lines + 1] = ("not given again, only counted: verdicts of %s (rule judges alone can be asked offline)")
      :format(table.concat(out.taken, ", "))
  end
  if out.unjudged > 0 then
    lines[#lines + 1] = ("%d answers have no verdict: they are counted as unscored"):format(out.unjudged)
  end
  return table.concat(lines, "\n") .. "\n"
end

return verify
