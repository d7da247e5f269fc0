-- finals: the files that are derived from a run's whole journal, each time from all of it, so that they never shrink:
-- results.json, summary.csv, results.csv, results.parquet; and state.sqlite, the index that they are made with.
local json = require "lre.json"
local log = require "lre.log"
local summary = require "lre.summary"

local finals = {}

-- What differs from run to run, is prose, or is far larger than an answer: a table has the same bytes whoever asked,
-- when, and how often.
local LEFT_OUT = { "v", "type", "run_id", "started_at", "completed_at", "seconds", "attempts", "imported", "seed",
  "seed_scored",
  "response.request_id", "response.usage.cost_usd", "response.error.message", "response.logprobs" }
-- Turns that a model gave on the way are responses too.
for i = 1, #LEFT_OUT do LEFT_OUT[#LEFT_OUT + 1] = "turns." .. LEFT_OUT[i] end
for _, name in ipairs { "request_id", "usage.cost_usd", "error.message", "logprobs" } do
  LEFT_OUT[#LEFT_OUT + 1] = "turns." .. name
end
-- What a verdict repeats of its trial, the judge's exchange, and prose.
local LEFT_OUT_VERDICT = { "v", "type", "key", "judge", "n", "category", "cluster", "truncated", "response_hash",
  "asked", "seed", "reason.message" }

local function fail(path, err)
  error({ exit = 4, message = ("%s: %s. What was finished before is kept; make room and give the same --run-id to go "
    .. "on."):format(path, tostring(err)) }, 0)
end

local function tell(dir, told)
  for _, problem in ipairs(told.problems) do
    if problem.err.code == "duplicate" then
      log.warning(("%s:%d: %s"):format(dir.journal_path, problem.line, tostring(problem.err)))
    end
  end
  if told.n_problems > #told.problems then
    log.warning(("%s: %d more such lines"):format(dir.journal_path, told.n_problems - #told.problems))
  end
end

---Writes results.csv and results.parquet, which have a row a trial. state: the index over the journal, brought up to
---date; data: the results, which say whose verdicts are columns.
---@return boolean?, lre.Error?
function finals.tables(state, journal, data, csv, parquet)
  local judges = {}
  for _, judge in ipairs(data.inputs.judges) do
    judges[#judges + 1] = { name = judge.name, hash = judge.hash }
    for _, older in ipairs(judge.also or {}) do judges[#judges + 1] = { name = judge.name, hash = older } end
  end
  return state:table { journal = journal, csv = csv, parquet = parquet, judges = judges, left_out = LEFT_OUT,
    left_out_verdict = LEFT_OUT_VERDICT }
end

---Writes them. dir: the Run; data: its results, made of the whole journal.
function finals.write(dir, data)
  dir:release_files()
  local up_to_date, err = dir:update_index()
  if not up_to_date then fail(dir.path .. "/state.sqlite", err) end
  for _, told in ipairs(dir.told) do tell(dir, told) end
  local ok, why = finals.tables(dir:index(), dir.journal_path, data, dir.path .. "/results.csv",
    dir.path .. "/results.parquet")
  if not ok then fail(dir.path, why) end
  dir:write("results.json", assert(json.encode(data, 2)))
  dir:write("summary.csv", summary.csv(data))
end

return finals
