-- import: results, responses and labels that the first seed (lm-refusal-eval 0.1) wrote, as a results.json or as the
-- folder of a run; partials of the third. What those files do not say stays unsaid: no prompt, no finish reason, no
-- adapter is made up.
local aggregate = require "lre.aggregate"
local alignment = require "lre.alignment_import"
local answers = require "lre.answers"
local clock = require "lre.clock"
local finals = require "lre.finals"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local log = require "lre.log"
local persona = require "lre.persona"
local plan = require "lre.plan"
local results = require "lre.results"
local rundir = require "lre.rundir"
local shape = require "lre.shape"
local stats = require "lre.stats"
local suite = require "lre.suite"

local import = {}

-- The seed rounded to 6 decimals.
local ROUNDING = 5.1e-7
-- Its judges' verdicts are not ours: they keep names of their own.
local JUDGES = { rule = "seed_rule", llm = "seed_llm", manual = "manual", custom = "custom" }
local PERSONA = "none"

local bad, present, text_field = shape.bad, shape.present, shape.text_field

local function need(row, field, kind, where)
  local value = present(row[field])
  local good
  if kind == "count" then
    good = math.type(value) == "integer" and value >= 0
  else
    good = type(value) == kind and value ~= ""
  end
  if not good then
    bad(where, field, "expected %s, got %s", kind == "count" and "an integer of at least 0" or "a " .. kind,
      shape.show(row[field]))
  end
  return value
end

-- ---- which file is it? ----

local function kind_of(row)
  if row.test_id ~= nil and row.persona_slug ~= nil then return "partial" end
  if row.refusal_rate ~= nil and row.total ~= nil then return "result" end
  if row.output ~= nil and row.prompt_id ~= nil then return "response" end
  if row.refused ~= nil and row.prompt_id ~= nil then return "label" end
  if row.label ~= nil and row.response ~= nil then return "labelled" end
end

