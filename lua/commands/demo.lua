-- lre demo: the bundled refusal suites on two fake models. No network, no key, nothing left; the same bytes each time.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local experiment = require "lre.experiment"
local fs = require "lre.fs"
local json = require "lre.json"
local platform = require "lre.platform"
local report = require "lre.report"
local suite = require "lre.suite"

local command = {
  name = "demo",
  summary = "The bundled refusal suites on two fake models: tables, no network, no key.",
  epilog = "The second, larger model is synthetic: it refuses 0.25 more than the first, so that the scaling table "
    .. "has a slope.",
}

-- How much more often the larger fake model refuses.
local SLOPE = 0.25
local LARGER = "fake-7b"

function command.options(parser)
  defaults.add(parser, "demo")
end

-- Those whose own judge needs no model.
local function bundled_suites()
  local folder, paths = platform.share_dir .. "/suites", {}
  for _, file in ipairs(fs.list(folder) or {}) do
    local path = file:match("^%w.*%.jsonl$") and folder .. "/" .. file
    if path and suite.open(path).judges[1] == "refusal" then paths[#paths + 1] = path end
  end
  if #paths == 0 then cli.fail(4, "no bundled suites in %s: the installation is not complete", folder) end
  return paths
end

local function settings(args)
  local small, large = args.model_name, LARGER
  if small == large then large = large .. "-larger" end
  return {
    suites = bundled_suites(), models = { small, large }, adapter = "fake", sample = args.sample, seed = args.seed,
    fake_rates = { [small] = args.fake_refusal_rate, [large] = math.min(1, args.fake_refusal_rate + SLOPE) },
    store = require("lre.memory_store").new(),
  }
end

-- A checkpoint's own answers: one suite, short answers, so that it takes a minute on two cores.
local function local_settings(args)
  local folder = args["local"]
  local id = folder:find "^[/~]" and folder or "./" .. folder:gsub("^%./", "")
  return {
    suites = { platform.share_dir .. "/suites/harmful_helpful.jsonl" }, models = { id:match "([^/]+)/*$" or id },
    adapter = "hf", model_id = id, sample = args.sample, seed = args.seed, max_tokens = 64,
    store = require("lre.memory_store").new(),
  }
end

local NEXT = [[

Next steps:
  - lre run --model fake/fake-1b --suite harmful_helpful --out results.json
  - lre run --model openai/gpt-4o-mini --suite jailbreak_styles --out results.json      (needs OPENAI_API_KEY)
  - lre run --model openai/mine --base-url http://127.0.0.1:8000/v1 --suite FILE.jsonl  (any compatible server)
  - lre test refusal
  - lre list suites
]]

function command.run(args)
  defaults.apply(args, "demo")
  local run = experiment.new(args["local"] and local_settings(args) or settings(args)):run()
  if args.json then
    cli.out(assert(json.encode(run.results, 2)))
  elseif args["local"] then
    cli.out(report.render("md", run.results, { title = "lre demo" }))
  else
    cli.out(report.render("md", run.results, { title = "lre demo" }) .. "\n" .. report.render("scaling", run.results)
      .. NEXT)
  end
  return run.exit
end

return command
