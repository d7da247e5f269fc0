-- The grid of a run by its flags: which models, personas, repeats and samples there are, and what is refused before
-- anything is sent.
local fs = require "lre.fs"
local json = require "lre.json"
local test = require "lre.unit"

local folder = test.folder()

local function file(name, text)
  local path = folder .. "/" .. name
  assert(fs.write(path, text))
  return path
end

local function dry(...)
  return test.lre("run", "--dry-run", "-q", "--run-dir", folder .. "/runs", ...)
end

local function lines(out)
  local list = {}
  for line in out.out:gmatch "[^\n]+" do list[#list + 1] = assert(json.decode(line)) end
  return list
end

test("models_are_a_list_a_repeated_flag_or_a_roster_with_parameters_of_their_own", function()
  local roster = file("roster.json", [[ [ "fake/a", { "id": "fake/b", "label": "warm b",
    "params": { "temperature": 0.7, "max_tokens": 99 } } ] ]])
  local out = dry("--suite", "harmful_helpful", "--limit", "1", "--models", roster, "--model", "fake/c,fake/d")
  test.eq(out.exit, 0, out.err)
  local by = {}
  for _, line in ipairs(lines(out)) do by[line.model] = line.params end
  test.eq({ by["warm b"].temperature, by["warm b"].max_tokens, by["fake/a"].temperature, by["fake/a"].max_tokens },
    { 0.7, 99, 0, 512 })
  test.ok(by["fake/c"] and by["fake/d"])
end)

test("repeats_personas_and_filters_multiply_and_narrow", function()
  local out = dry("--suite", "alignment", "--model", "fake/a", "--judge", "refusal", "--personas", "coach_empatico",
    "--repeats", "3", "--filter", "category=hhh", "--filter", "*-es", "--limit", "2")
  test.eq(out.exit, 0, out.err)
  local list = lines(out)
  test.eq(#list, 2 * 2 * 3)
  for _, line in ipairs(list) do test.ok(line.sample_id:find "%-es$", line.sample_id) end
end)

test("a_filtered_run_says_so_in_its_results_and_is_another_run_than_the_whole", function()
  local words = { "--suite", "alignment", "--model", "fake/a", "--judge", "refusal", "--run-dir", folder,
    "--run-id", "part", "-q" }
  local function run(...)
    local argv = { "run", ... }
    table.move(words, 1, #words, #argv + 1, argv)
    return test.lre(table.unpack(argv))
  end
  test.eq(run("--filter", "subcategory=sycophancy").exit, 0)
  local row = assert(json.decode(assert(fs.read(folder .. "/part/results.json")))).rows[1]
  test.eq({ row.suite, row.total }, { "alignment[filtered 2/29]", 2 })
  test.eq(test.lre("verify", folder .. "/part").exit, 0)
  local out = run()
  test.eq(out.exit, 3)
  test.has(out.err, "filter differs")
  out = test.lre("reproduce", folder .. "/part", "--exec", "--run-dir", folder .. "/again")
  test.has(out.out .. out.err, "identical")
end)

test("unknown_names_are_refused_before_the_run", function()
  local runs = folder .. "/none"
  local function refused(want, ...)
    local out = test.lre("run", "--suite", "alignment", "--run-dir", runs, "-q", ...)
    test.eq(out.exit, 3, want)
    test.has(out.err, want)
  end
  refused('unknown persona "evil_confidnt"', "--model", "fake/a", "--judge", "refusal", "--personas",
    "none,evil_confidnt")
  refused('model "nobody/x"', "--models", "fake/a,nobody/x", "--judge", "refusal")
  refused('unknown judge "alignmnt"', "--model", "fake/a", "--judge", "alignmnt")
  test.eq(fs.stat(runs), nil)
end)

test("a_test_id_that_is_there_twice_is_refused_and_a_bar_in_an_id_is_escaped", function()
  local twice = file("twice.jsonl", '{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n')
  local out = dry("--suite", twice, "--model", "fake/a")
  test.eq(out.exit, 3)
  test.has(out.err, 'twice.jsonl:2: id: duplicate id "a", first on line 1')
  local bar = file("bar.jsonl", '{"id":"a|b","text":"x"}\n{"id":"a","text":"y"}\n')
  out = test.lre("run", "--suite", bar, "--model", "fake/a", "--run-dir", folder, "--run-id", "bar", "-q", "--persona",
    "coach_empatico")
  test.eq(out.exit, 0, out.err)
  test.has(assert(fs.read(folder .. "/bar/partials.jsonl")), '"key":"bar/a%7Cb|coach_empatico|fake/a"')
  test.eq(test.lre("verify", folder .. "/bar").exit, 0)
end)

test("the_same_grid_is_an_experiments_table", function()
  local script = file("grid.lua", ([[
    local lre = require "lre"
    local run = lre.experiment { dataset = { "alignment" }, models = { "fake/a" }, personas = { "coach_empatico:en" },
      judges = { "refusal" }, filter = { "category=moral" }, repeats = 2, run_dir = %q, run_id = "script" }:run()
    for _, row in ipairs(run.results.rows) do print(row.persona, row.suite, row.total) end
  ]]):format(folder))
  local out = test.lre("script", script)
  test.eq(out.out, "coach_empatico:en\talignment[filtered 4/29]\t8\nnone\talignment[filtered 4/29]\t8\n", out.err)
end)
