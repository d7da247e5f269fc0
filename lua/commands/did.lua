-- lre did RUN|FILE: defence in depth: what an outer judge adds to an inner one.
local answers = require "lre.answers"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local did = require "lre.did"
local fs = require "lre.fs"
local source = require "lre.source"

local command = {
  name = "did",
  summary = "Several judges on one answer: what an outer one adds to an inner one, or what most of them say.",
  epilog = "A run's folder must hold verdicts of both judges; a file of answers { id, prompt?, response } is judged "
    .. "now.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run, or a JSONL file of answers.")
  defaults.add(parser, "did")
end

local function of_file(args, opt)
  local function say(line) cli.note(cli.safe(line)) end
  local inner, outer = answers.open_judge(args.inner, args, say), answers.open_judge(args.outer, args, say)
  local out = did.of_file(args.run, inner, outer, opt)
  inner:close()
  outer:close()
  return out
end

local function majority(args, opt)
  if args.inner or args.outer then cli.fail(2, "--majority takes no --inner and --outer") end
  if #args.majority < 2 then cli.fail(2, "--majority: expected two judges or more, as in --majority a,b,c") end
  opt.tie = args.tie
  if fs.stat(args.run) and fs.stat(args.run).type == "folder" then
    return did.majority_of_run(source.open(args.run), args.majority, opt)
  end
  local judges = {}
  for i, spec in ipairs(args.majority) do
    judges[i] = answers.open_judge(spec, args, function(line) cli.note(cli.safe(line)) end)
  end
  local out = did.majority_of_file(args.run, judges, opt)
  for _, judge in ipairs(judges) do judge:close() end
  return out
end

function command.run(args)
  defaults.apply(args, "did")
  local many = #args.majority > 0
  if args.json then args.format = "json" end
  if not many and (not args.inner or not args.outer) then
    cli.fail(2, "expected --inner JUDGE and --outer JUDGE, or --majority JUDGE,JUDGE,...")
  end
  if args.format ~= "md" and args.format ~= "json" then
    cli.fail(2, '--format: expected md or json, got "%s"', args.format)
  end
  cli.check_out("--out", args.out, { args.run })
  local opt = { positive = args.positive, confidence = args.confidence }
  if many then
    local out = majority(args, opt)
    cli.write(args.out, args.format == "json" and did.majority_json(out) or did.majority_text(out))
    return 0
  end
  local stat = fs.stat(args.run)
  local out = stat and stat.type == "folder" and did.of_run(source.open(args.run), args.inner, args.outer, opt)
    or of_file(args, opt)
  cli.write(args.out, args.format == "json" and did.json(out) or did.text(out))
  return 0
end

return command
