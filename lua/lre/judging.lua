-- judging: what `lre judge` and `lre rejudge` have in common: how judges ask, what is said at the end, the exit code.
local budget = require "lre.budget"
local cache = require "lre.cache"
local cli = require "lre.cli"
local http = require "lre.http"
local json = require "lre.json"
local log = require "lre.log"
local platform = require "lre.platform"
local sched = require "lre.sched"

local judging = {}

---The network and the cache as the flags say, before judges are opened.
---@param args table
function judging.prepare(args)
  if args.offline and not args.cache then
    cli.fail(2, "--offline needs --cache: nothing is sent, so answers must be there")
  end
  if args.cache then args.cache_object = cache.open(args.cache, args.offline) end
  args.dry = args.offline
  local connections = args.max_connections or args.concurrency
  platform.raise_nofile(connections + 64)
  http.configure { max_connections = connections, ca_file = args.ca_file, proxy = args.proxy }
end

---Says which model a judge asks, before anything is sent.
---@param judge lre.Judge
function judging.tell_model(judge)
  if judge.model_choice then cli.note(cli.safe(judge.model_choice) .. "\n") end
end

---The last lines, unless --quiet: what was done, then what the cache and the network had to do with it.
function judging.closing(args, judges, text, ...)
  if log.level() == "ERROR" then return end
  cli.note(cli.safe(text:format(...)) .. "\n")
  local line = cache.judges_line(args.cache_object, judges)
  if line then cli.note(line .. "\n") end
end

---@return integer
function judging.exit_code(judges, interrupted, incomplete)
  if interrupted then
    local _, signal = sched.interrupted()
    return 128 + (signal or 2)
  end
  for _, one in ipairs(judges) do
    if one.stopped then return 4 end
  end
  return incomplete and 1 or 0
end

---Prints what judging a run came to (see lre.rejudge.run), writes --out; the exit code.
---@return integer
function judging.finish_run(args, judges, done)
  local text = assert(json.encode(done.results, 2))
  if args.out and args.out ~= "-" then cli.write(args.out, text) end
  cli.out((args.json or args.out == "-") and text or require("lre.report").render("md", done.results))
  judging.closing(args, judges, "judged   %d verdicts given, %d failed; results  %s/results.json", done.given,
    done.failed, done.path)
  for _, line in ipairs(log.level() ~= "ERROR" and budget.told(done.budget, done.missing) or {}) do
    cli.note(cli.safe(line) .. "\n")
  end
  return judging.exit_code(judges, done.interrupted, done.missing or done.failed > 0)
end

return judging
