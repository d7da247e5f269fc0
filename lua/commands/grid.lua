-- lre grid SUITE: writes the samples of a suite as JSONL: prompt_id, factors, messages. `lre run --dataset FILE` reads
-- it back to the same trials.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local grid = require "lre.grid"
local log = require "lre.log"
local sample = require "lre.sample"
local suite = require "lre.suite"

local command = {
  name = "grid",
  summary = "Write a suite's samples, also a generated one's, as a JSONL file that lre run --dataset reads.",
  epilog = "A line a sample: prompt_id, factors, messages, and what else it has. --limit counts rows; --sample with "
    .. "--balanced draws whole triplets, every level of every factor equally often.",
}

function command.options(parser)
  parser:argument("suite", "Suite by name, or a .lua, .jsonl or .csv file.")
  defaults.add(parser, "grid")
end

local function open(args)
  local opened = suite.open(args.suite)
  local checked = opened:check()
  if #checked.problems > 0 then
    local lines = {}
    for i, problem in ipairs(checked.problems) do lines[i] = tostring(problem.message) end
    cli.fail(3, "%s", table.concat(lines, "\n"))
  end
  local list, left_out = {}, 0
  for one in opened:samples() do
    if args.no_neutral and grid.is_neutral(one) then
      left_out = left_out + 1
    else
      list[#list + 1] = one
    end
  end
  if args.no_neutral and left_out == 0 then
    log.warning(("%s has no neutral tellings that --no-neutral could leave out"):format(opened.name))
  end
  return opened, list
end

local function draw(args, list)
  local out = {}
  if args.balanced then
    local drawn
    out, drawn = grid.balanced(list, args.sample, args.seed)
    if drawn == 0 then
      cli.fail(2, "--balanced: no whole triplet fits into --sample %d (or the suite has none: metadata.triplet_id)",
        args.sample)
    elseif #out < args.sample and #out < #list then
      cli.note(("--sample %d: %d rows make %d whole triplets\n"):format(args.sample, #out, drawn))
    end
    return out
  end
  local chosen = sample.positions(args.sample, #list, args.seed)
  for at, one in ipairs(list) do out[#out + 1] = (not chosen or chosen[at]) and one or nil end
  return out
end

local function limited(args, list)
  if not args.limit or args.limit >= #list then return list end
  local cut = grid.cut(list, args.limit)
  if #cut > 0 then
    log.warning(("--limit %d cuts a triplet (%s): it cannot be compared, and will be counted as incomplete"):format(
      args.limit, table.concat(cut, ", ")))
  end
  return table.move(list, 1, args.limit, 1, {})
end

function command.run(args)
  defaults.apply(args, "grid")
  if args.no_neutral and args.include_neutral then
    cli.fail(2, "--include-neutral and --no-neutral contradict each other")
  elseif args.balanced and not args.sample then
    cli.fail(2, "--balanced: say with --sample how many rows are drawn")
  elseif args.limit and args.sample then
    cli.fail(2, "--limit and --sample: choose one")
  end
  cli.check_out("--out", args.out, { args.suite })
  local opened, list = open(args)
  list = args.sample and draw(args, list) or limited(args, list)
  local lines = {}
  for i, one in ipairs(list) do lines[i] = grid.line(opened, one) end
  local text = table.concat(lines)
  cli.write(args.out, text)
  if log.level() ~= "ERROR" then
    cli.note(cli.safe(("%d rows of suite %s%s\n"):format(#list, opened.name,
      args.out and args.out ~= "-" and ": " .. args.out or "")))
  end
  return 0
end

return command
