-- lre export RUN --as sycophancy: a run in the files of another tool.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local log = require "lre.log"

local command = {
  name = "export",
  summary = "Write a run in another tool's files: --as sycophancy for those of the second seed.",
  epilog = "run.jsonl, run_grid.json and, where a judge gave numbers, run_scored.jsonl, into --out (default: the "
    .. "folder `sycophancy` in the run's). `lre import` reads them back.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run.")
  defaults.add(parser, "export")
end

function command.run(args)
  defaults.apply(args, "export")
  if not args.as then cli.fail(2, "--as: say in which format: sycophancy") end
  if #args.judge > 1 then cli.fail(2, "--judge: expected one judge, got %d", #args.judge) end
  local path = args.run:gsub("(.)/+$", "%1")
  local done = require("lre.sycophancy_export").run(path, args.out or path .. "/sycophancy", { judge = args.judge[1] })
  if log.level() ~= "ERROR" then
    cli.note(cli.safe(("exported %d answers, %d with their score: %s\n"):format(done.rows, done.scored, done.folder)))
  end
  return 0
end

return command
