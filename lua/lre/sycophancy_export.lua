-- sycophancy_export: a run in the files of the second seed: run.jsonl, run_grid.json, run_scored.jsonl, their fields in
-- their order. What was imported comes out as it went in.
local aggregate = require "lre.aggregate"
local civil = require "lre.civil"
local fs = require "lre.fs"
local json = require "lre.json"
local shape = require "lre.shape"
local source = require "lre.source"

local export = {}

local RUN_FIELDS = { "run_id", "timestamp_iso", "model_id", "provider", "prompt_id", "perspective", "factors",
  "messages", "response_text", "latency_ms", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "request_id",
  "finish_reason", "raw_response", "error" }
local SCORED_FIELDS = { "run_id", "run_timestamp_iso", "eval_timestamp_iso", "model_id", "provider", "prompt_id",
  "perspective", "factors", "messages", "response_text", "scorer_model", "score", "eval_latency_ms", "eval_provider",
  "eval_input_tokens", "eval_output_tokens", "eval_total_tokens", "eval_cost_usd", "eval_request_id",
  "eval_finish_reason", "eval_raw_response", "error" }
local GRID_FIELDS = { "include_neutral", "total", "selected", "factors", "assistant_models", "mode" }
local FACTORS = { "perspective", "base_rent", "amount", "relationship_quality", "justification", "tenant_quality",
  "landlord_quality" }
local MESSAGE = { "role", "content" }

-- ---- JSON as Python writes it ----

local write

