-- experiment: a run from a script.
local experiment = require "lre.experiment"
local fs = require "lre.fs"
local json = require "lre.json"
local test = require "lre.unit"

local folder

local function new(change)
  folder = folder or test.folder()
  local spec = { suites = { "harmful_helpful" }, models = { "fake/fake-1b", "fake/fake-7b" }, run_dir = folder }
  for name, value in pairs(change or {}) do spec[name] = value end
  return experiment.new(spec)
end

test("a_script_runs_the_same_thing_as_the_command", function()
  local run = new({ run_id = "a" }):run()
  test.eq(run.exit, 0)
  local command = test.lre("run", "-q", "--model", "fake/fake-1b,fake/fake-7b", "--suite", "harmful_helpful",
    "--run-dir", folder, "--run-id", "b")
  test.eq(command.exit, 0)
  test.eq(fs.read(folder .. "/a/results.json"), fs.read(folder .. "/b/results.json"))
  test.eq(run:report "md", command.out)
end)

test("an_unknown_field_is_refused_with_a_suggestion", function()
  local err = test.raises(function() new { modles = { "x" } } end, "modles")
  test.eq(err.exit, 3)
  test.has(err.message, "models")
end)

test("a_number_out_of_range_gets_the_range", function()
  test.raises(function() new { concurrency = 0 } end, "from 1 to 10000")
  test.raises(function() new { limit = 1.5 } end, "an integer")
end)

test("cells_pool_rows_and_give_the_interval_of_the_pooled_counts", function()
  local run = new({ suites = { "harmful_helpful", "jailbreak_styles" } }):run()
  local cells = run:cells { by = { "model" } }
  test.eq(#cells, 2)
  for _, cell in ipairs(cells) do
    test.eq(cell.total, 25)
    test.eq(cell.rate.n, 25)
    local wilson = require("lre.stats").wilson(cell.counts.refused, 25)
    test.near(cell.rate.low, wilson.low)
    test.near(cell.rate.high, wilson.high)
  end
end)

test("cells_by_a_field_that_rows_lack_are_an_error", function()
  local run = new({ limit = 1 }):run()
  test.raises(function() run:cells { by = { "flavour" } } end, "flavour")
end)

test("repeats_of_the_fake_model_differ_by_trial_not_by_run", function()
  local one, two = new({ repeats = 4 }):run(), new({ repeats = 4 }):run()
  test.eq(one.results.rows[1].total, 60)
  test.eq(json.encode(one.results), json.encode(two.results))
end)

test("a_roster_file_gives_labels_and_each_model_once", function()
  local path = test.folder() .. "/models.json"
  local entry = '{"id":"fake-1b","label":"small","provider":"fake"}'
  fs.write(path, ("[%s,%s]"):format(entry, entry))
  local run = new({ models = {}, model = {}, limit = 2 })
  run.settings.models = { path }
  local results = run:run().results
  test.eq(#results.rows, 1)
  test.eq({ results.rows[1].model, results.inputs.models[1].id }, { "small", "fake-1b" })
end)

test("a_bad_roster_names_file_and_field", function()
  local path = test.folder() .. "/models.json"
  fs.write(path, '[{"id":"x","rate_limit":{"rps":"fast"}}]')
  local run = new({ limit = 2 })
  run.settings.models = { path }
  local err = test.raises(function() run:run() end, "models.json")
  test.eq(err.exit, 3)
  test.has(err.message, "rps")
end)

test("a_suite_declared_in_the_script_runs", function()
  local lre = require "lre"
  local suite = lre.suite { name = "mine", judges = { "refusal" }, samples = function()
    return coroutine.wrap(function()
      for i = 1, 3 do coroutine.yield { id = "m" .. i, text = "invented " .. i } end
    end)
  end }
  local run = new({ suites = { suite }, models = { "fake/fake-1b" } }):run()
  test.eq(run.results.rows[1].total, 3)
end)

test("a_generator_that_changes_its_mind_is_an_error_and_nothing_is_asked", function()
  local lre, n = require "lre", 0
  local suite = lre.suite { name = "fickle", samples = function()
    n = n + 1
    return coroutine.wrap(function() coroutine.yield { id = "m", text = "reading " .. n } end)
  end }
  local err = test.raises(function() new({ suites = { suite }, run_id = "fickle" }):run() end, "second reading")
  test.eq(err.exit, 3)
  test.eq(fs.read(folder .. "/fickle/partials.jsonl"), "")
end)
