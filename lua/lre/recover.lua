-- recover: a run whose run.json is lost or damaged. Its journal is the truth: where the plan on the command line asks
-- what the journal's rows were asked, the run goes on and run.json is written anew.
local turns = require "lre.turns"

local recover = {}

local function fail(dir, message, ...)
  error({ exit = 3, message = ("%s\n%s: cannot be resumed by this plan: %s; take another --run-id"):format(dir.lost,
    dir.journal_path, message:format(...)) }, 0)
end

local FIELDS = { "type", "key", "suite", "persona", "model", "repeat", "request_hash", "turns" }

-- The first row of each suite, persona, model and repeat that was asked, by key: its request's hash.
local function asked_of(dir)
  local seen, first, n = {}, {}, 0
  for row in dir:scan(FIELDS) do
    local turn = row.type == "trial" and type(row.turns) == "table" and row.turns[1]
    local asked = turn and turn.request_hash or row.request_hash
    if row.type == "trial" and asked then
      local cell = ("%s\0%s\0%s\0%s"):format(row.suite, row.persona, row.model, row["repeat"])
      if not seen[cell] then
        first[row.key], n = asked, n + 1
      end
      seen[cell] = true
    end
  end
  return first, n
end

---Raises { exit = 3 } unless the plan has those trials and would send the same requests (texts, parameters, model).
function recover.check(dir, plan, open)
  local first, n = asked_of(dir)
  for trial in plan:trials(open) do
    if n == 0 then return end
    local was = first[trial.key]
    if was then
      local preview = trial.model:preview(turns.fill(trial.messages), nil, { ["repeat"] = trial.n, trial = trial.key })
      if not preview or preview.request_hash ~= was then
        fail(dir, "%s was another request (its text, model or parameters differ)", trial.key)
      end
      first[trial.key], n = nil, n - 1
    end
  end
  local left = next(first)
  if left then fail(dir, "it has no trial %s", left) end
end

return recover
