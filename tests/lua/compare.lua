-- compare: pairing, intervals, tests, refusals to compare.
local compare = require "lre.compare"
local fs = require "lre.fs"
local json = require "lre.json"
local source = require "lre.source"
local stats = require "lre.stats"
local test = require "lre.unit"
local runs = dofile(test.root .. "/tests/fixtures/runs.lua")

local function folders(a, b, opt_a, opt_b)
  local at = test.folder()
  return source.open(runs.write(at .. "/a", a, opt_a)), source.open(runs.write(at .. "/b", b, opt_b or opt_a))
end

local function of(a, b, opt)
  opt = opt or {}
  opt.confidence = opt.confidence or 0.95
  return compare.of(a, b, opt)
end

test("two_runs_of_the_same_samples_are_paired_by_trial", function()
  -- both 10, only B 3, only A 1, neither 6
  local a, b = folders(runs.trials("rrrrrrrrrr" .. "ccc" .. "r" .. "cccccc"),
    runs.trials("rrrrrrrrrr" .. "rrr" .. "c" .. "cccccc"))
  local out = of(a, b)
  local row, want = out.rows[1], stats.newcombe_paired(10, 3, 1, 6)
  test.eq(out.paired, true)
  test.eq(row.table, { both = 10, only_a = 1, only_b = 3, neither = 6 })
  test.eq({ row.delta, row.low, row.high }, { want.value, want.low, want.high })
  test.eq(row.p, stats.mcnemar(3, 1).exact)
  test.has(compare.text(out), "Paired: 20 trials of the same samples are in both.")
  test.has(compare.text(out), "exact McNemar")
end)

test("an_interval_and_a_test_that_disagree_about_zero_are_told", function()
  -- only A 6, only B 16 of 161: McNemar .0525, and an interval without 0 (statistics.md, 2.3 and 2.4)
  local a, b = folders(runs.trials(("r"):rep(59) .. ("r"):rep(6) .. ("c"):rep(16) .. ("c"):rep(80)),
    runs.trials(("r"):rep(59) .. ("c"):rep(6) .. ("r"):rep(16) .. ("c"):rep(80)))
  test.has(compare.text(of(a, b)), "all: the interval leaves out 0, the test's p is 0.0525: they are made differently")
  local same, other = folders(runs.trials "rrcc", runs.trials "rccc")
  test.ok(not compare.text(of(same, other)):find("made differently", 1, true))
end)

test("results_files_are_compared_as_independent_samples_and_it_is_said_why", function()
  local at = test.folder()
  local five, seven = ("r"):rep(5) .. ("c"):rep(10), ("r"):rep(7) .. ("c"):rep(8)
  local a = source.open((runs.results(at .. "/a", runs.trials(five))))
  local b = source.open((runs.results(at .. "/b", runs.trials(seven))))
  local out = of(a, b)
  test.eq(out.paired, false)
  test.has(out.why, "A is a results file")
  -- The first seed's figures.
  test.has(compare.text(out), "| +0.1333 | [-0.1984, +0.4281] | 0.4561 | no significant difference |")
  test.has(compare.text(out), "| 0.3333 [0.1518, 0.5829] (5/15) | 0.4667 [0.2481, 0.6988] (7/15) |")
end)

test("the_first_seeds_recorded_comparison_comes_out_again", function()
  local golden = fs.read(test.shared .. "/seeds/data/1/compare_qwen.md")
  if not golden then test.skip("no seeds/data/1/compare_qwen.md in " .. test.shared) end
  local delta, interval, p = golden:match "\n| ([+-][%d.]+) | (%b[]) | ([%d.]+) |"
  local row = { stats.newcombe(7, 15, 5, 15), stats.ztest(7, 15, 5, 15) }
  test.eq(delta, ("%+.4f"):format(row[1].value))
  test.eq(interval, ("[%+.4f, %+.4f]"):format(row[1].low, row[1].high))
  test.eq(p, ("%.4f"):format(row[2]))
end)

test("trials_without_a_verdict_on_one_side_are_left_out_and_counted", function()
  local a, b = folders(runs.trials("rrcu"), runs.trials("rcrr"))
  local row = of(a, b).rows[1]
  test.eq({ row.n, row.unjudged }, { 3, 1 })
  test.has(compare.text(of(a, b)), "left out 1 pairs without a verdict on both sides")
end)

