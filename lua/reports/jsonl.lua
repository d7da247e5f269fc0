-- jsonl: a line a trial with its latest verdict, in the third seed's names. Of a run's folder: a results file has no
-- trials.
local lre = require "lre"
local json = require "lre.json"
local rundir = require "lre.rundir"
local store = require "lre.store"

local ROW = { bigint = "string", max_bytes = 1 << 30, max_depth = 190 }
-- So many lines are given out together.
local CHUNK = 256

-- The counting verdict of each judge on the answer that counts, by the judge's name; and that of the last judge that
-- the run names: which of several spoke last is chance.
local function verdicts_of(row, lines, hashes, judges)
  local answer = row.response
  local about = not answer.error and rundir.response_hash(answer.text or "", answer.finish_reason)
  local by = {}
  for _, line in ipairs(lines) do
    local verdict = assert(json.decode(line, ROW))
    if hashes[verdict.judge .. "\0" .. verdict.judge_hash] and verdict.response_hash == about then
      by[verdict.judge] = verdict
    end
  end
  for i = #judges, 1, -1 do
    if by[judges[i].name] then return by, by[judges[i].name] end
  end
  return by
end

-- message, type, cause: of the answer, else of the verdict.
local function error_of(row, verdict)
  local err = row.response.error
  if err then return err.message or err.code, err.code, err.kind end
  if not verdict or verdict.state == "scored" or verdict.state == "undecided" then return end
  local reason = verdict.reason or {}
  return ("judge %s: %s"):format(verdict.judge, reason.message or reason.code or verdict.state), reason.code, "judge"
end

-- The JSON that a model judge gave; of another judge its label, value and evidence are all there is.
local function judge_json(verdict)
  if not verdict then return json.null end
  local evidence = verdict.evidence
  if type(evidence) == "table" and evidence.judge_json then return evidence.judge_json end
  return { state = verdict.state, label = verdict.label, value = verdict.value, evidence = evidence }
end

local function or_null(value)
  if value == nil then return json.null end
  return value
end

local function line_of(run_id, row, by, verdict)
  local message, code, cause = error_of(row, verdict)
  local value = verdict and type(verdict.value) == "table" and verdict.value or {}
  local judges = {}
  for name, one in pairs(by) do judges[name] = { state = one.state, label = one.label, value = one.value } end
  return assert(json.encode {
    run_id = or_null(run_id), test_id = row.sample_id, category = or_null(row.category),
    subcategory = or_null(row.subcategory), persona_slug = row.persona, model_slug = row.model,
    ["repeat"] = row["repeat"], started_at = or_null(row.started_at), completed_at = or_null(row.completed_at),
    raw_candidate = or_null(row.response.text), judge_json = judge_json(verdict), judges = judges,
    attack_success = or_null(value.attack_success), overall = or_null(value.overall),
    safety_score = or_null(value.safety_score), error = or_null(message), error_type = or_null(code),
    error_cause = or_null(cause), key = row.key,
  }) .. "\n"
end

local function hashes_of(inputs)
  local out = {}
  for _, judge in ipairs(inputs.judges) do
    out[judge.name .. "\0" .. judge.hash] = true
    for _, older in ipairs(judge.also or {}) do out[judge.name .. "\0" .. older] = true end
  end
  return out
end

-- With an index of its own: the run's is a running process's.
local function render(_, opt)
  local run = opt.source
  local path = run and run.store and run.store.journal_path
  if not path then
    error({ exit = 3, message = "report jsonl: expected the folder of a run: a results file has no trials; --format "
      .. "json gives it as it is" }, 0)
  end
  local index <close> = assert(store.open())
  assert(index:update(path))
  local hashes, lines, id = hashes_of(run.inputs), {}, run.info and run.info.run_id
  for line, verdicts in assert(index:trials(path)) do
    local row = assert(json.decode(line, ROW))
    lines[#lines + 1] = line_of(id, row, verdicts_of(row, verdicts, hashes, run.inputs.judges))
    if opt.out and #lines == CHUNK then
      opt.out(table.concat(lines))
      lines = {}
    end
  end
  return table.concat(lines)
end

return lre.report { name = "jsonl", summary = "a JSON line a trial with its latest verdict", render = render }
