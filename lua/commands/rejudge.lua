-- lre rejudge RUN: gives verdicts of a run again, by its own judges: what is missing, what is undecided, or all.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local judge = require "lre.judge"
local judge_model = require "lre.judge_model"
local judging = require "lre.judging"
local rejudge = require "lre.rejudge"

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
  local own = #args.judge == 0
  local judges = own and rejudge.judges(args.run, args) or named(args, judge_model.asker(args))
  if #judges == 0 then cli.fail(3, "%s: it has no judge; name one with --judge", args.run) end
  for _, one in ipairs(judges) do judging.tell_model(one) end
  return judges, own
end

function command.run(args)
  defaults.apply(args, "rejudge")
  judging.prepare(args)
  local judges, own = judges_of(args)
  return judging.finish_run(args, judges, rejudge.run(args.run, judges, args.only, own, args))
end

return command
