-- lre status RUN: how a run stands, from another terminal.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local json = require "lre.json"
local status = require "lre.status"

local command = {
  name = "status",
  summary = "How a run stands, while it goes on or after; nothing of it is changed.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run.")
  defaults.add(parser, "status")
end

function command.run(args)
  defaults.apply(args, "status")
  local out = status.of(args.run)
  cli.out(args.json and assert(json.encode(out, 2)) or cli.safe(status.text(out)))
  return 0
end

return command
