-- lre judge: gives verdicts on answers that are there: a run's, or a file's. The models that gave them are not asked.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local judge = require "lre.judge"
local judge_file = require "lre.judge_file"
local judge_model = require "lre.judge_model"
local judging = require "lre.judging"
local platform = require "lre.platform"
local rejudge = require "lre.rejudge"

local command = {
  name = "judge",
  summary = "Judge the answers of a run or of a file again; the models that gave them are not asked.",
  epilog = "A run keeps its older verdicts; its results are made anew, and --out gets a copy. Of a file, --out gets a "
    .. "JSON line a row and judge, in the file's order: { id, judge, verdict = { state, label, value, evidence } }.",
}

function command.options(parser)
  defaults.add(parser, "judge")
end

local function open_judges(args)
  local judges, seen = {}, {}
  local limits = { steps = args.judge_steps, bytes = args.judge_memory << 20, regex_match = args.regex_match_limit }
  local asking = judge_model.asker(args)
  local named = #args.judge > 0 and args.judge
  if not named and rejudge.is_run(args["in"]) then judges.by_default = {} end
  for i, spec in ipairs(named or judges.by_default and rejudge.default_judges(args["in"]) or { "refusal" }) do
    local opened = judge.open(spec, { limits = limits, asking = asking,
      defaults = { judge_prompt = args.judge_prompt, show_asker = args.show_asker } })
    if seen[opened.name] then
      cli.fail(2, 'two judges are called "%s"; give one another name with :as=NAME', opened.name)
    end
    judges[i], seen[opened.name] = opened, true
    if judges.by_default then judges.by_default[opened] = spec end
    judging.tell_model(opened)
  end
  return judges
end

-- Where lines go: standard output, a device as it is, or a file that has its name only when it is whole.
local function sink(path)
  if not path or path == "-" then return cli.out, function() end end
  local stat = fs.stat(path)
  local device = stat and stat.type == "other"
  local partial = device and path or ("%s.tmp.%d"):format(path, platform.pid())
  local file, err = io.open(partial, "wb")
  if not file then cli.fail(4, "%s", err) end
  file:setvbuf("full", 1 << 16)
  local function must(ok, why)
    if ok then return end
    if not device then os.remove(partial) end
    cli.fail(4, "%s: %s", path, tostring(why))
  end
  return function(text) must(file:write(text)) end, function(good)
    must(file:close())
    if device then return end
    if good then must(os.rename(partial, path)) else os.remove(partial) end
  end
end

local function judge_lines(args, judges)
  local threads = args.threads or platform.cpus() + 1
  local put, close = sink(args.out)
  local ok, counts = xpcall(judge_file.run, function(err)
    return type(err) == "table" and err or debug.traceback(tostring(err), 2)
  end, args["in"], judges, put, { threads = threads })
  close(ok and not counts.interrupted)
  if not ok then error(counts, 0) end
  judging.closing(args, judges, "judged   %d rows by %d %s: %d failed, %d rows without an answer", counts.rows, #judges,
    #judges == 1 and "judge" or "judges", counts.errors, counts.no_answer // math.max(1, #judges))
  return judging.exit_code(judges, counts.interrupted, counts.errors > 0)
end

function command.run(args)
  defaults.apply(args, "judge")
  args["in"] = args["in"] or rejudge.newest(args.run_dir)
  cli.check_out("--out", args.out, { args["in"] })
  judging.prepare(args)
  local judges = open_judges(args)
  local is_run = rejudge.is_run(args["in"])
  if not is_run and (args.budget_usd or args.budget_tokens or args.budget_requests) then
    cli.fail(2, "%s: --budget-* hold for a run, whose account is kept in its folder; this is a file", args["in"])
  end
  if is_run then
    return judging.finish_run(args, judges, rejudge.run(args["in"], judges, nil, nil, args))
  end
  return judge_lines(args, judges)
end

return command
