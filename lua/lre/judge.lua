-- judge: gives verdicts on responses. A rule judge is pure and runs in a sandboxed state of its own.
local catalog = require "lre.catalog"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local metrics = require "lre.metrics"
local model_judge = require "lre.model_judge"
local options = require "lre.options"
local sandbox = require "lre.sandbox"
local shape = require "lre.shape"

local judge = {}

-- In each judge's hash: raised when the meaning of what a judge is given or may answer changes.
local CONTRACT = 1

local Judge = {}
Judge.__index = Judge

local ModelJudge = setmetatable(model_judge.methods, Judge)
ModelJudge.__index = ModelJudge

-- ---- the declared table ----

local answer = shape.either(
  shape.string(),
  shape.record {
    text = shape.optional(shape.string()),
    finish_reason = shape.optional(shape.one_of { "stop", "length", "content_filter", "refusal", "tool", "other" }),
    reasoning = shape.optional(shape.string()),
    usage = shape.optional(shape.map(shape.any())),
    model = shape.optional(shape.string()),
  }
)

local example = shape.record {
  prompt = shape.optional(shape.string()),
  response = shape.optional(answer),
  reply = shape.optional(shape.string()), -- of a model judge: what its model said
  trial = shape.optional(shape.map(shape.any())),
  label = shape.optional(shape.string()),
  value = shape.optional(shape.any()),
  state = shape.optional(shape.one_of { "scored", "undecided", "unscored", "error" }),
  why = shape.optional(shape.string()),
}

local label = shape.string {
  min = 1,
  pattern = "^[%w_][%w_.-]*$",
  what = "label (letters, digits, _ . -)",
}

local cell_field = shape.one_of { "category", "subcategory", "model", "persona" }

local schema = shape.record {
  name = shape.name,
  version = shape.string { min = 1 },
  summary = shape.optional(shape.string()),
  kind = shape.one_of { "rule", "model" },
  -- A judge without labels measures: its value alone is a verdict.
  labels = shape.optional(shape.list(label, { min = 1 })),
  options = shape.optional(options.schema),
  metrics = shape.optional(metrics.schema),
  cells = shape.optional(shape.list(shape.list(cell_field, { min = 1 }))), -- what its figures are also given by
  examples = shape.optional(shape.list(example)),
  validation = shape.optional(shape.string { min = 1 }), -- labelled answers, relative to the judge's file
  -- of rule judges
  patterns = shape.optional(shape.map(shape.any())),
  judge = shape.optional(shape.func()),
  -- of model judges
  prompt = shape.optional(shape.either(shape.string { min = 1 }, shape.func())),
  schema = shape.optional(shape.map(shape.any())),
  schemas = shape.optional(shape.map(shape.map(shape.any()))), -- several, by name ...
  family = shape.optional(shape.func()), -- ... and which of them is a trial's
  derived = shape.optional(shape.list(shape.record { path = shape.string { min = 1 }, of = shape.func() })),
  verdict = shape.optional(shape.func()),
  model = shape.optional(shape.string { min = 1 }),
  params = shape.optional(shape.map(shape.any())),
  blind = shape.optional(shape.either(shape.boolean(), shape.func())), -- the answer alone is shown, not the prompt
  impartial = shape.optional(shape.either(shape.boolean(), shape.func())), -- no tested model may be asked
  combine = shape.optional(shape.func()), -- (values, mean, options): the verdict of several (--judge-repeats)
}

local needs = { rule = { "judge" }, model = { "prompt", "verdict" } }
local refuses = { rule = { "prompt", "schema", "schemas", "family", "derived", "verdict", "model", "params", "blind",
  "impartial", "combine" },
  model = { "judge", "patterns" } }
-- What an example must bring, and what it must not: a rule judge reads answers, a model judge's verdict reads replies.
local example_needs = { rule = "response", model = "reply" }

local function contains(list, word)
  for _, entry in ipairs(list) do
    if entry == word then
      return true
    end
  end
  return false
end

local function check_kind(t, say)
  for _, field in ipairs(needs[t.kind]) do
    if t[field] == nil then
      say(field, ("a %s judge needs it, got nil"):format(t.kind))
    end
  end
  for _, field in ipairs(refuses[t.kind]) do
    if t[field] ~= nil then
      say(field, ("a %s judge has none"):format(t.kind))
    end
  end
  if t.schema and t.schemas then
    say("schemas", "a judge has one schema, or several by name, not both")
  elseif (t.schemas == nil) ~= (t.family == nil) then
    say("family", "`schemas` and `family` (which of them is a trial's) belong together")
  elseif t.derived and not t.schema and not t.schemas then
    say("derived", "a reply without a schema has no fields to derive")
  end