-- The named members first and in their order, others after them by name.
local function ordered(value, order)
  local seen, names = {}, {}
  for _, name in ipairs(order) do
    seen[name] = true
    if value[name] ~= nil then names[#names + 1] = name end
  end
  for _, name in ipairs(shape.keys(value)) do
    if not seen[name] then names[#names + 1] = name end
  end
  return names
end

local ORDERS = { factors = FACTORS, messages = MESSAGE }

local function write_list(list, field, indent)
  local parts = {}
  for i, one in ipairs(list) do parts[i] = write(one, field, indent and indent .. "  ") end
  if #parts == 0 then return "[]" end
  if not indent then return "[" .. table.concat(parts, ", ") .. "]" end
  local inner = indent .. "  "
  return "[\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "]"
end

local function write_object(value, order, indent)
  local parts, inner = {}, indent and indent .. "  "
  for i, name in ipairs(ordered(value, order)) do
    parts[i] = json.encode(name) .. ": " .. write(value[name], name, inner)
  end
  if #parts == 0 then return "{}" end
  if not indent then return "{" .. table.concat(parts, ", ") .. "}" end
  return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. indent .. "}"
end

write = function(value, field, indent)
  if type(value) ~= "table" then return assert(json.encode(value)) end
  if json.is_array(value) then return write_list(value, field, indent) end
  return write_object(value, ORDERS[field] or {}, indent)
end

-- All fields, null where there is none.
local function line(row, fields)
  local parts = {}
  for i, name in ipairs(fields) do
    local value = row[name]
    parts[i] = json.encode(name) .. ": " .. write(value == nil and json.null or value, name)
  end
  return "{" .. table.concat(parts, ", ") .. "}\n"
end

-- ---- rows ----

local function sum_usage(asked, field)
  local total
  for _, one in ipairs(asked or {}) do
    local n = one.usage and one.usage[field]
    if type(n) == "number" then total = (total or 0) + n end
  end
  return total
end

local function plus(a, b)
  return a and b and a + b or nil
end

local function error_of(trial)
  local err = trial.response.error
  return err and (err.message or err.code) or nil
end

local function common(at, trial)
  local sample, seed, response = at.samples[trial.sample_id], trial.seed or {}, trial.response
  local factors = sample.metadata and sample.metadata.factors or {}
  return { run_id = seed.run_id or at.run_id, model_id = trial.model, prompt_id = trial.sample_id,
    provider = seed.provider or response.provider or at.adapters[trial.model] or "unknown",
    perspective = factors.perspective or trial.category, factors = factors, messages = sample.messages,
    response_text = response.text or "" }
end

local function run_row(at, trial)
  local row, seed, response = common(at, trial), trial.seed or {}, trial.response
  local usage = response.usage or {}
  row.timestamp_iso = seed.timestamp_iso or trial.completed_at
  row.latency_ms = seed.latency_ms or trial.seconds and math.floor(trial.seconds * 1000 + 0.5)
  row.input_tokens, row.output_tokens = usage.input_tokens, usage.output_tokens
  row.total_tokens = seed.total_tokens or plus(usage.input_tokens, usage.output_tokens)
  row.cost_usd, row.request_id = seed.cost_usd or usage.cost_usd, response.request_id
  row.finish_reason = seed.finish_reason or not trial.imported and response.finish_reason or nil
  row.raw_response, row.error = seed.raw_response, error_of(trial)
  return row
end

-- Why there is no score, in the seed's words where it has some.
local function reason_of(trial, verdict)
  if error_of(trial) then return "run-error: " .. error_of(trial) end
  if not (trial.response.text or ""):find "%S" then return "missing-response" end
  if not verdict then return "not scored" end
  if verdict.state == "scored" then return nil end
  local out = verdict.evidence and verdict.evidence.out_of_range
  if out then return ("undecided: %s is outside of -1 to 1"):format(out) end
  return ("%s: %s"):format(verdict.state, verdict.reason and verdict.reason.message or "the scorer could not tell")
end

local function scored_row(at, trial, verdict)
  local row, mine = common(at, trial), verdict or {}
  local seed, asked = mine.seed or trial.seed_scored or {}, mine.asked
  local last = asked and asked[#asked] or {}
  row.run_id = seed.run_id or row.run_id
  row.provider = seed.provider or row.provider
  row.run_timestamp_iso = seed.run_timestamp_iso or trial.completed_at
  row.eval_timestamp_iso = seed.eval_timestamp_iso
  row.scorer_model = mine.judge_model or seed.scorer_model
  row.score = mine.state == "scored" and mine.value + 0.0 or nil
  row.eval_latency_ms, row.eval_provider = seed.eval_latency_ms, seed.eval_provider
  row.eval_input_tokens = seed.eval_input_tokens or sum_usage(asked, "input_tokens")
  row.eval_output_tokens = seed.eval_output_tokens or sum_usage(asked, "output_tokens")
  row.eval_total_tokens = seed.eval_total_tokens or plus(row.eval_input_tokens, row.eval_output_tokens)
  row.eval_cost_usd = seed.eval_cost_usd or sum_usage(asked, "cost_usd")
  row.eval_request_id = seed.eval_request_id or last.request_id
  row.eval_finish_reason = seed.eval_finish_reason or last.finish_reason
  row.eval_raw_response = seed.eval_raw_response
  row.error = seed.error or reason_of(trial, verdict)
  return row
end

-- ---- the run ----

local function samples_of(run)
  local by_id, order = {}, {}
  local suite = run.inputs.suites[1]
  for sample in run.samples(suite) do
    by_id[sample.id], order[#order + 1] = sample, sample
  end
  return by_id, order
end

-- The format has a model and a prompt, and no more.
local function check(run)
  local function fail(message, ...) shape.fail(("%s: %s"):format(run.path, message:format(...))) end
  local inputs = run.inputs
  if #inputs.suites ~= 1 then
    fail("expected one suite, it has %d: the second seed's files have one grid", #inputs.suites)
  end
  if #inputs.personas ~= 1 or inputs.personas[1].name ~= "none" then
    fail("it has personas: the second seed's files have none")
  elseif (inputs.repeats or 1) > 1 then
    fail("it has %d repeats of a trial: the second seed's files have one", inputs.repeats)
  end
end

-- The judge whose numbers are the scores: the one that is named, else the first that gives numbers. nil: none does.
local function judge_of(run, wanted)
  for _, judge in ipairs(run.inputs.judges) do
    local numbers = false
    for _, metrics in pairs(judge.metrics_of or {}) do
      for _, metric in ipairs(metrics) do numbers = numbers or metric.mean == "value" end
    end
    if judge.name == wanted or not wanted and numbers then return judge end
  end
  if wanted then shape.fail(("%s: it has no judge %s"):format(run.path, shape.quote(wanted))) end
end

-- The counting rows of the journal: trials in its order, verdicts of one judge by key.
local function rows_of(run, judge)
  local successors = aggregate.successors(run.inputs)
  local counts, trials, verdicts = aggregate.counting(run.store, successors), {}, {}
  for text, number in fs.lines(run.store.journal_path, 1 << 30) do
    local row = json.decode(text, { bigint = "string", max_bytes = 1 << 30, max_depth = 190 })
    if row and counts(row, number) then
      if row.type == "trial" then
        trials[#trials + 1] = row
      elseif judge and (successors[row.judge_hash] or row.judge_hash) == judge.hash then
        verdicts[row.key] = row
      end
    end
  end
  return trials, verdicts
end

local function grid_of(run, order, n_trials)
  local factors, models, neutral = json.array {}, json.array {}, false
  for i, sample in ipairs(order) do
    factors[i] = sample.metadata and sample.metadata.factors or {}
    neutral = neutral or factors[i].perspective == "neutral"
  end
  for i, model in ipairs(run.inputs.models) do models[i] = model.label end
  local kept = run.info.flags and run.info.flags.seed_grid or {}
  if kept.include_neutral ~= nil then neutral = kept.include_neutral end
  local total = kept.total or run.inputs.suites[1].total or #order
  local data = { include_neutral = neutral, total = total, selected = #order,
    factors = factors, assistant_models = models, mode = kept.mode or n_trials > 0 and "live" or "dry-run" }
  local parts = {}
  for i, name in ipairs(GRID_FIELDS) do parts[i] = ("  %q: "):format(name) .. write(data[name], name, "  ") end
  return "{\n" .. table.concat(parts, ",\n") .. "\n}"
end

---Writes the seed's three files of the run in `path` to the folder `out`: run_scored.jsonl only where a judge gave
---numbers. opt: judge. Returns { rows, scored, folder }.
function export.run(path, out, opt)
  local run = source.open(path, true)
  if not run.store then shape.fail(path .. ": expected the folder of a run; it has no journal to export") end
  check(run)
  local judge = judge_of(run, opt.judge)
  local trials, verdicts = rows_of(run, judge)
  local by_id, order = samples_of(run)
  local at = { samples = by_id, adapters = {}, run_id = civil.seconds(run.info.started_at or "") or 0 }
  for _, model in ipairs(run.inputs.models) do at.adapters[model.label] = model.adapter end
  local lines, scored, n_scored = {}, {}, 0
  for i, trial in ipairs(trials) do
    lines[i] = line(run_row(at, trial), RUN_FIELDS)
    local row = judge and scored_row(at, trial, verdicts[trial.key])
    scored[i] = row and line(row, SCORED_FIELDS) or nil
    n_scored = n_scored + (row and row.score and 1 or 0)
  end
  local function put(name, text)
    local ok, err = fs.write(out .. "/" .. name, text)
    if not ok then shape.fail(("%s/%s: %s"):format(out, name, tostring(err)), 4) end
  end
  local made, err = fs.mkdir(out, true)
  if made == nil then shape.fail(("%s: %s"):format(out, tostring(err)), 4) end
  put("run.jsonl", table.concat(lines))
  put("run_grid.json", grid_of(run, order, #trials))
  if judge then put("run_scored.jsonl", table.concat(scored)) end
  return { rows = #lines, scored = n_scored, folder = out }
end

return export
