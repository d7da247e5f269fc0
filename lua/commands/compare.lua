-- lre compare A B: the difference of two runs' rates, paired by trial where that is right.
local cli = require "lre.cli"
local compare = require "lre.compare"
local defaults = require "lre.defaults"
local source = require "lre.source"

local command = {
  name = "compare",
  summary = "Compare two runs: the difference B - A with its interval, test and verdict.",
  epilog = "Folders of runs are paired by trial; results files are compared as independent samples. A and B may be one "
    .. "run with --model-a and --model-b. docs/compare.md says what is computed.",
}

function command.options(parser)
  parser:argument("a", "Folder of a run, or a results.json: the baseline.")
  parser:argument("b", "The same: what is compared with it.")
  defaults.add(parser, "compare")
end

function command.run(args)
  defaults.apply(args, "compare")
  if #args.judge > 1 then cli.fail(2, "--judge: expected one judge, got %d", #args.judge) end
  local a = source.open(args.a)
  local b = args.b == args.a and a or source.open(args.b)
  local outcome = compare.of(a, b, { by = args.by, confidence = args.confidence,
    judge = args.judge[1], metric = args.metric, model_a = args.model_a, model_b = args.model_b,
    unpaired = args.unpaired, flips = args.flips, allow_different_suites = args.allow_different_suites })
  if args.flips and not outcome.paired then
    cli.fail(2, "--flips: nothing is paired: %s", outcome.why)
  end
  cli.out(args.json and compare.json(outcome) or compare.text(outcome, { flips = args.flips }))
  return 0
end

return command
