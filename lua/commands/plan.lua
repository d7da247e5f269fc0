-- lre plan: what `lre run` with the same flags would ask, cost and take.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local experiment = require "lre.experiment"
local forecast = require "lre.forecast"
local json = require "lre.json"

local command = {
  name = "plan",
  summary = "Say what `lre run` with the same flags would ask, cost and take. Needs no key, sends nothing.",
  epilog = "At most: a token is a byte at least, and every answer is as long as it may be. About: 4 bytes a token, "
    .. "answers of 200 tokens. Prices are those of --prices and of the bundled table, with their dates.",
}

function command.options(parser)
  defaults.add(parser, "run")
end

function command.run(args)
  defaults.apply(args, "run")
  local exp = experiment.from(args)
  local out = forecast.of(exp:plan(true), args)
  cli.out(args.json and assert(json.encode(out, 2)) or cli.safe(forecast.text(out)))
  return 0
end

return command
