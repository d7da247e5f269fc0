-- lre resume RUN: what has no good answer is asked, what has no verdict is judged, with the flags that the run began
-- with.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local json = require "lre.json"
local recorded = require "lre.recorded"

local command = {
  name = "resume",
  summary = "Go on with a run: ask what has no good answer, judge what has no verdict.",
  epilog = "Flags given here stand before the run's own; they may change limits, concurrency and budgets. What would "
    .. "make it another run is refused (exit 3). Exit codes: those of `lre run`.",
}

-- Of the first session alone, or said by the folder.
local NOT_TAKEN = { run_dir = true, run_id = true, fresh = true, quiet = true, verbose = true, log_level = true,
  dry_run = true, json = true, out = true, dump_raw = true }

function command.options(parser)
  parser:argument("folder", "Folder of a run."):argname "<run>"
  defaults.add(parser, "run")
end

local function read_flags(path)
  local text, err = fs.read(path .. "/run.json", 1 << 30)
  local info, bad = nil, nil
  if text then info, bad = json.decode(text, { max_bytes = 1 << 30 }) end
  if type(info) ~= "table" or type(info.flags) ~= "table" or not next(info.flags) then
    cli.fail(3, "%s/run.json: %s; `lre run` with the run's flags and --run-id goes on with it, `lre salvage` makes "
      .. "its results again", path, text and tostring(bad or "it does not say with which flags it was run")
      or tostring(err))
  end
  return recorded.flags(info.flags, path .. "/run.json")
end

function command.run(args)
  local path = args.folder:gsub("(.)/+$", "%1")
  if args.fresh or args.run_id then
    cli.fail(2, "resume: the folder names the run; --fresh and --run-id are lre run's")
  end
  defaults.apply(args, "run")
  local flags = read_flags(path)
  for _, e in ipairs(defaults.list "run") do
    local was = flags[e.name]
    if args.from[e.name] ~= "flag" and not NOT_TAKEN[e.name] then
      if was == nil then was = e.default end -- an older version did not have the flag
      if was == nil and (e.type == "words" or e.type == "specs" or e.type == "list") then was = {} end
      args[e.name] = was
    end
  end
  local parent, id = path:match "^(.*)/([^/]+)$"
  args.run_dir, args.run_id = parent == "" and "/" or parent or ".", id or path
  return require("commands.run").execute(args)
end

return command
