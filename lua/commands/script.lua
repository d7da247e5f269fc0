-- lre script FILE [-- args]: a Lua file with the engine at hand.
local cli = require "lre.cli"
local defaults = require "lre.defaults"

local command = {
  name = "script",
  summary = "Run a Lua file; what stands after -- is its own arguments.",
  takes_rest = true,
  epilog = "`lre script FILE -- --help` prints the options that the script declares with lre.options.\n"
    .. "An integer that the script returns is the exit code.",
}

function command.options(parser)
  parser:argument("file", "The script.")
  defaults.add(parser, "script")
end

-- A script that cannot be read or compiled is invalid input: exit 3, before anything of it ran.
local function load_script(path)
  local chunk = require("lre.catalog").chunk(path)
  local fn, err = load(chunk.source, "@" .. chunk.name, "t", chunk.env or _G)
  if not fn then cli.fail(3, "%s", err) end
  return fn
end

function command.run(args)
  defaults.apply(args, "script")
  _G.arg = table.move(args.rest, 1, #args.rest, 1, { [0] = args.file })
  local result = load_script(args.file)(table.unpack(args.rest))
  return math.tointeger(result) or 0
end

return command
