-- lre import FILE...: what the three seeds wrote, as a results.json or the folder of a run.
local cli = require "lre.cli"
local clock = require "lre.clock"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local import = require "lre.import"
local json = require "lre.json"
local log = require "lre.log"
local rundir = require "lre.rundir"
local sycophancy_import = require "lre.sycophancy_import"

local command = {
  name = "import",
  summary = "Read what the three seeds wrote (results, responses, labels, runs, partials), for compare and report.",
  epilog = "Results (EvalResult) become a results.json; responses (RawResponse), labels (RefusalLabel) and answers "
    .. "with their label ({ id, prompt?, response, label }) the folder of a run; so do a run of the second seed (its "
    .. "folder, with run.jsonl or run_scored.jsonl) and the third seed's partials. "
    .. "docs/files.md says what becomes of which field.",
}

function command.options(parser)
  parser:argument("files", "Files of one run: JSON lines, or one JSON list."):args "+"
  defaults.add(parser, "import")
end

local function say(text, ...)
  if log.level() ~= "ERROR" then cli.note(cli.safe(text:format(...)) .. "\n") end
end

local function import_results(args, files)
  local data = import.results(files)
  local text = assert(json.encode(data, 2))
  if args.out == "-" then
    cli.out(text)
    return 0
  end
  local path = args.out
  if not path then
    if args.run_id then rundir.check_id(args.run_id) end
    local folder = ("%s/%s"):format(args.run_dir, args.run_id or clock.stamp())
    path = folder .. "/results.json"
    if fs.stat(path) then cli.fail(3, "%s: is there already; give another --run-id", path) end
    local made, err = fs.mkdir(folder, true)
    if made == nil then cli.fail(4, "%s: %s", folder, tostring(err)) end
  end
  cli.write(path, text)
  say("imported %d rows: %s", #data.rows, path)
  return 0
end

-- A run of the second seed.
local function import_sycophancy(args, found)
  if #args.suite > 0 or args.out then
    cli.fail(2, "a run of the second seed has its own grid and becomes a run: no --suite, no --out")
  end
  local done = sycophancy_import.run(found, { run_dir = args.run_dir, run_id = args.run_id })
  say("imported %d answers, %d scores: %s", done.trials, done.scored, done.path)
  return 0
end

function command.run(args)
  defaults.apply(args, "import")
  if #args.suite > 1 then cli.fail(2, "--suite: expected one suite, got %d", #args.suite) end
  cli.check_out("--out", args.out, args.files)
  local seed = sycophancy_import.find(args.files)
  if seed then return import_sycophancy(args, seed) end
  for _, path in ipairs(args.files) do
    local stat = fs.stat(path)
    if stat and stat.type == "folder" then
      cli.fail(3, "%s: a folder, and it has no run.jsonl or run_scored.jsonl whose first row is one of the second "
        .. "seed's (model_id, prompt_id, perspective); give the files of other seeds by name", path)
    end
  end
  local files, of_results = import.read(args.files)
  if of_results then return import_results(args, files) end
  if args.out then cli.fail(2, "--out is for results; single answers become a run (--run-dir, --run-id)") end
  local done = import.run(files, { run_dir = args.run_dir, run_id = args.run_id, suite = args.suite[1] })
  say("imported %d answers, %d labels: %s", done.trials, done.verdicts, done.path)
  if done.without_text > 0 then
    say("%d of them have a label and no text: they cannot be judged again", done.without_text)
  end
  return 0
end

return command
