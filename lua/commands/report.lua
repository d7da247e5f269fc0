-- lre report RUN|FILE: the figures of a run as text, and whether they hold what is expected.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local expect = require "lre.expect"
local report = require "lre.report"
local source = require "lre.source"

local command = {
  name = "report",
  summary = "Print a run's figures as Markdown, CSV, JSON or JUnit XML; check expectations.",
  epilog = "Exit codes: 0 done; 1 an expectation does not hold; 2 usage; 3 a file that is no run or comes from another "
    .. "version.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run, or a results.json.")
  defaults.add(parser, "report")
end

function command.run(args)
  defaults.apply(args, "report")
  local expectations = expect.parse_all(args.expect)
  local run = source.open(args.run)
  local results = run.results
  local outcomes, hold = expect.check(expectations, results)
  cli.out(report.render(args.json and "json" or args.format, results, { title = args.title,
    expectations = #expectations > 0 and outcomes or nil, source = run, out = cli.out }))
  cli.note(cli.safe(expect.describe(outcomes)))
  return hold and 0 or 1
end

return command
