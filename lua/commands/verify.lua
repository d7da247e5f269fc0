-- lre verify RUN: is what a run says of itself so?
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local json = require "lre.json"
local verify = require "lre.verify"

local command = {
  name = "verify",
  summary = "Make every verdict of rule judges and every figure of a run anew, offline, and say which number is wrong.",
  epilog = "Exit codes: 0 all is as recorded; 1 something is not: file, row, field, what was expected and what was "
    .. "found; 3 no folder of a run.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run.")
  defaults.add(parser, "verify")
end

function command.run(args)
  defaults.apply(args, "verify")
  local out = verify.run(args.run)
  cli.out(args.json and assert(json.encode(out, 2)) or cli.safe(verify.text(out)))
  return #out.problems == 0 and 0 or 1
end

return command
