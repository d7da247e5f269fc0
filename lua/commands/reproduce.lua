-- lre reproduce RUN|FILE: the command that makes it again, what would differ today, and the proof.
local civil = require "lre.civil"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local diff = require "lre.diff"
local log = require "lre.log"
local progress = require "lre.progress"
local reproduce = require "lre.reproduce"
local source = require "lre.source"
local text = require "lre.text"

local command = {
  name = "reproduce",
  summary = "Print the command that makes a run again and what the present tree would change; --exec does it.",
  epilog = "Exit codes: 0 done (with --exec: identical); 1 --exec made something else, and the first difference is "
    .. "printed; 2 usage; 3 no run, or it cannot be planned today; 4 no key.",
}

function command.options(parser)
  parser:argument("run", "Folder of a run, or a results.json.")
  defaults.add(parser, "reproduce")
end

-- What is printed is pasted into a shell: a newline in a path or in a field of a foreign file ends no comment.
local function comments(lines)
  for i, line in ipairs(lines) do lines[i] = "# " .. text.terminal(line) .. "\n" end
  return table.concat(lines)
end

local function header(run, settings)
  local out = { ("Makes %s again."):format(run.path) }
  local was = reproduce.versions(run)
  out[#out + 1] = ("Made by lre %s."):format(tostring(was))
  local epoch = run.info and civil.seconds(tostring(run.info.started_at))
  if epoch then out[#out + 1] = ("SOURCE_DATE_EPOCH=%d gives the dates of the first run."):format(epoch) end
  if settings.api_key_env then out[#out + 1] = ("It needs the key in %s."):format(settings.api_key_env) end
  if not run.info then
    out[#out + 1] = "A results file does not say where files lay: suites and judges go by their names."
  end
  return comments(out)
end

local function changes(run, settings)
  local ok, plan = pcall(reproduce.plan, settings)
  if not ok then
    if type(plan) ~= "table" or not plan.exit then error(plan, 0) end
    return ("# Today it cannot be planned: %s\n"):format(plan.message:gsub("\n", "\n#   ")), plan
  end
  local list = reproduce.changes(run, plan)
  if #list == 0 then
    return comments { "The present tree has the same suites, judges, models, personas and version." }
  end
  local lines = { "The present tree would change:" }
  for _, one in ipairs(list) do
    lines[#lines + 1] = ("  %s: was %s, is %s"):format(one.field, diff.show(one.was), diff.show(one.is))
  end
  return comments(lines)
end

local function folder_name(path)
  local name = path:gsub("/+$", ""):match "([^/]+)$"
  if name == "results.json" then name = path:match "([^/]+)/results%.json$" or "results" end
  return (name:gsub("%.json$", "")) .. "-reproduced"
end

local function exec(args, run, settings)
  local made = reproduce.exec(settings, { run_dir = args.run_dir, run_id = args.run_id or folder_name(run.path),
    cache = args.cache, offline = args.offline, progress = progress.new(nil, args.quiet),
    on_start = function(plan, store)
      if log.level() ~= "ERROR" then
        cli.note(cli.safe(("run      %s\ntrials   %d\n"):format(store.path, plan:count())))
      end
    end })
  if made.exit >= 128 then
    cli.note("interrupted: nothing was compared\n")
    return made.exit
  end
  local found = reproduce.difference(run, source.open(made.dir))
  if not found then
    cli.out(cli.safe(("identical: %s and %s\n"):format(run.path, made.dir)))
    return 0
  end
  cli.out(cli.safe(("different: %s: was %s, is %s\n"):format(found.field, diff.show(found.was), diff.show(found.is))))
  return 1
end

function command.run(args)
  defaults.apply(args, "reproduce")
  local run = source.open(args.run)
  local settings = reproduce.settings(run)
  local told, unplanned = changes(run, settings)
  cli.out(cli.safe(header(run, settings) .. told .. reproduce.command(settings) .. "\n"))
  if not args.exec then return 0 end
  if unplanned then error(unplanned, 0) end
  return exec(args, run, settings)
end

return command
