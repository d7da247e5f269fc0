-- lre run: asks models, judges the answers, writes the results.
local budget = require "lre.budget"
local cache = require "lre.cache"
local cli = require "lre.cli"
local contrasts = require "lre.contrasts"
local defaults = require "lre.defaults"
local experiment = require "lre.experiment"
local json = require "lre.json"
local log = require "lre.log"
local progress = require "lre.progress"
local turns = require "lre.turns"

local command = {
  name = "run",
  summary = "Ask models every sample of the suites, judge the answers, write the results.",
  epilog = "Exit codes: 0 done; 1 done, but a trial or verdict failed; 2 usage; 3 a suite, judge or flag is invalid "
    .. "(nothing was sent); 4 no key, a refused key, a full disk; 130 interrupted: the same --run-id goes on.",
}

function command.options(parser)
  defaults.add(parser, "run")
end

local function names(list, field)
  local out = {}
  for i, item in ipairs(list) do out[i] = item[field] end
  return #out > 0 and table.concat(out, ", ") or "none"
end

local function asks_a_model(plan)
  for _, judge in ipairs(plan.judges) do
    if judge.kind == "model" then return true end
  end
  return false
end

-- --limit and --sample draw samples, not clusters: what of a cluster is not asked cannot be compared.
local function cut_clusters(plan, e)
  if not e.suite.contrasts or not e.suite.clusters or e.count == e.total then return nil end
  local cut = contrasts.cut(e.suite, plan:samples(e), e.suite:samples())
  if #cut == 0 then return nil end
  local more = #cut > 3 and (" and %d more"):format(#cut - 3) or ""
  return ("cut      %s: %s%s: not whole, and in no contrast that needs the rest (`lre grid --sample N --balanced` "
    .. "draws whole ones)"):format(e.title, table.concat(cut, ", ", 1, math.min(#cut, 3)), more)
end

-- What is going to happen, before anything is sent.
local function announce(args, plan, store, left)
  if log.level() == "ERROR" then return end
  local lines = {}
  for _, model in ipairs(plan.models) do lines[#lines + 1] = "model    " .. model.choice end
  for _, e in ipairs(plan.suites) do
    lines[#lines + 1] = ("suite    %s: %d of %d samples, sha256 %s"):format(e.title, e.count, e.total, e.hash:sub(1,
      16))
    lines[#lines + 1] = cut_clusters(plan, e)
  end
  for _, e in ipairs(plan.suites) do
    if e.appended then
      lines[#lines + 1] = ("rubrics  %s: %d of %d have no place for the answer: conversation, prompt, expected "
        .. "behaviour and answer are put behind them (--judge-prompt append)"):format(e.title, e.appended, e.total)
    end
  end
  lines[#lines + 1] = "personas " .. names(plan.personas, "name")
  lines[#lines + 1] = "judges   " .. names(plan.judges, "name")
  if args.judge_model and not asks_a_model(plan) then
    lines[#lines + 1] = ("judge model %s: recorded; rule judges ask no model"):format(args.judge_model)
  end
  if args.cache then lines[#lines + 1] = ("cache    %s%s"):format(args.cache, args.offline and " (offline)" or "") end
  if store then
    lines[#lines + 1] = ("run      %s%s"):format(store.path, store.lines > 0 and " (resumed)" or "")
  end
  local total = plan:count()
  local resumed = left and ("; %d have an answer, %d are left"):format(total - left, left) or ""
  lines[#lines + 1] = ("trials   %d, %d in flight%s"):format(total, args.concurrency, resumed)
  cli.note(cli.safe(table.concat(lines, "\n")) .. "\n")
end

-- --dry-run: a line a trial, marked, on standard output.
local function dry_run(args, exp)
  local plan = exp:plan(true)
  announce(args, plan)
  for trial in plan:trials() do
    local open = turns.count(trial.messages)
    local preview, err = trial.model:preview(turns.fill(trial.messages), nil,
      { ["repeat"] = trial.n, trial = trial.key })
    preview = preview or { error = err.message }
    cli.out(assert(json.encode {
      dry_run = true, key = trial.key, suite = trial.suite, sample_id = trial.sample.id, persona = trial.persona.name,
      model = trial.model.label, adapter = trial.model.adapter, id = trial.model.id, messages = trial.messages,
      generated_turns = open > 0 and open or nil, params = preview.params, request_hash = preview.request_hash,
      url = preview.url, error = preview.error,
    }) .. "\n")
  end
  if log.level() ~= "ERROR" then cli.note(("dry run: %d trials, nothing was sent\n"):format(plan:count())) end
  return 0
end

local function append(lines, more)
  table.move(more, 1, #more, #lines + 1, lines)
end

-- What a limit left undone: by cell and judge, and the first ones by key.
local function describe_missing(missing, lines)
  if not missing then return end
  if missing.n > 0 then
    lines[#lines + 1] = ("missing  %d trials"):format(missing.n)
    for _, cell in ipairs(missing.cells) do
      lines[#lines + 1] = ("         %d of %s, persona %s, suite %s"):format(cell.n, cell.model, cell.persona,
        cell.suite)
    end
    lines[#lines + 1] = "         " .. table.concat(missing.first, "\n         ")
      .. (missing.n > #missing.first and "\n         ..." or "")
  end
  append(lines, budget.missing_verdicts(missing.verdicts))
end

-- In this session: timing tells of the whole run.
local function sent_by_judges(judges)
  local n = 0
  for _, judge in ipairs(judges) do n = n + (judge.sent or 0) end
  return n
end

local function closing(args, run)
  if log.level() == "ERROR" then return end
  local lines = { ("results  %s/results.json"):format(run.dir) }
  if args.out and args.out ~= "-" then
    local n = #run.results.rows
    lines[#lines + 1] = ("Wrote %d result row%s to %s"):format(n, n == 1 and "" or "s", args.out)
  end
  if args.dump_raw and args.dump_raw ~= "-" then
    lines[#lines + 1] = ("Wrote %d responses to %s"):format(run.results.trials.recorded, args.dump_raw)
  end
  local timing = run.asked.timing
  lines[#lines + 1] = cache.line(args.cache_object, run.asked.asked + sent_by_judges(run.plan.judges),
    timing.retries + timing.judge_retries)
  for _, one in ipairs(run:silent_judges()) do
    lines[#lines + 1] = ("no data  judge %s gave no verdict on any answer of %s, suite %s, persona %s: %d unscored; "
      .. "why: results.csv, verdicts.%s.reason.code"):format(one.judge, one.model, one.suite, one.persona, one.total,
      one.judge)
  end
  if run.asked.stopped then lines[#lines + 1] = "stopped: " .. run.asked.stopped.message end
  if run.asked.timed_out then lines[#lines + 1] = (args.max_wall and "--max-wall" or "--timeout-run") .. " passed" end
  if run.asked.budget then append(lines, run.asked.budget:describe()) end
  describe_missing(run.missing, lines)
  if run.results.trials.recorded < run.results.trials.planned then
    lines[#lines + 1] = ("%d of %d trials have no answer yet; go on with the same command and --run-id %s"):format(
      run.results.trials.planned - run.results.trials.recorded, run.results.trials.planned, run.id)
  end
  cli.note(cli.safe(table.concat(lines, "\n")) .. "\n")
end

local function check_args(args)
  if args.no_judge and args.score_now then cli.fail(2, "--no-judge and --score-now contradict each other") end
  if args.out == "-" and args.dump_raw == "-" then
    cli.fail(2, "--out and --dump-raw cannot both be standard output")
  end
  cli.check_out("--out", args.out, args.suite)
  cli.check_out("--dump-raw", args.dump_raw, args.suite)
end

function command.run(args)
  return command.execute(defaults.apply(args, "run"))
end

---The same with settings that are complete: `lre resume` has them from the run.
function command.execute(args)
  check_args(args)
  local exp = experiment.from(args)
  if args.dry_run then return dry_run(args, exp) end
  local run = exp:run {
    progress = progress.new(args.progress, args.quiet),
    on_start = function(plan, store, left) announce(args, plan, store, left) end,
  }
  if args.dump_raw then run:dump(args.dump_raw) end
  local text = assert(json.encode(run.results, 2))
  if args.out then cli.write(args.out, text) end
  if args.out ~= "-" and args.dump_raw ~= "-" then cli.out(args.json and text or run:report("md")) end
  cli.note(cli.safe(require("lre.expect").describe(run.expectations or {})))
  closing(args, run)
  return run.exit
end

return command
