-- lre did RUN|FILE: defence in depth: what an outer judge adds to an inner one.
local answers = require "lre.answers"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local did = require "lre.did"
local fs = require "lre.fs"
local source = require "lre.source"

local command = {
  name = "did",
  summary = "Defence in depth: the joint rate of two judges and what the outer one adds.",
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

local function write(args, text)
  if not args.out or args.out == "-" then return cli.out(text) end
  local ok, err = fs.write(args.out, text)
  if not ok then cli.fail(4, "%s: %s", args.out, tostring(err)) end
end

function command.run(args)
  defaults.apply(args, "did")
  if not args.inner or not args.outer then cli.fail(2, "expected --inner JUDGE and --outer JUDGE") end
  if args.format ~= "md" and args.format ~= "json" then
    cli.fail(2, '--format: expected md or json, got "%s"', args.format)
  end
  local opt = { positive = args.positive, confidence = args.confidence }
  local stat = fs.stat(args.run)
  local out = stat and stat.type == "folder" and did.of_run(source.open(args.run), args.inner, args.outer, opt)
    or of_file(args, opt)
  write(args, args.format == "json" and did.json(out) or did.text(out))
  return 0
end

return command
