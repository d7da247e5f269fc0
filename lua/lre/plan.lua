-- plan: suites x personas x models x repeats, as a stream of trials. Holds no sample list.
local filter = require "lre.filter"
local hash = require "lre.hash"
local json = require "lre.json"
local persona = require "lre.persona"
local sample = require "lre.sample"

local plan = {}
local Plan = {}
-- So many problems of a suite are told when it is run; `lre lint` has more.
local MAX_TOLD = 100
Plan.__index = Plan

---Percent-encodes what separates the parts of a key.
---@param part string
---@return string
function plan.escape(part)
  return (part:gsub("[%z\1-\31\127|#%%]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function unescape(part)
  return (part:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

---`suite/sample_id|persona|model`, with `#n` for repeat n > 1.
---@return string
function plan.key(suite, sample_id, persona_name, label, n)
  local key = ("%s/%s|%s|%s"):format(plan.escape(suite):gsub("/", "%%2F"), plan.escape(sample_id),
    plan.escape(persona_name), plan.escape(label))
  return n > 1 and key .. "#" .. n or key
end

---The parts of a key: suite, sample_id, persona, model, repeat; nil where it is not a key.
function plan.parse_key(key)
  local suite, id, who, label = key:match("^([^/|]*)/([^|]*)|([^|]*)|([^|]*)$")
  if not suite then return nil end
  local bare, n = label:match("^(.*)#(%d+)$")
  return unescape(suite), unescape(id), unescape(who), unescape(bare or label), math.tointeger(tonumber(n or 1))
end

-- The lines of a text that ends in a newline; asked again after the last, nil again.
local function lines_of(text)
  local at = 1
  return function()
    local stop = text:find("\n", at, true)
    if not stop then return nil end
    local line = text:sub(at, stop - 1)
    at = stop + 1
    return line
  end
end

-- The canonical JSON of each sample: of the first reading, where that was kept, else of a second one.
local function readings(entry)
  if not entry.kept then
    local pull = entry.suite:samples { expect = entry.hash }
    return function()
      local one, _, encoded = pull()
      return one and (encoded or assert(json.encode(one)))
    end
  end
  local kept, i, lines = entry.kept, 0, nil
  return function()
    while true do
      local line = lines and lines()
      if line then return line end
      i = i + 1
      if not kept[i] then return nil end
      lines = lines_of(kept[i])
    end
  end
end

-- Canonical JSON was checked when it was written; an integer may be beyond 2^53.
local KEPT = { max_bytes = 1 << 30, bigint = "string" }

-- The same without what --filter leaves out.
local function matching(self, entry)
  local pull = readings(entry)
  if not self.wanted then return pull end
  return function()
    while true do
      local line = pull()
      if not line or filter.passes(self.wanted, assert(json.decode(line, KEPT))) then return line end
    end
  end
end

local function count_matching(self, entry)
  local n = 0
  for _ in matching(self, entry) do n = n + 1 end
  if n == 0 then
    error({ exit = 2, message = ("--filter: none of the %d samples of suite %s match; its categories are %s"):format(
      entry.total, entry.name, table.concat(entry.categories, ", ")) }, 0)
  end
  return n
end

-- Tests whose judge would not see the answer, where a judge goes by the tests' own rubrics: how many there are, or,
-- where it is strict, that they are refused.
local function check_rubrics(entry)
  if not entry.placeless or #entry.placeless == 0 then return end
  for _, judge in ipairs(entry.judges) do
    local mode = judge.options and judge.options.judge_prompt
    entry.appended = entry.appended or mode == "append" and #entry.placeless or nil
    if mode == "strict" then
      error({ exit = 3, message = ("suite %s: --judge-prompt strict: %d of %d tests have a judge_prompt without a "
        .. "place for the answer (<<<CANDIDATE_RESPONSE>>>): %s. Write it there, or use --judge-prompt append."):format(
        entry.name, #entry.placeless, entry.total, table.concat(entry.placeless, ", ")) }, 0)
    end
  end
end

-- One suite of the plan: its samples counted and hashed, its tag known.
local function enter_suite(self, given)
  local first = given.checked or given.suite:check { keep = true }
  if #first.problems > 0 then
    local lines = {}
    for i = 1, math.min(#first.problems, MAX_TOLD) do lines[i] = tostring(first.problems[i].message) end
    if #first.problems > MAX_TOLD then
      lines[MAX_TOLD + 1] = ("... and %d more; `lre lint` lists them"):format(#first.problems + (first.more or 0)
        - MAX_TOLD)
    end
    error({ exit = 3, message = table.concat(lines, "\n") }, 0)
  end
  local entry = { suite = given.suite, name = given.suite.name, hash = first.hash, total = first.count,
    kept = first.kept, generates = first.generates, placeless = first.placeless, categories = first.categories,
    judges = given.judges }
  entry.matched = self.wanted and count_matching(self, entry) or first.count
  entry.count = math.min(entry.matched, self.limit or math.huge, self.sample or math.huge)
  entry.tag = self.wanted and ("[filtered %d/%d]"):format(entry.matched, first.count) or ""
  if self.sample then entry.tag = entry.tag .. sample.tag(self.sample, entry.matched, self.seed) end
  if self.shard then entry.tag = ("%s[shard %d/%d]"):format(entry.tag, self.shard.i, self.shard.n) end
  entry.title = entry.name .. entry.tag
  check_rubrics(entry)
  return entry
end

local function no_duplicates(list, field, what)
  local seen = {}
  for _, item in ipairs(list) do
    if seen[item[field]] then
      error({ exit = 2, message = ('two %ss are called "%s"; %s'):format(what, item[field],
        what == "judge" and "give one another name with :as=NAME" or "give each once, or rename one") }, 0)
    end
    seen[item[field]] = true
  end
end

---A plan. `spec`: suites = { { suite = Suite, judges = { Judge, ... } }, ... }, personas, models, repeats, limit,
---filter (what --filter says), sample, seed, params.
---Reads every suite once: raises { exit = 3 } with all its problems.
function plan.new(spec)
  local self = setmetatable({ personas = spec.personas, models = spec.models, repeats = spec.repeats or 1,
    limit = spec.limit, filter = spec.filter, wanted = filter.parse(spec.filter or {}),
    sample = spec.sample, seed = spec.seed or 42, params = spec.params or {}, suites = {}, judges = {},
    shard = spec.shard and plan.parse_shard(spec.shard) }, Plan)
  if self.limit and self.sample then error({ exit = 2, message = "--limit and --sample: choose one" }, 0) end
  local seen = {}
  for i, given in ipairs(spec.suites) do
    self.suites[i] = enter_suite(self, given)
    no_duplicates(given.judges, "name", "judge")
    for _, judge in ipairs(given.judges) do
      if not seen[judge] then table.insert(self.judges, judge) end
      seen[judge] = true
    end
  end
  no_duplicates(self.suites, "name", "suite")
  no_duplicates(self.personas, "name", "persona")
  no_duplicates(self.models, "label", "model")
  no_duplicates(self.judges, "name", "judge")
  return self
end

---The plan of a run that is on disk, as far as its trials go: suites = { { name } }, personas, models = { { label } },
---repeats, judges.
function plan.stored(fields)
  return setmetatable(fields, Plan)
end

---How many trials there are, of all shards.
function Plan:full_count()
  local n = 0
  for _, entry in ipairs(self.suites) do n = n + entry.count end
  return n * #self.personas * #self.models * self.repeats
end

---How many trials there are to ask.
function Plan:count()
  if not self.shard then return self:full_count() end
  if not self.shard_count then
    self.shard_count = 0
    for _ in self:trials() do self.shard_count = self.shard_count + 1 end
  end
  return self.shard_count
end

---"2/5" as { i = 2, n = 5 }. Raises { exit = 2 }.
function plan.parse_shard(text)
  local i, n = text:match "^(%d+)/(%d+)$"
  i, n = math.tointeger(tonumber(i)), math.tointeger(tonumber(n))
  if not i or not n or i < 1 or i > n or n > 100000 then
    error({ exit = 2, message = ('--shard: expected I/N with I from 1 to N, got "%s"'):format(text) }, 0)
  end
  return { i = i, n = n }
end

-- Which of n parts a trial is in: its key's place in the space of hashes, so whoever asks, and however a suite grows,
-- it stays in its part.
local function in_shard(shard, key)
  return not shard or hash.unit(key) * shard.n // 1 + 1 == shard.i
end

---The chosen samples of one suite, in order, as canonical JSON. Raises where a generator gives other samples than at
---its first reading.
---@return fun(): string?
function Plan:lines(entry)
  local chosen = self.sample and sample.positions(self.sample, entry.matched, self.seed)
  local pull, position, given = matching(self, entry), 0, 0
  return function()
    while true do
      local line = pull()
      if not line then return nil end
      position = position + 1
      if (not chosen or chosen[position]) and given < entry.count then
        given = given + 1
        return line
      end
    end
  end
end

---The same as texts of whole lines, few where the first reading was kept.
---@return fun(): string?
function Plan:texts(entry)
  local kept, i = not self.sample and entry.count == entry.total and entry.kept, 0
  if kept then
    return function()
      i = i + 1
      return kept[i]
    end
  end
  local pull = self:lines(entry)
  return function()
    local line = pull()
    return line and line .. "\n"
  end
end

---The same as tables.
function Plan:samples(entry)
  local pull = self:lines(entry)
  return function()
    local line = pull()
    return line and assert(json.decode(line, KEPT))
  end
end

-- What a sample belongs to under its suite's `clusters`: a field of its metadata, or its own. nil: to nothing else.
local function cluster_of(one, field)
  local value = one.metadata and one.metadata[field]
  if value == nil then value = one[field] end
  if value == nil or value == json.null then return nil end
  return type(value) == "table" and assert(json.encode(value)) or tostring(value)
end

-- The stream over one suite's samples.
local function suite_trials(self, entry, pull, skip)
  local models, personas, repeats = self.models, self.personas, self.repeats
  local clusters = entry.suite and entry.suite.clusters
  local a_sample = #personas * #models * repeats
  local prefix, current, messages, asked, index = nil, nil, nil, nil, a_sample
  local name = plan.escape(entry.name):gsub("/", "%%2F")
  return function()
    if index == a_sample then
      current = pull()
      if not current then return nil end
      prefix, index, asked = name .. "/" .. plan.escape(current.id) .. "|", 0, nil
    end
    local who = personas[index // (#models * repeats) + 1]
    local model, n = models[index // repeats % #models + 1], index % repeats + 1
    index = index + 1
    local key = prefix .. self._persona_part[who] .. self._label_part[model]
    if n > 1 then key = key .. "#" .. n end
    if not in_shard(self.shard, key) or skip and skip(key) then return true end
    if asked ~= who then messages, asked = persona.apply(who, current.messages), who end
    return { key = key, suite = entry.name, sample = current, persona = who, model = model, messages = messages, n = n,
      cluster = clusters and cluster_of(current, clusters) }
  end
end

---Streams all trials { key, suite, sample, persona, model, messages, n }: by suite, sample, persona, model, repeat.
---`open(entry)` gives a suite's chosen samples (default: the suite itself). Trials for whose key `skip` is true are
---left out, and are not made.
function Plan:trials(open, skip)
  self._persona_part, self._label_part = {}, {}
  for _, who in ipairs(self.personas) do self._persona_part[who] = plan.escape(who.name) .. "|" end
  for _, model in ipairs(self.models) do self._label_part[model] = plan.escape(model.label) end
  local i, pull = 0, nil
  return function()
    while true do
      local trial = pull and pull()
      while trial == true do trial = pull() end
      if trial then return trial end
      i = i + 1
      local entry = self.suites[i]
      if not entry then return nil end
      pull = suite_trials(self, entry, open and open(entry) or self:samples(entry), skip)
    end
  end
end

local function each(list, fn)
  local out = json.array {}
  for i, item in ipairs(list) do out[i] = fn(item) end
  return out
end

---What a run asks and how it judges, as plain data: what must be equal for a run to be resumed. --limit and --shard are
---not in it: a run may grow.
function Plan:identity()
  return {
    suites = each(self.suites, function(e)
      return { name = e.name, hash = e.hash, clusters = e.suite.clusters,
        judges = each(e.judges, function(j) return j.name end) }
    end),
    judges = each(self.judges, function(j) return { name = j.name, hash = j.hash } end),
    personas = each(self.personas, function(p) return { name = p.name, hash = p.hash } end),
    models = each(self.models, function(m)
      return { label = m.label, id = m.id, adapter = m.adapter, base_url = m.base_url, options = m.options,
        params = m.params, hash_inputs = m.hash_inputs }
    end),
    params = self.params, repeats = self.repeats, sample = self.sample, seed = self.seed,
    filter = self.wanted and self.filter or nil,
  }
end

---SHA-256 of the plan's identity.
function Plan:hash()
  return hash.sha256(assert(json.encode(self:identity())))
end

return plan