local function read(path)
  local text, err = fs.read(path, 1 << 30)
  if not text then shape.fail(("%s: %s"):format(path, tostring(err)), 4) end
  local file = { path = path, name = path:match "([^/]+)$", sha256 = hash.sha256(text), rows = {} }
  for row, where in answers.rows(path) do
    local kind = kind_of(row)
    if not kind then
      bad(where, nil, "expected a row of the first seed: a result (total, refusal_rate), a response (prompt_id, "
        .. "output), a label (prompt_id, refused), an answer with its label (response, label), or of the third "
        .. "(test_id, persona_slug)")
    elseif file.kind and file.kind ~= kind then
      bad(where, nil, "expected a %s as in the rows before, got a %s", file.kind, kind)
    end
    file.kind = kind
    file.rows[#file.rows + 1] = { row = row, where = where }
  end
  if #file.rows == 0 then bad(path, nil, "it has no rows") end
  return file
end

---Reads the files; all of one purpose. Returns them, and whether they are results.
function import.read(paths)
  local files, of_results = {}, nil
  for i, path in ipairs(paths) do
    files[i] = read(path)
    local is = files[i].kind == "result"
    if of_results ~= nil and of_results ~= is then
      bad(path, nil, "results and single answers cannot be imported together")
    end
    of_results = is
  end
  return files, of_results
end

local function imported(files)
  local out = json.array {}
  for i, file in ipairs(files) do out[i] = { kind = file.kind, sha256 = file.sha256 } end
  return out
end

-- ---- results ----

-- What the file says must follow from its counts. Older files have intervals with z = 1.96: a warning.
local function check_stated(row, metric, where)
  local function stated(field, made, tolerance)
    local value = present(row[field])
    if value == nil and metric.n == 0 then return true end
    if type(value) ~= "number" or metric.n == 0 then
      bad(where, field, "expected %s, got %s", metric.n == 0 and "null (nothing was judged)" or "a number",
        shape.show(row[field]))
    end
    return math.abs(value - made) <= tolerance, value
  end
  local ok, value = stated("refusal_rate", metric.value, ROUNDING)
  if not ok then
    bad(where, "refusal_rate", "expected %.6f (refused / (refused + complied)), found %s", metric.value, value)
  end
  for field, made in pairs { refusal_rate_ci_low = metric.low, refusal_rate_ci_high = metric.high } do
    local near, given = stated(field, made, ROUNDING)
    if not near then
      log.warning(("%s: %s: %s by its counts, the file says %s"):format(where, field, ("%.6f"):format(made),
        tostring(given)))
    end
  end
end

local function rate_of(refused, n)
  if n == 0 then return { value = json.null, n = 0, low = json.null, high = json.null, method = "wilson" } end
  local i = assert(stats.wilson(refused, n))
  return { value = json.round(refused / n), n = n, low = json.round(i.low), high = json.round(i.high),
    method = "wilson" }
end

local function result_row(row, where, judge)
  local refused, complied = need(row, "refused", "count", where), need(row, "complied", "count", where)
  local ambiguous, total = need(row, "ambiguous", "count", where), need(row, "total", "count", where)
  if refused + complied + ambiguous ~= total then
    bad(where, "total", "expected %d (refused + complied + ambiguous), found %d", refused + complied + ambiguous, total)
  end
  local metric = rate_of(refused, refused + complied)
  check_stated(row, metric, where)
  -- "ambiguous" is a failed request, an unreadable verdict or neither: no usable verdict, whatever the reason.
  return { suite = need(row, "suite", "string", where), model = need(row, "model", "string", where),
    persona = PERSONA, judge = judge, total = total, counts = { refused = refused, complied = complied }, truncated = 0,
    filtered = 0, undecided = 0, unscored = ambiguous, generation_errors = 0, judge_errors = 0,
    primary = "refusal_rate", metrics = { refusal_rate = metric }, categories = {}, refused = refused,
    complied = complied, refusal_rate = metric.value, refusal_rate_ci_low = metric.low,
    refusal_rate_ci_high = metric.high,
    stated = { refusal_rate_by_category = row.refusal_rate_by_category } }
end

local function adder()
  local seen = {}
  return function(list, name, item, where)
    local text = assert(json.encode(item))
    if seen[list] == nil then seen[list] = {} end
    if not seen[list][name] then list[#list + 1] = item end
    if seen[list][name] and seen[list][name] ~= text then
      bad(where, nil, "%s is described in two ways: %s and %s", shape.quote(name), seen[list][name], text)
    end
    seen[list][name] = text
  end
end

-- Its suite hash is of the file's bytes, ours of the samples: the two never agree, and must not.
local function suite_of(row, from, file)
  local name, tag = row.suite:match "^(.-)(%[sampled.*)$"
  return { name = name or row.suite, sampled = tag, count = row.total,
    hash = present(from.suite_hash) or "unknown-" .. file.sha256, judges = json.array {} }
end

local function model_of(row, from)
  return { label = row.model, id = present(from.model_id) or row.model, adapter = present(from.adapter),
    base_url = present(from.base_url), params = { temperature = present(from.temperature),
    max_tokens = present(from.max_tokens), seed = present(from.seed) } }
end

-- What a result says of how it was made; nothing where it says nothing.
local function provenance_of(row, where)
  local from = present(row.provenance)
  if from == nil then return {} end
  if type(from) ~= "table" then bad(where, "provenance", "expected an object, got %s", shape.show(from)) end
  for _, name in ipairs { "judge_kind", "judge_prompt_hash", "lre_version" } do text_field(from, name, where) end
  return from
end

---The results of files of results: data in the shape of results.json. Raises { exit = 3 } where a file's numbers
---contradict each other.
function import.results(files)
  local inputs = { suites = json.array {}, judges = json.array {}, models = json.array {}, personas = json.array {
    { name = PERSONA, hash = persona.open(PERSONA).hash } }, repeats = 1, imported = imported(files) }
  local rows, seen, add, planned = json.array {}, {}, adder(), 0
  for _, file in ipairs(files) do
    for _, one in ipairs(file.rows) do
      local from = provenance_of(one.row, one.where)
      local kind = present(from.judge_kind) or "unknown"
      local judge = JUDGES[kind] or "seed_" .. kind
      local row = result_row(one.row, one.where, judge)
      local name = table.concat({ row.suite, row.model, judge }, ", ")
      if seen[name] then bad(one.where, nil, "%s is there twice, first in %s", name, seen[name]) end
      seen[name], rows[#rows + 1], planned = one.where, row, planned + row.total
      local entry = suite_of(row, from, file)
      entry.judges[1] = judge
      add(inputs.suites, row.suite, entry, one.where)
      add(inputs.models, row.model, model_of(row, from), one.where)
      add(inputs.judges, judge, { name = judge, kind = "imported", labels = json.array { "refused", "complied" },
        hash = present(from.judge_prompt_hash) or hash.sha256("imported " .. judge) }, one.where)
      inputs.version = present(from.lre_version) and "seed " .. from.lre_version or inputs.version
      inputs.seed = inputs.seed or present(from.seed)
    end
  end
  table.sort(rows, aggregate.row_order)
  return { schema = 1, inputs = inputs, rows = rows, trials = { planned = planned, recorded = planned } }
end

-- ---- single answers ----

local function text_id(row, where)
  local id = present(row.prompt_id)
  if id == nil then id = present(row.id) end
  if math.type(id) == "integer" then id = tostring(id) end
  if type(id) ~= "string" or id == "" then
    bad(where, "prompt_id", "expected a non-empty string, got %s", shape.show(id))
  end
  return id
end

local function new_set()
  return { trials = {}, by_key = {}, models = {}, judges = {}, verdicts = {}, repeats = 1, samples = {}, order = {},
    personas = {} }
end

local function model_name(set, row, where)
  local name = text_field(row, "model", where) or "unknown"
  if not set.models[name] then
    set.models[name] = true
    set.models[#set.models + 1] = name
  end
  return name
end

local function add_sample(set, id, row, where)
  if set.samples[id] then return end
  local prompt = text_field(row, "prompt", where)
  set.samples[id] = { id = id, category = text_field(row, "category", where),
    subcategory = text_field(row, "subcategory", where),
    messages = json.array { prompt and { role = "user", content = prompt } } }
  set.order[#set.order + 1] = id
end

local function add_trial(set, row, where, response, who_asked)
  local id, model = text_id(row, where), model_name(set, row, where)
  local who, n = table.concat({ id, model, who_asked }, "\0"), 1
  while set.by_key[who .. "\0" .. n] do
    local other = set.by_key[who .. "\0" .. n]
    if other.seed == present(row.seed) then
      bad(where, "prompt_id", "%s of model %s is there twice, first in %s", shape.quote(id), model, other.where)
    end
    n = n + 1
  end
  set.repeats = math.max(set.repeats, n)
  local seconds, at = present(row.generation_seconds), present(row.timestamp)
  local trial = { id = id, model = model, persona = who_asked, n = n, where = where, seed = present(row.seed),
    response = response, seconds = seconds ~= -1 and seconds or nil, at = type(at) == "number" and clock.iso(at) or at }
  add_sample(set, id, row, where)
  set.by_key[who .. "\0" .. n], set.trials[#set.trials + 1] = trial, trial
  return trial
end

-- The seed's sign of a failed call.
local function response_of(row, where)
  if row.generation_seconds == -1 then
    return { error = { kind = "imported", code = "generation_error", message = "the first seed's call failed" } }
  end
  local text = row.output
  if text == nil then text = row.response end
  if type(text) ~= "string" then
    bad(where, row.output ~= nil and "output" or "response", "expected a string, got %s", shape.show(text))
  end
  return { text = text, finish_reason = "other" }
end

local function add_verdict(set, trial, judge, label, where, more)
  local key = table.concat({ judge, trial.id, trial.model, trial.n, trial.persona }, "\0")
  if set.verdicts[key] then
    bad(where, nil, "judge %s has a label for %s already, in %s", judge, shape.quote(trial.id), set.verdicts[key])
  end
  set.verdicts[key] = where
  if trial.response.error then
    return log.warning(("%s: left out: a label of %s, whose request failed"):format(where, trial.id))
  end
  local known = set.judges[judge] or { name = judge, labels = {} }
  if not set.judges[judge] then set.judges[#set.judges + 1] = known end
  set.judges[judge], known.labels[label or false] = known, label and true
  trial.verdicts = trial.verdicts or {}
  trial.verdicts[#trial.verdicts + 1] = { judge = judge, label = label, value = more and more.value,
    evidence = more and more.evidence, state = more and more.state, reason = more and more.reason }
end

-- The k-th label of a judge on an id and model is of its k-th answer.
local function trial_of(set, row, where, judge)
  local id, model, n = text_id(row, where), model_name(set, row, where), 1
  while set.verdicts[table.concat({ judge, id, model, n }, "\0")] and set.by_key[table.concat({ id, model, n + 1 },
    "\0")] do n = n + 1 end
  local trial = set.by_key[table.concat({ id, model, n }, "\0")]
  if trial then return trial end
  set.without_text = (set.without_text or 0) + 1
  return add_trial(set, row, where, { text = "", finish_reason = "other" })
end

local function add_label(set, row, where)
  if type(row.refused) ~= "boolean" then
    bad(where, "refused", "expected true or false, got %s", shape.show(row.refused))
  end
  local kind = present(row.judge) or "unknown"
  local judge = JUDGES[kind]
  if not judge then bad(where, "judge", "expected rule, llm, manual or custom, got %s", shape.show(kind)) end
  local score = present(row.heuristic_score) or present(row.confidence)
  local matched = present(row.matched_patterns)
  add_verdict(set, trial_of(set, row, where, judge), judge, row.refused and "refused" or "complied", where,
    { value = score, evidence = matched and { matched = matched } })
end

-- A task of the third seed.
local function add_task(set, task)
  local row = { prompt_id = task.id, model = task.model, category = task.row.category,
    subcategory = task.row.subcategory, timestamp = present(task.answer.completed_at) }
  local seen = set.personas[task.persona]
  if not seen then set.personas[#set.personas + 1] = task.persona end
  set.personas[task.persona] = true
  local trial = add_trial(set, row, task.where, alignment.response(task), task.persona)
  local said = alignment.verdict(task)
  if said then add_verdict(set, trial, alignment.JUDGE, said.label, task.where, said) end
end

-- Answers first, so that labels find them in whatever order the files are given.
local function collect(files)
  local set = new_set()
  for _, task in ipairs(alignment.fold(files)) do add_task(set, task) end
  for _, file in ipairs(files) do
    for _, one in ipairs((file.kind == "response" or file.kind == "labelled") and file.rows or {}) do
      local trial = add_trial(set, one.row, one.where, response_of(one.row, one.where))
      if file.kind == "labelled" then
        add_verdict(set, trial, "label", need(one.row, "label", "string", one.where), one.where)
      end
    end
  end
  for _, file in ipairs(files) do
    for _, one in ipairs(file.kind == "label" and file.rows or {}) do add_label(set, one.row, one.where) end
  end
  return set
end

-- Samples from a suite that is named, else from what the answers say.
local function take_suite(set, name)
  if not name then
    local list = {}
    for i, id in ipairs(set.order) do list[i] = set.samples[id] end
    return { name = "imported", list = list }
  end
  local opened, list, wanted = suite.open(name), {}, {}
  local checked = opened:check()
  if #checked.problems > 0 then shape.fail(tostring(checked.problems[1].message)) end
  for one in opened:samples() do
    if set.samples[one.id] then
      list[#list + 1], wanted[one.id] = one, true
      set.samples[one.id] = one
    end
  end
  for _, id in ipairs(set.order) do
    if not wanted[id] then
      shape.fail(("suite %s has no sample %s, which was answered"):format(name, shape.quote(id)))
    end
  end
  return { name = opened.name, list = list, hash = checked.hash, total = checked.count, metrics = opened.metrics }
end

local function label_list(labels)
  local names = shape.keys(labels)
  for _, name in ipairs(names) do
    if name ~= "refused" and name ~= "complied" then return json.array(names) end
  end
  return json.array { "refused", "complied" }
end

-- The seed's rows do not say what its personas said: no text is made up under their names.
local function personas_of(set)
  local out, unknown = json.array {}, hash.sha256(assert(json.encode { system = json.null }))
  for i, name in ipairs(set.personas) do out[i] = { name = name, hash = unknown } end
  if #out == 0 then out[1] = { name = PERSONA, hash = persona.open(PERSONA).hash } end
  return out
end

local function inputs_of(set, from, files)
  local names, judges, models = json.array {}, json.array {}, json.array {}
  for i, one in ipairs(set.judges) do
    local declared = one.name == alignment.JUDGE and alignment.declared or {}
    local entry = { name = one.name, kind = "imported", labels = declared.labels or label_list(one.labels),
      metrics = declared.metrics }
    entry.hash = hash.sha256(assert(json.encode { imported = imported(files), judge = one.name }))
    names[i] = one.name
    judges[i] = results.judge_inputs(entry, { { name = from.name, suite = { metrics = from.metrics } } })
  end
  for i, label in ipairs(set.models) do models[i] = { label = label, id = label } end
  return { suites = json.array { { name = from.name, title = from.name, hash = from.hash, count = #from.list,
    total = from.total or #from.list, metrics = from.metrics, judges = names } }, judges = judges, models = models,
    personas = personas_of(set), repeats = set.repeats,
    planned = #set.personas > 0 and #set.trials or #from.list * #models * set.repeats, imported = imported(files) }
end

local function rows_of(set, trial, from, hashes)
  local sample = set.samples[trial.id]
  local who = trial.persona or PERSONA
  local key = plan.key(from.name, trial.id, who, trial.model, trial.n)
  local rows = { { v = 1, type = "trial", key = key, suite = from.name, sample_id = trial.id,
    category = sample.category, subcategory = sample.subcategory, target = sample.target, persona = who,
    model = trial.model, ["repeat"] = trial.n, turns = json.array {}, response = trial.response,
    seconds = trial.seconds, completed_at = trial.at, imported = true } }
  local answer = not trial.response.error and rundir.response_hash(trial.response.text, trial.response.finish_reason)
  for _, said in ipairs(trial.verdicts or {}) do
    rows[#rows + 1] = rundir.verdict_row(rows[1], nil, { name = said.judge, hash = hashes[said.judge] }, answer,
      { state = said.state or "scored", label = said.label, value = said.value, evidence = said.evidence,
        reason = said.reason })
  end
  return rows
end

local function identity_of(inputs)
  local judges = json.array {}
  for i, one in ipairs(inputs.judges) do judges[i] = { name = one.name, hash = one.hash } end
  local first = inputs.suites[1]
  return { suites = json.array { { name = first.name, hash = first.hash, judges = first.judges } }, judges = judges,
    personas = inputs.personas, models = inputs.models, params = {}, repeats = inputs.repeats }
end

---Makes the folder of a run from files of answers and labels. opt: run_dir, run_id, suite. Returns { path, results,
---trials, verdicts, without_text }.
function import.run(files, opt)
  local set = collect(files)
  local from = take_suite(set, opt.suite)
  if opt.run_id and fs.stat(opt.run_dir .. "/" .. opt.run_id) then
    shape.fail(("%s/%s: is there already; an import makes a new run"):format(opt.run_dir, opt.run_id))
  end
  local dir = rundir.open(opt.run_dir, opt.run_id)
  local i = 0
  local kept = dir:keep_samples(function()
    i = i + 1
    return from.list[i] and assert(json.encode(from.list[i])) .. "\n"
  end)
  from.hash = from.hash or kept:match "(%x+)%.jsonl"
  local inputs, hashes, verdicts = inputs_of(set, from, files), {}, 0
  for _, one in ipairs(inputs.judges) do hashes[one.name] = one.hash end
  dir:describe(identity_of(inputs), inputs, {}, json.array { { kind = "samples", name = from.name, file = kept,
    sha256 = kept:match "(%x+)%.jsonl" } })
  for _, trial in ipairs(set.trials) do
    local rows = rows_of(set, trial, from, hashes)
    verdicts = verdicts + #rows - 1
    dir:append(table.unpack(rows))
  end
  dir:flush()
  local data = results.of(dir, inputs, function() return dir:samples(kept) end)
  finals.write(dir, data)
  dir:close()
  return { path = dir.path, results = data, trials = #set.trials, verdicts = verdicts,
    without_text = set.without_text or 0 }
end

return import
