-- lre salvage RUN: the index and the derived files, from the journal and inputs/ alone.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local salvage = require "lre.salvage"

local command = {
  name = "salvage",
  summary = "Make a run's state.sqlite, results and tables again from its journal and inputs/ alone.",
  epilog = "A line that is torn, foreign or of a newer version is said with its number and left out; nothing is asked. "
    .. "Exit codes: 0 done; 2 usage; 3 no run, or nothing says what was run; 4 it cannot be written, or is in use.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run.")
  defaults.add(parser, "salvage")
end

function command.run(args)
  defaults.apply(args, "salvage")
  local done = salvage.run(args.run)
  local trials = done.results.trials
  local lines = { ("salvaged %s: %d of %d trials, described by %s"):format(done.path, trials.recorded, trials.planned,
    done.from) }
  if done.torn_bytes > 0 then
    lines[#lines + 1] = ("the last line was torn (%d bytes) and is dropped"):format(done.torn_bytes)
  end
  if done.left_out > 0 then lines[#lines + 1] = ("%d lines were left out"):format(done.left_out) end
  if trials.recorded < trials.planned then
    lines[#lines + 1] = ("`lre resume %s` asks what is missing"):format(done.path)
  end
  cli.note(cli.safe(table.concat(lines, "\n")) .. "\n")
  return 0
end

return command