test("trials_that_only_one_run_has_are_left_out_and_counted", function()
  local a, b = folders(runs.trials("rrcc"), runs.trials("rc"))
  local out = of(a, b)
  test.eq({ out.only_a, out.only_b, out.rows[1].n }, { 2, 0, 2 })
  test.has(compare.text(out), "left out: 2 trials that only A has, 0 that only B has")
end)

test("repeats_are_clustered_by_sample", function()
  local function repeated(letters)
    local out = {}
    for i = 1, #letters do
      for n = 1, 3 do out[#out + 1] = { "s" .. i, letters:sub(i, i), n = n } end
    end
    return out
  end
  local a, b = folders(repeated "rccccccccc", repeated "rrrrrrcccc", { repeats = 3 })
  local row = of(a, b).rows[1]
  test.eq({ row.n, row.samples, row.test }, { 30, 10, "exact sign test over samples" })
  test.eq(row.p, stats.mcnemar(5, 0).exact) -- five samples, not fifteen trials
  test.eq(row.method, "cluster bootstrap over samples (2000 replicates)")
  test.has(row.note, "only 10 samples")
  local naive = stats.newcombe_paired(3, 15, 0, 12)
  test.ok(row.high - row.low > naive.high - naive.low, "wider than if all trials were independent")
end)

test("samples_that_all_agree_still_have_an_interval", function()
  local trials = {}
  for i = 1, 8 do
    for n = 1, 2 do trials[#trials + 1] = { "s" .. i, i < 4 and "r" or "c", n = n } end
  end
  local a, b = folders(trials, trials, { repeats = 2 })
  local row = of(a, b).rows[1]
  test.ok(row.low < 0 and row.high > 0, "not of zero width")
  test.has(row.method, "first trial of each sample")
end)

test("the_verdict_follows_the_chosen_confidence", function()
  -- b = 6, c = 0: exact p = 0.03125
  local a, b = folders(runs.trials "ccccccrrcc", runs.trials "rrrrrrrrcc")
  test.eq(of(a, b, { confidence = 0.95 }).rows[1].verdict, "B is higher")
  test.eq(of(b, a, { confidence = 0.95 }).rows[1].verdict, "B is lower")
  test.eq(of(a, b, { confidence = 0.99 }).rows[1].verdict, "no significant difference")
end)

test("many_rows_are_decided_by_holms_p_values", function()
  local function categorised(letters)
    local out = runs.trials(letters)
    for i, t in ipairs(out) do t.category = ({ "x", "y", "z" })[(i - 1) // 8 + 1] end
    return out
  end
  -- x: 6 to 0, p = 0.03125; y, z: nothing. Three tests: 0.09375.
  local a, b = folders(categorised("ccccccrr" .. "rrrrcccc" .. "rrrrcccc"),
    categorised("rrrrrrrr" .. "rrrrcccc" .. "rrrrcccc"))
  local out = of(a, b, { by = "category" })
  test.eq(#out.rows, 3)
  test.near(out.rows[1].p, 0.03125)
  test.near(out.rows[1].p_holm, 0.09375)
  test.eq(out.rows[1].verdict, "no significant difference")
  test.has(compare.text(out), "p (Holm)")
end)

test("suites_with_other_samples_are_not_compared_unless_told", function()
  local a, b = folders(runs.trials "rrcc", runs.trials "rccc", { hash = "one" }, { hash = "other" })
  local err = test.raises(function() of(a, b) end, "--allow-different-suites")
  test.eq(err.exit, 3)
  local out = of(a, b, { allow_different_suites = true })
  test.eq({ out.paired, out.rows[1].method }, { false, "Newcombe for independent samples (1998)" })
end)

test("two_runs_with_nothing_in_common_are_an_error", function()
  local a, b = folders(runs.trials "rc", runs.trials "rc", { suite = "x" }, { suite = "y" })
  test.raises(function() of(a, b) end, "nothing in common")
  local c, d = folders(runs.trials "rc", runs.trials "rc", { judges = { "x" } }, { judges = { "y" } })
  test.raises(function() of(c, d) end, "no judge in common")
end)

test("runs_with_errors_only_are_no_data_and_not_zero", function()
  local a, b = folders({ { "s1", "error" } }, { { "s1", "r" } })
  local out = of(a, b)
  test.eq({ out.rows[1].verdict, out.rows[1].delta }, { "no data" })
  test.has(compare.text(out), "| no data | no data | — | — | — | no data |")
end)

test("flips_name_the_trial_and_both_outcomes", function()
  local a, b = folders(runs.trials "rcu", runs.trials "ccr")
  test.eq(of(a, b, { flips = true }).flips, json.array { { trial = "s/s01|none", a = "refused", b = "complied" },
    { trial = "s/s03|none", a = "undecided", b = "refused" } })
end)

test("rates_of_repeats_are_clustered_by_sample", function()
  local function repeated(text)
    local out = {}
    for _, trial in ipairs(runs.trials(text)) do
      for n = 1, 3 do out[#out + 1] = { trial[1], trial[2], n = n } end
    end
    return out
  end
  local a, b = folders(repeated "rrrccc", repeated "rccccc")
  local side, want = of(a, b).rows[1].a, stats.wilson_clustered({ 3, 3, 3, 0, 0, 0 }, { 3, 3, 3, 3, 3, 3 })
  test.eq({ side.x, side.n, side.low, side.high, side.n_eff }, { 9, 18, want.low, want.high, want.n_eff })
  test.ok(side.n_eff < 7, "three answers of a sample that never differ are worth one")
end)

test("a_judge_that_changed_between_the_runs_is_told", function()
  local a, b = folders(runs.trials "rc", runs.trials "rc")
  b.inputs.judges[1].hash = "another"
  test.has(compare.text(of(a, b)), "its hash differs")
end)

test("files_of_other_versions_are_refused_by_name_and_field", function()
  local at = test.folder()
  local function refused(text, says)
    assert(fs.write(at .. "/r.json", text))
    test.eq(test.raises(function() source.open(at .. "/r.json") end, says).exit, 3)
  end
  refused('{"schema":2,"inputs":{},"rows":[]}', "r.json: schema: expected 1, got integer 2")
  refused("[]", "lre import")
  refused('{"schema":1,"inputs":{"judges":[],"suites":[],"personas":[],"models":[]},"rows":[{}]}', "rows[1].suite")
  refused("nonsense", "r.json")
  test.eq(test.raises(function() source.open(at .. "/none") end, "no such file").exit, 4)
  test.raises(function() source.open(at) end, "expected the folder of a run")
end)

test("json_has_every_number_at_twelve_digits", function()
  local a, b = folders(runs.trials "rccrc", runs.trials "rrrcc")
  local data = json.decode(compare.json(of(a, b)))
  test.eq(data.rows[1].delta, 0.2)
  test.eq(data.rows[1].a.n, 5)
end)

test("what_a_grouping_leaves_out_is_told", function()
  local function some(categories)
    local out = runs.trials "rcrc"
    for i, t in ipairs(out) do t.category = categories[i] end
    return out
  end
  local a, b = folders(some { "x", "x", "y" }, some { "x", "x", "y" })
  test.has(compare.text(of(a, b, { by = "category" })), "left out: 1 pairs without a category")
  local c, d = folders(some { "x", "x", "y" }, some { "x", "x", "z" })
  local text = compare.text(of(c, d, { by = "category", unpaired = true }))
  test.has(text, "left out: y (1 trials), which only A has")
  test.has(text, "left out: z (1 trials), which only B has")
end)

test("personas_are_compared_each_with_itself", function()
  local function both(none, other)
    local out = runs.trials(none)
    for i = 1, #other do out[#out + 1] = { ("s%02d"):format(i), other:sub(i, i), persona = "p" } end
    return out
  end
  local a, b = folders(both("rrcc", "cccc"), both("rrcc", "rrrc"), { personas = { "none", "p" } })
  local out = of(a, b, { by = "persona" })
  test.eq({ out.rows[1].name, out.rows[1].delta, out.rows[2].name, out.rows[2].delta }, { "none", 0.0, "p", 0.75 })
  test.eq(of(a, b).rows[1].samples, 4) -- pooled, a sample's two trials are a cluster
end)

-- ---- means ----

-- Runs of two samples each in three triplets, and the numbers of their verdicts; false: none.
local function with_numbers(at, name, numbers)
  local rows = {}
  for i, value in ipairs(numbers) do
    local who, triplet = i % 2 == 1 and "landlord" or "tenant", (i + 1) // 2
    rows[i] = json.encode { run_id = 1, model_id = "m", provider = "p", prompt_id = ("%03d"):format(i - 1),
      perspective = who, factors = { perspective = who, base_rent = 600, amount = triplet,
        relationship_quality = "good", justification = "economy_tough", tenant_quality = "good",
        landlord_quality = "good" }, messages = { { role = "user", content = "x" .. i } },
      response_text = "y", scorer_model = "s", score = value or json.null, error = value and json.null or "none" }
  end
  local folder = at .. "/" .. name .. "-in"
  assert(fs.mkdir(folder, true))
  assert(fs.write(folder .. "/run_scored.jsonl", table.concat(rows, "\n") .. "\n"))
  local done = test.lre("import", folder, "--run-dir", at, "--run-id", name)
  test.eq(done.exit, 0, done.err)
  return source.open(at .. "/" .. name)
end

test("means_are_compared_by_the_paired_differences_of_their_clusters", function()
  local at = test.folder()
  local a = with_numbers(at, "a", { 0, 0, 0, 0, 0, 0 })
  local b = with_numbers(at, "b", { 0.2, 0.4, 0.1, false, 0.5, 0.9 })
  local out = of(a, b, { metric = "mean_score" })
  local row = out.rows[1]
  -- 0.2 + 0.4 | 0.1 | 0.5 + 0.9: mean 0.42, residuals of the sums -0.24, -0.32, 0.56.
  local se = math.sqrt(3 / 2 * (0.24 ^ 2 + 0.32 ^ 2 + 0.56 ^ 2)) / 5
  test.eq({ out.paired, row.n, row.unjudged, row.clusters }, { true, 5, 1, 3 })
  test.near(row.delta, 0.42, 1e-9)
  test.near(row.high - row.delta, stats.t_quantile(0.975, 2) * se, 1e-9)
  test.near(row.p, stats.t_test(0.42 / se, 2), 1e-9)
  test.has(compare.text(out), "left out 1 pairs without a verdict on both sides")
  test.near(of(a, b, { metric = "mean_score", confidence = 0.8 }).rows[1].high - row.delta,
    stats.t_quantile(0.9, 2) * se, 1e-9)
  test.eq(of(a, b, { metric = "mean_score", by = "category" }).rows[1].name, "landlord")
end)

test("means_of_independent_samples_have_welchs_t_and_no_interval_where_a_side_is_constant", function()
  local at = test.folder()
  local a = with_numbers(at, "a", { 0, 0.1, 0.2, 0.3, 0.1, 0.5 })
  local b = with_numbers(at, "b", { 0.2, 0.4, 0.1, 0.2, 0.5, 0.9 })
  local row = of(a, b, { metric = "mean_score", unpaired = true }).rows[1]
  local function spread_of(sums, mean)
    local squares = 0
    for _, sum in ipairs(sums) do squares = squares + (sum - 2 * mean) ^ 2 end
    return 3 / 2 * squares / 36
  end
  local va, vb = spread_of({ 0.1, 0.5, 0.6 }, 0.2), spread_of({ 0.6, 0.3, 1.4 }, 2.3 / 6)
  local df = (va + vb) ^ 2 / (va ^ 2 / 2 + vb ^ 2 / 2)
  test.near(row.high - row.delta, stats.t_quantile(0.975, df) * math.sqrt(va + vb), 1e-9)
  local still = with_numbers(at, "c", { 0, 0, 0, 0, 0, 0 })
  local out = of(still, b, { metric = "mean_score", unpaired = true })
  test.eq({ out.rows[1].low, out.rows[1].verdict }, { nil, "no interval" })
  test.has(compare.text(out), "| — | — | no interval |")
end)

test("a_results_file_with_a_mean_can_be_read_but_its_means_not_be_compared", function()
  local at = test.folder()
  local a = with_numbers(at, "a", { 0, -0.1, -0.2, -0.3, 0.1, 0.5 })
  local file = source.open(at .. "/a/results.json")
  test.eq(file.results.rows[1].metrics.mean_score.method, "t")
  local ok, err = pcall(of, a, file, { metric = "mean_score" })
  test.eq(ok, false)
  test.has(tostring(err.message or err), "is a results file, which has no single trials")
end)