end

local function check_labels(t, say)
  local seen, labels = {}, t.labels or {}
  for i, word in ipairs(labels) do
    if seen[word] then
      say(("labels[%d]"):format(i), ("label %s is there twice"):format(shape.quote(word)))
    end
    seen[word] = true
  end
  for i, case in ipairs(t.examples or {}) do
    local path = ("examples[%d]"):format(i)
    local field = example_needs[t.kind]
    if case[field] == nil then
      say(path .. "." .. field, ("an example of a %s judge needs it, got nil"):format(t.kind))
    elseif t.kind == "rule" and case.reply then
      say(path .. ".reply", "an example of a rule judge has none")
    end
    if case.label and not seen[case.label] then
      local expected = #labels > 0 and "one of " .. table.concat(labels, ", ") or "none (the judge declares no labels)"
      say(path .. ".label", ("expected %s, got %s"):format(expected, shape.show(case.label)))
    elseif case.label == nil and case.value == nil and case.state == nil then
      say(path, "expected a label, a value or a state, got none: this example cannot fail")
    end
  end
  if t.options and t.options.as then
    say("options.as", "is taken: `as` renames the judge")
  elseif t.options and t.options.model and t.kind == "model" then
    say("options.model", "is taken: `model` names the model that is asked")
  end
end

