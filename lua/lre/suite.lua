-- suite: a named stream of samples: a JSONL or CSV file, or a Lua file that generates them. Never held as a list.
--
-- It is read twice: once to check it, count it and hash its canonical samples (that is the suite's hash), once to run.
-- What the first reading saw of a small file is kept, and stands for the second: only a generator can give others.
local catalog = require "lre.catalog"
local contrasts = require "lre.contrasts"
local csv = require "lre.csv"
local fs = require "lre.fs"
local grid = require "lre.grid"
local hash = require "lre.hash"
local json = require "lre.json"
local metrics = require "lre.metrics"
local options = require "lre.options"
local row = require "lre.row"
local sched = require "lre.sched"
local set = require "lre.set"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local suite_row = require "lre.suite_row"
local text = require "lre.text"
local turns = require "lre.turns"
local writer = require "lre.writer"

local suite = {}

-- A line longer than this is no sample: the longest context windows are a tenth of it.
local MAX_LINE_BYTES = 16 * 1024 * 1024
-- CSV is read whole (a quoted field may span lines).
local MAX_CSV_BYTES = 256 * 1024 * 1024
-- All are counted, so many are kept.
local MAX_PROBLEMS = 1000
-- Of canonical samples that are kept from the first reading: 100,000 questions of a line. A larger file is read again.
local MAX_KEPT_BYTES = 16 * 1024 * 1024
-- Hashed and kept as texts of so many lines, or a little over so many bytes.
local BLOCK_LINES, BLOCK_BYTES = 256, 1 << 16

local Suite = {}
Suite.__index = Suite

-- ---- the declared table ----

local schema = shape.record {
  name = shape.name,
  version = shape.optional(shape.string { min = 1 }),
  summary = shape.optional(shape.string()),
  judges = shape.optional(shape.list(shape.string { min = 1 }, { min = 1 })),
  samples = shape.either(shape.func(), shape.list(shape.any())),
  options = shape.optional(options.schema),
  metrics = shape.optional(metrics.schema),
  clusters = shape.optional(shape.string { min = 1 }),
  contrasts = shape.optional(contrasts.schema),
  roster = shape.optional(shape.string { min = 1 }),
}

---lre.suite{ name, samples, version?, judges?, options?, metrics?, clusters?, contrasts?, roster? }
---`roster`: the project's file of models, read where nobody names one.
---@param t table
---@return table t
function suite.declare(t)
  return shape.declare("suite", schema, t)
end

-- ---- sources: each gives `pull() -> row, line, field prefix`, or nil, line, prefix, problem ----
-- A problem that ends the reading has `last = true`.

local function say(field, detail)
  return { field = field, detail = detail }
end

-- Raised values of our own iterators and of a script's, as a problem that ends the reading.
local function ended(err, detail)
  if type(err) == "table" and err.exit then
    error(err, 0)
  end
  local problem = say(nil, detail or tostring(err))
  problem.last = true
  return problem
end

local function without_bom(line)
  return (line:gsub("^\239\187\191", ""))
end

-- `brief`: of a common row only what the first reading wants, fifth: { id, category, encoded (the canonical sample) }.
local function jsonl_rows(self, brief)
  local opened, next_line = pcall(fs.lines, self.path, MAX_LINE_BYTES)
  local number = 0
  return function()
    while true do
      local ok, line = opened, next_line
      if ok then
        ok, line = pcall(next_line)
      end
      if not ok then
        if type(line) == "table" and line.code == "line_too_long" then
          line = ("a line of more than %d MiB"):format(MAX_LINE_BYTES >> 20)
        end
        return nil, number + 1, "", ended(line)
      elseif not line then
        return nil
      end
      number = number + 1
      if number == 1 then
        line = without_bom(line)
      end
      local id, category, encoded
      if brief then
        id, category, encoded = suite_row.common(line)
      end
      if id then
        return nil, number, "", nil, { id = id, category = category, encoded = encoded }
      elseif line:find "%S" and not line:find "^%s*#" then
        local value, err = json.decode(line)
        if value == nil then
          return nil, number, "", say(nil, "not valid JSON: " .. tostring(err))
        end
        return value, number, ""
      end
    end
  end
end

-- In a CSV cell a conversation, metadata or factors are JSON.
local json_columns = { messages = true, conversation = true, metadata = true, factors = true }

local function cell(name, value)
  if value == "" then
    return nil
  elseif json_columns[name] then
    local decoded, err = json.decode(value)
    if decoded == nil then
      return nil, say(name, "expected JSON: " .. tostring(err))
    end
    return decoded
  end
  return value
end

local function csv_row(header, record)
  if #record ~= #header then
    return nil, say(nil, ("expected %d fields as in the header, got %d"):format(#header, #record))
  end
  local value = {}
  for i, name in ipairs(header) do
    local got, problem = cell(name, record[i])
    if problem then
      return nil, problem
    end
    value[name] = got
  end
  return value
end

local function csv_header(record)
  local seen = {}
  for i, name in ipairs(record) do
    record[i] = text.trim(name)
    if record[i] == "" or seen[record[i]] then
      local what = record[i] == "" and "column %d has no name" or "column %d has the name of another"
      return nil, say(record[i] ~= "" and record[i] or nil, what:format(i))
    end
    seen[record[i]] = true
  end
  return record
end

local function csv_source(self)
  local source, err = fs.read(self.path, MAX_CSV_BYTES)
  if not source then
    return nil, 1, ended(err)
  end
  source = without_bom(source)
  local valid, offset = text.valid_utf8(source)
  local nul = source:find("\0", 1, true)
  if nul or not valid then
    local line = 1 + select(2, source:sub(1, nul or offset):gsub("\n", ""))
    return nil, line, ended(nil, nul and "a NUL byte" or ("invalid UTF-8 (byte %d of the file)"):format(offset))
  end
  return csv.records(source)
end

local function csv_rows(self)
  local records, where, broken = csv_source(self)
  local header
  return function()
    if not records then
      local problem, line = broken, where
      broken, records = nil, function() end
      return nil, line, "", problem
    end
    while true do
      local ok, record, line = pcall(records)
      if not ok then
        records = function() end
        if type(record) == "table" and record.exit then error(record, 0) end
        local at, detail = tostring(record):match("^line (%d+): (.*)$")
        return nil, math.tointeger(at), "", ended(nil, detail or tostring(record))
      elseif not record then
        return nil
      elseif not header then
        local problem
        header, problem = csv_header(record)
        if not header then
          problem.last = true
          records = function() end
          return nil, line, "", problem
        end
      elseif #record > 1 or record[1] ~= "" then
        local value, problem = csv_row(header, record)
        return value, line, "", problem
      end
    end
  end
end

local function lua_source(self)
  local samples = self._declared.samples
  if type(samples) == "function" then
    samples = samples(options.resolve(self._declared.options, self.options, self._shown))
  end
  if type(samples) == "table" then
    local list, i = samples, 0
    samples = function()
      i = i + 1
      return list[i]
    end
  end
  if type(samples) ~= "function" then
    error(("samples: expected a list or an iterator (coroutine.wrap), got %s"):format(shape.show(samples)), 0)
  end
  return samples
end

local function lua_rows(self)
  local ok, pull = xpcall(lua_source, catalog.traceback, self)
  local n = 0
  return function()
    n = n + 1
    local value
    if ok then
      ok, value = xpcall(pull, catalog.traceback)
    else
      value = pull
    end
    local prefix = ("samples[%d]"):format(n)
    if not ok then
      return nil, nil, prefix, ended(value)
    elseif value == nil then
      return nil
    end
    return value, nil, prefix
  end
end

local sources = { jsonl = jsonl_rows, csv = csv_rows, lua = lua_rows }

-- ---- reading ----

-- The field as a message shows it: "samples[3].id", or "id" where a line says which sample.
local function join_field(prefix, field)
  if prefix == "" or not field then
    return prefix ~= "" and prefix or field
  end
  return field:sub(1, 1) == "[" and prefix .. field or prefix .. "." .. field
end

local finding = {
  __tostring = function(self)
    return self.message
  end,
}

-- `message` is whole (file:line: field: detail); the parts are for tools.
local function located(self, line, field, detail)
  local shown = text.terminal(detail, true)
  local where = self._shown .. (line and ":" .. line or "")
  return setmetatable({
    file = self._shown,
    line = line,
    field = field,
    detail = shown,
    message = ("%s: %s%s"):format(where, field and text.terminal(field) .. ": " or "", shown),
  }, finding)
end

-- Iterates: sample, line, prefix, or false, line, prefix, problems; then loose keys. `brief`: see jsonl_rows.
local function normalised(self, brief)
  local pull = sources[self.kind](self, brief and not self._grid and not self.with_rubrics)
  if self._grid then pull = grid.rows(self, pull) end
  local from_lua = self.kind == "lua"
  local over = false
  return function()
    if over then
      return nil
    end
    local value, line, prefix, problem, common = pull()
    if common then
      return common, line, prefix
    elseif problem then
      over = problem.last
      return false, line, prefix, { problem }
    elseif value == nil then
      return nil
    end
    local sample, problems, loose = row.normalise(value, from_lua, self.with_rubrics)
    return sample or false, line, prefix, problems, loose
  end
end

local write_sample = writer.new { "id", "messages", "category", "subcategory", "target", "metadata" }

-- One sample's canonical JSON; a string that is not UTF-8, a number that is not finite: said here.
local function canonical(one)
  local line = write_sample(one.id, one.messages, one.category, one.subcategory, one.target, one.metadata)
  if line then return line end
  local _, err = json.encode(one) -- it names the place
  return nil, tostring(err)
end

local function fail_changed(self)
  local why = self.kind == "lua" and "its generator must give the same samples each time it is called"
    or "the file was changed while it was read"
  shape.fail(("%s: the second reading gave other samples than the first: %s"):format(self._shown, why))
end

---Iterates over the samples (sample, line). Raises with exit 3 at the first that is wrong; with `expect` (the hash of
---the first reading) also at the end, where the samples were others, and the sample's canonical JSON comes third.
---@param opt { expect: string? }?
---@return fun(): lre.Sample?, integer?, string?
function Suite:samples(opt)
  local pull = normalised(self)
  local expect = opt and opt.expect
  local running = expect and hash.new()
  local done = false
  return function()
    if done then
      return nil
    end
    local sample, line, prefix, problems = pull()
    if sample == nil then
      done = true
      if running and running:hex() ~= expect then
        fail_changed(self)
      end
      return nil
    elseif not sample then
      local first = problems[1]
      shape.fail(located(self, line, join_field(prefix, first.field), first.detail).message)
    end
    local encoded, err
    if running then
      encoded, err = canonical(sample)
      if not encoded then
        shape.fail(located(self, line, join_field(prefix), err).message)
      end
      running:update(encoded):update "\n"
    end
    return sample, line, encoded
  end
end

-- ---- the first reading ----

local usual_categories = { "harmful", "helpful", "borderline" }

local Check = {}
Check.__index = Check

function Check:add(list, line, prefix, field, detail)
  if #list < MAX_PROBLEMS then
    list[#list + 1] = located(self.suite, line, join_field(prefix, field), detail)
  else
    self.more = self.more + 1
  end
end

-- Keys that went to metadata though they look like one of ours: told once each.
function Check:suspect_keys(line, prefix, loose)
  for _, key in ipairs(loose or {}) do
    if not self.keys_seen[key] then
      self.keys_seen[key] = true
      local hint = row.suspicion(key)
      if hint ~= "" then
        self:add(self.warnings, line, prefix, key, "unknown key, kept as metadata." .. hint)
      end
    end
  end
end

-- The sets keep 8 bytes a sample: what they call seen is only suspected, and a second pass decides.
function Check:suspect_id(id)
  if not self.ids:add(id) then
    self.suspect_ids[id] = true
    self.suspects = self.suspects + 1
  end
end

function Check:suspect_duplicates(sample, encoded_messages)
  self:suspect_id(sample.id)
  if self.texts and not self.texts:add(encoded_messages) then
    self.suspect_texts[hash.sha256(encoded_messages)] = true
    self.suspects = self.suspects + 1
  end
end

-- A rubric that does not show its judge the answer: most verdicts of one of the seeds were given that way.
function Check:find_placeless(sample, line, prefix)
  if not row.is_placeless(sample) then
    return
  end
  self.placeless[#self.placeless + 1] = sample.id
  local detail = "test %s has no place for the answer (<<<CANDIDATE_RESPONSE>>>); the judge is shown it behind the "
    .. "rubric, and --judge-prompt strict refuses the test"
  self:add(self.warnings, line, prefix, "judge_prompt", detail:format(shape.quote(sample.id)))
end

function Check:count_category(category, line, prefix)
  local seen = category and self.categories[category]
  if seen then
    seen.n = seen.n + 1
  elseif category then
    self.categories[category] = { n = 1, line = line, prefix = prefix }
  end
end

-- Some lines become one text, which ends in a newline.
function Check:end_block()
  local lines = self.lines
  lines[#lines + 1] = ""
  local block = table.concat(lines, "\n")
  self.lines, self.pending = {}, 0
  self.hasher:update(block)
  self.bytes = self.bytes + #block
  if self.bytes > MAX_KEPT_BYTES then
    self.kept = nil
  elseif self.kept then
    self.kept[#self.kept + 1] = block
  end
end

function Check:sample(sample, line, prefix)
  local encoded, err = sample.encoded, nil
  if not encoded then
    encoded, err = canonical(sample)
  end
  if not encoded then
    return self:add(self.problems, line, prefix, nil, err)
  end
  local lines = self.lines
  self.count = self.count + 1
  self.generates = self.generates or sample.messages ~= nil and turns.count(sample.messages) > 0
  self:find_placeless(sample, line, prefix)
  lines[#lines + 1] = encoded
  self.pending = self.pending + #encoded
  if #lines == BLOCK_LINES or self.pending > BLOCK_BYTES then
    self:end_block()
  end
  self:suspect_duplicates(sample, self.texts and json.encode(sample.messages))
  self:count_category(sample.category, line, prefix)
end

local function first_seen(line, prefix)
  return line and "line " .. line or prefix
end

-- The second pass over what is suspected, exactly.
function Check:find_duplicates()
  local first_id, first_text = {}, {}
  for sample, line, prefix, problems in normalised(self.suite) do
    local id = sample and sample.id or not sample and problems.id
    if id and self.suspect_ids[id] then
      if first_id[id] then
        local detail = ("duplicate id %s, first on %s"):format(shape.quote(id), first_id[id])
        self:add(self.problems, line, prefix, "id", detail)
      end
      first_id[id] = first_id[id] or first_seen(line, prefix)
    end
    local sum = sample and self.texts and hash.sha256(json.encode(sample.messages))
    if sum and self.suspect_texts[sum] then
      if first_text[sum] then
        self:add(self.warnings, line, prefix, nil, ("duplicate text, first on %s"):format(first_text[sum]))
      end
      first_text[sum] = first_text[sum] or first_seen(line, prefix)
    end
  end
end

-- A category is free text, but one odd word among the usual three is a slip.
function Check:judge_categories(names)
  local usual, odd = 0, {}
  for _, name in ipairs(names) do
    local is_usual = false
    for _, word in ipairs(usual_categories) do
      is_usual = is_usual or name == word
    end
    if is_usual then
      usual = usual + 1
    else
      odd[#odd + 1] = name
    end
  end
  for _, name in ipairs(odd) do
    local hint = suggest.sentence(name, usual_categories)
    if hint ~= "" or (#odd == 1 and usual > 0) then
      local at = self.categories[name]
      local expected = "expected one of harmful, helpful, borderline like the others, got "
      self:add(self.warnings, at.line, at.prefix, "category", expected .. shape.quote(name) .. "." .. hint)
    end
  end
end

-- By line, then in the order of finding.
local function sort_findings(list)
  local order = {}
  for i, entry in ipairs(list) do
    order[entry] = i
  end
  table.sort(list, function(a, b)
    if (a.line or 0) ~= (b.line or 0) then
      return (a.line or 0) < (b.line or 0)
    end
    return order[a] < order[b]
  end)
end

function Check:finish()
  if self.suspects > 0 then
    self:find_duplicates()
  end
  if self.count == 0 and #self.problems == 0 then
    self:add(self.problems, nil, "", nil, "no samples: expected at least one")
  end
  local names = shape.keys(self.categories)
  self:judge_categories(names)
  sort_findings(self.problems)
  sort_findings(self.warnings)
  self:end_block()
  return {
    count = self.count,
    hash = self.hasher:hex(),
    categories = json.array(names),
    problems = self.problems,
    warnings = self.warnings,
    more = self.more,
    kept = #self.problems == 0 and self.kept or nil,
    generates = self.generates,
    placeless = self.placeless,
  }
end

---The first reading: all problems, not the first. Never raises for what is wrong in a sample. `generates`: some turns
---are left to be filled; `placeless`: the ids of tests whose rubric has no place for the answer.
---`problems` make the suite unusable; `warnings` do not (a category that looks mistyped, a key kept as metadata, and
---with `texts` the same messages twice). At most 1,000 of each are kept; `more` counts the rest. With `keep`, `kept` is
---the canonical samples of a file in strings of whole lines; nil for a generator and for what is large.
---@param opt { texts: boolean?, keep: boolean? }?
---@return lre.SuiteCheck
function Suite:check(opt)
  local check = setmetatable({
    suite = self,
    count = 0,
    more = 0,
    suspects = 0,
    problems = {},
    warnings = {},
    categories = {},
    keys_seen = {},
    placeless = {},
    suspect_ids = {},
    suspect_texts = {},
    hasher = hash.new(),
    ids = set.new(),
    texts = opt and opt.texts and set.new() or nil,
    kept = opt and opt.keep and self.kind ~= "lua" and {} or nil,
    lines = {},
    pending = 0,
    bytes = 0,
  }, Check)
  for sample, line, prefix, problems, loose in normalised(self, not check.texts) do
    local stop, signal = sched.interrupted()
    if stop then -- a generator need not end
      local message = ("interrupted while %s was read; nothing was sent"):format(self._shown)
      error({ exit = 128 + signal, message = message }, 0)
    end
    if sample then
      check:sample(sample, line, prefix)
      check:suspect_keys(line, prefix, loose)
    else
      for _, problem in ipairs(problems) do
        check:add(check.problems, line, prefix, problem.field, problem.detail)
      end
      if problems.id then
        check:suspect_id(problems.id)
      end
    end
  end
  return check:finish()
end

-- ---- opening ----

local function open_script(self, given, where)
  local declared, chunk = catalog.load(self.path, "suite")
  self.name = declared.name
  self.version = declared.version or "1"
  self.summary = declared.summary
  self.judges = declared.judges or { "refusal" }
  self.metrics = metrics.normalise(declared.metrics)
  self.clusters = declared.clusters
  self.contrasts = declared.contrasts
  self.roster = declared.roster
  self.options = options.resolve(declared.options, given, where)
  self.source_hash = chunk.hash
  self._declared = declared
  return self
end

-- One that an experiment declared.
local function open_declared(t, given)
  shape.expect_mark(t, "suite", "suites")
  local self = setmetatable({ kind = "lua", _shown = t.name, _declared = t }, Suite)
  self.name, self.version, self.summary = t.name, t.version or "1", t.summary
  self.judges = t.judges or { "refusal" }
  self.metrics, self.clusters, self.contrasts = metrics.normalise(t.metrics), t.clusters, t.contrasts
  self.roster = t.roster
  self.options = options.resolve(t.options, given, ("suite %s"):format(shape.quote(t.name)))
  return self
end

-- A file of tests with rubrics is known by its first row.
local function first_has_rubric(self)
  return row.is_alignment((sources[self.kind](self)()))
end

local function kind_of(path)
  local extension = path:match "%.(%a+)$"
  if sources[extension] then
    return extension
  end
  return "jsonl"
end

---Opens a suite: a name, a path, or either with options ("grid:size=10"); or one that an experiment declared.
---Raises with exit 3. Its samples are read by `check` and `samples`.
---@param name string|table
---@param opt { options: table<string, any>? }?
---@return lre.Suite
function suite.open(name, opt)
  local more = opt and opt.options or {}
  if type(name) == "table" then
    return open_declared(name, more)
  end
  local bare, given = options.spec(name)
  for key, value in pairs(more) do
    given[key] = value
  end
  local found = catalog.find("suites", bare)
  local self = setmetatable({ path = found.path, kind = kind_of(found.path), _shown = found.path }, Suite)
  local where = ("suite %s"):format(shape.quote(bare))
  if self.kind == "lua" then
    self._shown = catalog.display(found.path)
    return open_script(self, given, where)
  end
  self.options = options.resolve(nil, given, where)
  self.name, self.version, self.judges = catalog.stem(found.path), "1", { "refusal" }
  if self.kind == "jsonl" then grid.adopt(self, suite.open) end
  if first_has_rubric(self) then
    self.with_rubrics, self.judges = true, { "alignment" }
  end
  return self
end

return suite
