-- lre script FILE [-- args]: a Lua file with the engine at hand.
local catalog = require "lre.catalog"
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

function command.run(args)
  defaults.apply(args, "script")
  rawset(_G, "arg", table.move(args.rest, 1, #args.rest, 1, { [0] = args.file }))
  local path = args.file:find("/", 1, true) and args.file or "./" .. args.file
  local result = catalog.run(catalog.chunk(path))
  return math.tointeger(result) or 0
end

return command
