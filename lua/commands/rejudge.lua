-- lre rejudge RUN: gives verdicts of a run again, by its own judges: what is missing, what is undecided, or all.
local budget = require "lre.budget"
local cache = require "lre.cache"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local http = require "lre.http"
local judge = require "lre.judge"
local judge_model = require "lre.judge_model"
local json = require "lre.json"
local log = require "lre.log"
local platform = require "lre.platform"
local rejudge = require "lre.rejudge"
local sched = require "lre.sched"

local command = {
  name = "rejudge",
  summary = "Judge answers of a run again, by its own judges: what is missing, what is undecided, or all.",
  epilog = "The models that answered are not asked. Older verdicts stay in the journal; of a judge's verdicts on an "
    .. "answer the newest counts, also where another --judge-model gave it. Exit codes as of `lre run`.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run.")
  defaults.add(parser, "rejudge")
end

local function named(args, asking)
  local out = {}
  for i, spec in ipairs(args.judge) do
    out[i] = judge.open(spec, { asking = asking, defaults = { judge_prompt = args.judge_prompt } })
  end
  return out
end

local function judges_of(args)
  if args.offline and not args.cache then
    cli.fail(2, "--offline needs --cache: nothing is sent, so answers must be there")
  end
  if args.cache then args.cache_object = cache.open(args.cache, args.offline) end
  args.dry = args.offline
  local own = #args.judge == 0
  local judges = own and rejudge.judges(args.run, args) or named(args, judge_model.asker(args))
  if #judges == 0 then cli.fail(3, "%s: it has no judge; name one with --judge", args.run) end
  for _, one in ipairs(judges) do
    if one.model_choice then cli.note(cli.safe(one.model_choice) .. "\n") end
  end
  return judges, own
end

local function exit_code(judges, done)
  if done.interrupted then
    local _, signal = sched.interrupted()
    return 128 + (signal or 2)
  end
  for _, one in ipairs(judges) do
    if one.stopped then return 4 end
  end
  return (done.failed > 0 or done.missing) and 1 or 0
end

function command.run(args)
  defaults.apply(args, "rejudge")
  local judges, own = judges_of(args)
  local connections = args.max_connections or args.concurrency
  platform.raise_nofile(connections + 64)
  http.configure { max_connections = connections, ca_file = args.ca_file, proxy = args.proxy }
  local done = rejudge.run(args.run, judges, args.only, own, args)
  cli.out(args.json and assert(json.encode(done.results, 2)) or require("lre.report").render("md", done.results))
  if log.level() ~= "ERROR" then
    local said = "judged   %d verdicts given, %d failed; results  %s/results.json"
    cli.note(cli.safe(said:format(done.given, done.failed, done.path)) .. "\n")
    for _, line in ipairs(budget.told(done.budget, done.missing)) do cli.note(cli.safe(line) .. "\n") end
    local line = cache.judges_line(args.cache_object, judges)
    if line then cli.note(line .. "\n") end
  end
  return exit_code(judges, done)
end

return command