-- What the shape alone cannot say.
local rules = {
  what = schema.what,
  check = function(_, t, path, out)
    local before = #out
    schema:check(t, path, out)
    if #out > before then
      return
    end
    local function say(field, detail)
      out[#out + 1] = { path = field, detail = detail }
    end
    check_kind(t, say)
    check_labels(t, say)
  end,
}

---lre.judge{ name, version, kind = "rule", labels?, options?, patterns?, judge, examples? }, or
---lre.judge{ name, version, kind = "model", labels?, options?, prompt, schema?, verdict, model?, params?, examples? }
---@param t table
---@return table t
function judge.declare(t)
  return shape.declare("judge", rules, t)
end

-- ---- opening ----

local function new_sandbox(chunk, values, limits)
  local modules = {}
  for name, module in pairs(chunk.modules) do
    modules[name] = { chunk = module.chunk, source = module.source }
  end
  local state, err = sandbox.new {
    name = "@" .. chunk.name,
    source = chunk.source,
    modules = modules,
    options = values,
    limits = limits,
  }
  if not state then
    local message = tostring(err.message)
    -- The sandbox names the file where it knows the line.
    local named = message:sub(1, #chunk.name) == chunk.name
    shape.fail(named and message or chunk.name .. ": " .. message)
  end
  return state
end

-- The declared table, checked, without running anything outside of a sandbox.
local function read(chunk, limits)
  local state = new_sandbox(chunk, nil, limits)
  local declared, err = state:declared()
  if not declared then
    shape.fail(("%s: %s"):format(chunk.name, err))
  end
  return shape.assert(rules, declared, chunk.name), chunk, state
end

---What a judge's file declares, shape-checked: for `lre list` and `lre lint`.
---@param name string name or path
---@return table declared, lre.Chunk chunk
function judge.describe(name)
  local declared, chunk, state = read(catalog.chunk(catalog.find("judges", name).path))
  state:close()
  return declared, chunk
end

-- What every judge has.
local function new_judge(declared, chunk, values, alias)
  return {
    name = alias or declared.name,
    judge = catalog.stem(chunk.path),
    version = declared.version,
    summary = declared.summary,
    kind = declared.kind,
    labels = declared.labels or json.array {},
    options = values,
    metrics = metrics.normalise(declared.metrics),
    cells = declared.cells,
    path = chunk.path,
    chunk = chunk,
    validation = declared.validation and (chunk.path:match "^(.*/)" or "") .. declared.validation,
    _examples = declared.examples or {},
  }
end

-- A model judge runs where the experiment runs, so it may be written there. Its hash is the script's.
local function open_inline(t, opt)
  shape.expect_mark(t, "judge", "judges")
  if t.kind == "rule" then
    shape.fail(("judge %s: a rule judge cannot be written inside an experiment: it runs in a sandboxed state of its "
      .. "own, and a function with its local variables cannot go there. Move it to judges/%s.lua"):format(
      shape.quote(t.name), t.name))
  end
  local source = debug.getinfo(t.verdict, "S").source
  local chunk = source:sub(1, 1) == "@" and fs.stat(source:sub(2)) and catalog.chunk(source:sub(2))
  if not chunk then
    shape.fail(("judge %s: the file of its verdict function is not found, so it cannot be hashed"):format(
      shape.quote(t.name)))
  end
  local self = new_judge(t, chunk, options.resolve(t.options, opt.options, "judge " .. shape.quote(t.name)))
  return model_judge.open(setmetatable(self, ModelJudge), t, chunk, nil, opt.asking)
end

local function hash_of(chunk, values)
  return hash.sha256(json.encode { contract = CONTRACT, source = chunk.hash, options = values })
end

-- The first seed's words for the bundled judges.
local ALIASES = { rule = "refusal", llm = "refusal_llm" }

local function check_alias(alias, where)
  if alias and not shape.check(shape.name, alias) then
    shape.fail(("%s: as: expected %s, got %s"):format(where, shape.name.what, shape.show(alias)), 2)
  end
end

-- Read in a sandbox, it is known to be a model judge: now it is loaded where it may wait.
local function open_model(chunk, given, named, alias, opt, where)
  local declared = shape.expect_mark(catalog.run(chunk), "judge", chunk.name)
  local self = new_judge(declared, chunk, options.resolve(declared.options, given, where), alias)
  return model_judge.open(setmetatable(self, ModelJudge), declared, chunk, named, opt.asking)
end

---Opens a judge: a name, a path, or either with options ("brevity:max_words=30,as=b30"), or a model judge that an
---experiment declared. Raises with exit 3 (2 for its options). `limits`: { steps, bytes, regex_match } of a row;
---`asking`: how a model judge gets its model (lre.judge_model.asker), nil where it will ask nothing; `chunk`: the
---script, where it is in hand; `defaults`: options of those that have them and were not given them.
---@param spec string|table
---@param opt { limits: table?, options: table?, defaults: table?, asking: function?, chunk: lre.Chunk? }?
---@return lre.Judge
function judge.open(spec, opt)
  opt = opt or {}
  if type(spec) == "table" then
    return open_inline(spec, opt)
  end
  local name, given = options.spec(spec)
  name = ALIASES[name] or name
  for key, value in pairs(opt.options or {}) do
    given[key] = value
  end
  local alias, named = given.as, given.model
  given.as = nil
  local where = ("judge %s"):format(shape.quote(name))
  check_alias(alias, where)
  local declared, chunk, state = read(opt.chunk or catalog.chunk(catalog.find("judges", name).path), opt.limits)
  for key, value in pairs(opt.defaults or {}) do
    if declared.options and declared.options[key] and given[key] == nil then
      given[key] = value
    end
  end
  if declared.kind == "model" then
    state:close()
    given.model = nil
    return open_model(chunk, given, named, alias, opt, where)
  end
  local values = options.resolve(declared.options, given, where)
  if next(values) then
    state:close()
    state = new_sandbox(chunk, values, opt.limits)
  end
  local self = new_judge(declared, chunk, values, alias)
  self.hash, self.sandbox = hash_of(chunk, values), state
  return setmetatable(self, Judge)
end

-- ---- verdicts ----

local function unscored(code, message)
  return { state = "unscored", reason = { code = code, message = message } }
end

---What is known before the judge is asked. True where the judge must not be asked: then with the verdict, or without
---one where the response is an error.
---@param response lre.Response|{ error: table }
---@return boolean decided, lre.Verdict? verdict
function Judge:decided(response)
  if response.error and response.error ~= json.null then
    return true
  elseif response.finish_reason == "content_filter" then
    return true, unscored("filtered", "a content filter withheld the answer")
  elseif response.finish_reason == "refusal" and contains(self.labels, "refused") then
    return true, { state = "scored", label = "refused", evidence = { provider = "refusal" } }
  elseif type(response.text) == "string" and response.text:find "%S" then
    return false
  elseif response.finish_reason == "length" then
    return true, unscored("truncated_empty", "cut before the first word")
  end
  return true, unscored("empty", "the answer has no text")
end

---Is it one of the declared labels?
---@param word any
---@return boolean
function Judge:has_label(word)
  return contains(self.labels, word)
end

---What the sandbox gave, held against the declared labels.
---@param verdict table
---@return lre.Verdict
function Judge:accept(verdict)
  local state = verdict.state or "scored"
  if state ~= "scored" or #self.labels == 0 or contains(self.labels, verdict.label) then
    verdict.state = state
    return verdict
  end
  return {
    state = "unscored",
    reason = {
      code = "result",
      message = ("%s: the judge gave the label %s, expected one of %s"):format(
        self.chunk.name, shape.show(verdict.label), table.concat(self.labels, ", ")),
    },
  }
end

---A verdict on one answer; nil for a response that is an error. nil, err only for what is not the judge's fault.
---@param input { trial: table, response: table }
---@return lre.Verdict?, lre.Error?
function Judge:verdict(input)
  local decided, verdict = self:decided(input.response)
  if decided then
    return verdict
  end
  local row, err = json.encode(input)
  if not row then
    return nil, err
  end
  local raw, failed = self.sandbox:judge(row)
  if not raw then
    return nil, failed
  end
  return self:accept(raw)
end

local function decode(self, line)
  return self:accept(assert(json.decode(line, { max_depth = 190 })))
end

local function keep(_, what)
  return what
end

local function encode(_, verdict)
  return verdict and assert(json.encode(verdict))
end

-- Judges a block on a worker thread. `known` makes what is kept of a verdict that needed no judge, `given` of a line.
local function judge_block(self, inputs, known, given)
  local out, rows, places = {}, {}, {}
  for i, input in ipairs(inputs) do
    local decided, verdict = self:decided(input.response)
    if decided then
      out[i] = known(self, verdict) or false
    else
      local row, err = input.encoded, nil -- by who has it ready
      if not row then
        row, err = json.encode(input)
      end
      if not row then
        return nil, err
      end
      rows[#rows + 1], places[#places + 1] = row, i
    end
  end
  if #rows == 0 then
    return out
  end
  local lines, err = self.sandbox:judge_block(table.concat(rows, "\n") .. "\n")
  if not lines then
    return nil, err
  end
  local at = 1
  for _, place in ipairs(places) do
    local stop = assert(lines:find("\n", at, true), "the sandbox answered too few rows")
    out[place] = given(self, lines:sub(at, stop - 1))
    at = stop + 1
  end
  assert(at > #lines, "the sandbox answered too many rows")
  return out
end

---Verdicts on many answers, judged on a worker thread (waits). `false` for a response that is an error.
---@param inputs { trial: table, response: table }[]
---@return (lre.Verdict|false)[]?, lre.Error?
function Judge:verdicts(inputs)
  return judge_block(self, inputs, keep, decode)
end

---A verdict line that says a label and at most the evidence for it, taken apart without reading the evidence: the
---label, and the evidence's text (nil: none). nil for every other line. The label is a declared one.
---@param line string
---@return string? label, string? evidence
function Judge:plain_label(line)
  for _, word in ipairs(self.labels) do
    -- It ends in one brace, so these are the outermost object's last members; a label needs no escapes.
    local tail = '"label":"' .. word .. '","state":"scored"}'
    if line:sub(-#tail) == tail then
      local evidence = line:sub(#'{"evidence":' + 1, -#tail - 2)
      return word, evidence ~= "" and evidence or nil
    end
  end
end

---A verdict line as `verdicts` gives it.
---@param line string
---@return lre.Verdict
function Judge:read_line(line)
  return decode(self, line)
end

---The same as canonical JSON texts.
---@param inputs { trial: table, response: table }[]
---@return (string|false)[]?, lre.Error?
function Judge:verdict_lines(inputs)
  return judge_block(self, inputs, encode, keep)
end

---Gives back the memory of what waits for more to judge.
function Judge:rest()
  if self.sandbox then
    self.sandbox:rest()
  end
end

function Judge:close()
  self.sandbox:close()
end

-- ---- examples ----

local function example_input(case, i)
  local response = type(case.response) == "table" and case.response or { text = case.response }
  local prompt = case.prompt or ""
  local trial = {
    key = ("examples/%d|none|example"):format(i),
    suite = "examples",
    sample_id = tostring(i),
    persona = "none",
    model = "example",
    ["repeat"] = 1,
    prompt = prompt,
    messages = json.array { { role = "user", content = prompt } },
  }
  for key, value in pairs(case.trial or {}) do
    trial[key] = value
  end
  local copy = { finish_reason = "stop" }
  for key, value in pairs(response) do
    copy[key] = value
  end
  copy.text = copy.text or ""
  return { trial = trial, response = copy, reply = case.reply }
end

---The judge's own examples as inputs with what they expect.
---@return { n: integer, input: table, expected: table, why: string? }[]
function Judge:examples()
  local list = {}
  for i, case in ipairs(self._examples) do
    list[i] = {
      n = i,
      input = example_input(case, i),
      expected = { label = case.label, value = case.value, state = case.state or case.label and "scored" or nil },
      why = case.why,
    }
  end
  return list
end

return judge
