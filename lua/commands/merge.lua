-- lre merge RUN... --out RUN: shards, or runs of several machines, as one run.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local merge = require "lre.merge"

local command = {
  name = "merge",
  summary = "Join runs of the same plan (shards, or several machines') into a new one.",
  epilog = "Their suites, judges, personas, models and parameters must hash the same. A good answer is never given up "
    .. "for an error. Exit codes: 0 done; 1 done, but trials have no answer yet; 2 usage; 3 two plans, or no run; 4 it "
    .. "cannot be written, or a run is in use.",
}

function command.options(parser)
  parser:argument("runs", "Folders of runs."):args "+"
  defaults.add(parser, "merge")
end

function command.run(args)
  defaults.apply(args, "merge")
  if not args.out then cli.fail(2, "merge: give the new run's folder with --out") end
  local done = merge.run(args.runs, args.out)
  local trials = done.results.trials
  local lines = { ("merged %d runs: %s: %d of %d trials"):format(#args.runs, done.path, trials.recorded,
    trials.planned) }
  if done.again > 0 then
    lines[#lines + 1] = ("%d answers were there twice: the first run's are kept"):format(done.again)
  end
  if trials.recorded < trials.planned then
    lines[#lines + 1] = ("`lre resume %s` asks what is missing"):format(done.path)
  end
  cli.note(cli.safe(table.concat(lines, "\n")) .. "\n")
  return trials.recorded < trials.planned and 1 or 0
end

return command
