-- lre mock: a provider that misbehaves, on a real socket.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local mock = require "lre.mock"
local platform = require "lre.platform"
local sched = require "lre.sched"
local serve = require "lre.serve"

local command = {
  name = "mock",
  summary = "A provider on this machine that misbehaves as it is told: to rehearse a run with.",
  epilog = "It prints its URL: pass it as --base-url. `lre mock --script list` names the scenarios; docs/mock.md "
    .. "tells how to write one. Ctrl-C ends it and prints what came.",
}

function command.options(parser)
  defaults.add(parser, "mock")
end

local function list()
  local lines = {}
  for _, one in ipairs(require "lre.mock_scenarios") do
    lines[#lines + 1] = ("%-22s %s%s"):format(one.name, one.summary, one.recovers and "" or " (no way around it)")
  end
  cli.out(table.concat(lines, "\n") .. "\n")
  return 0
end

local function announce(args, server, scenario)
  local scheme = args.tls and "https" or "http"
  cli.out(("%s://%s:%d/v1\n"):format(scheme, args.host, server:port()))
  if args.tls then cli.note(("certificate %s: pass --ca-file %s\n"):format(args.tls, args.tls)) end
  cli.note(cli.safe(("scenario %s: %s\n"):format(scenario.name, scenario.summary or "of your own")))
end

local function closing(counts)
  local parts = {}
  for status, n in pairs(counts.by_status) do parts[#parts + 1] = ("%d x %s"):format(n, status) end
  table.sort(parts)
  cli.note(("%d requests for %d questions: %s\n"):format(counts.requests, counts.bodies, table.concat(parts, ", ")))
end

function command.run(args)
  defaults.apply(args, "mock")
  if args.script == "list" then return list() end
  local mocked = mock.new { script = args.script, seed = args.seed, latency = args.latency,
    refusal_rate = args.refusal_rate, note = function(message) cli.note("lre: " .. message .. "\n") end }
  platform.raise_nofile(16384)
  local server, err = serve.open { host = args.host, port = args.port, cert = args.tls }
  if not server then cli.fail(4, "%s", tostring(err)) end
  announce(args, server, mocked.scenario)
  local function handle(request) return mocked:handle(request) end
  while not sched.interrupted() do
    local problem = server:turn(1, handle)
    if problem then cli.note("lre: " .. cli.safe(tostring(problem)) .. "\n") end
  end
  server:close()
  closing(mocked:counts())
  return 0
end

return command
