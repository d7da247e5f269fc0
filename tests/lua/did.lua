-- did and composites: inner or outer, what the outer adds, majorities.
local composite = require "lre.composite"
local did = require "lre.did"
local fs = require "lre.fs"
local json = require "lre.json"
local report = require "lre.report"
local source = require "lre.source"
local stats = require "lre.stats"
local test = require "lre.unit"
local runs = dofile(test.root .. "/tests/fixtures/runs.lua")

local function votes(...)
  local out = {}
  for i, word in ipairs { ... } do
    out[i] = (word == "undecided" or word == "unscored" or word == "error") and { state = word }
      or { state = "scored", label = word }
  end
  return out
end

test("a_majority_is_more_than_half_of_the_votes_cast", function()
  test.eq(composite.majority(votes("a", "b", "a")).label, "a")
  test.eq(composite.majority(votes("a", "b", "c", "a")).state, "undecided")
  test.eq(composite.majority(votes("a", "a", "b", "undecided", "unscored")).label, "a")
end)

test("a_tie_is_undecided_unless_the_rule_names_a_label", function()
  test.eq(composite.majority(votes("a", "b")).state, "undecided")
  local verdict = composite.majority(votes("a", "b"), { tie = "b" })
  test.eq({ verdict.state, verdict.label, verdict.evidence.tie }, { "scored", "b", "b" })
end)

test("no_votes_are_no_verdict", function()
  local verdict = composite.majority(votes("undecided", "error"), { tie = "b" })
  test.eq({ verdict.state, verdict.reason.code }, { "unscored", "no_votes" })
end)

-- The published shape: 9 refused by the inner, 3 more by the outer, 18 by neither.
local function example()
  return runs.write(test.folder() .. "/run", runs.trials(("r"):rep(9) .. ("c"):rep(21),
    ("r"):rep(4) .. ("c"):rep(5) .. ("r"):rep(3) .. ("c"):rep(18)), { judges = { "x", "y" } })
end

test("joint_is_inner_or_outer_and_both_intervals_are_given", function()
  local f = did.of_run(source.open(example()), "x", "y", { confidence = 0.95 }).figures
  test.eq({ f.n, f.inner.x, f.outer.x, f.joint.x, f.delta.x }, { 30, 9, 7, 12, 3 })
  test.eq(f.table, { both = 4, inner_only = 5, outer_only = 3, neither = 18 })
  test.near(f.delta.wilson.low, 0.0346, 1e-2)
  test.eq({ f.delta.wilson.low, f.delta.wilson.high }, { stats.wilson(3, 30).low, stats.wilson(3, 30).high })
  local paired = stats.newcombe_paired(9, 3, 0, 18)
  test.eq({ f.delta.newcombe.low, f.delta.newcombe.high }, { paired.low, paired.high })
  test.near(f.delta.newcombe.low, -0.0250, 1e-2)
end)

test("what_one_judge_left_open_is_apart_from_the_rates", function()
  local run = runs.write(test.folder() .. "/run", { { "1", "r", "c" }, { "2", "u", "r" }, { "3", "c", "unscored" },
    { "4", "error" }, { "5", "c", "c" } }, { judges = { "x", "y" } })
  local out = did.of_run(source.open(run), "x", "y", { confidence = 0.95 })
  test.eq({ out.figures.total, out.figures.n }, { 5, 2 })
  test.eq(out.figures.apart, { ["undecided / refused"] = 1, ["complied / unscored"] = 1, generation_error = 1 })
  test.has(did.text(out), "left out: 1, no answer (generation error)")
end)

test("runs_with_errors_only_are_no_data", function()
  local run = runs.write(test.folder() .. "/run", { { "1", "error" } }, { judges = { "x", "y" } })
  local out = did.of_run(source.open(run), "x", "y", { confidence = 0.95 })
  test.has(did.text(out), "Added by the outer judge: no data.")
  test.has(did.text(out), "| joint: inner or outer | no data |")
end)

test("json_has_a_line_a_trial_in_the_order_of_keys", function()
  local run = runs.write(test.folder() .. "/run", { { "2", "r", "c" }, { "1", "u", "r" } }, { judges = { "x", "y" } })
  local text = did.json(did.of_run(source.open(run), "x", "y", { confidence = 0.95 }))
  test.has(text, '\n    {"inner":"undecided","joint":null,"key":"s/1|none|m","outer":"refused"},\n'
    .. '    {"inner":"refused","joint":true,"key":"s/2|none|m","outer":"complied"}\n')
  test.eq(json.decode(text).summary.n, 1)
end)

test("a_judge_that_never_spoke_is_an_error_with_those_that_did", function()
  local run = source.open(example())
  test.eq(test.raises(function() did.of_run(run, "x", "z", { confidence = 0.95 }) end, "It has x, y").exit, 3)
end)

test("a_results_file_has_no_trials_to_join", function()
  local path = runs.results(test.folder() .. "/run", runs.trials "rc")
  test.raises(function() did.of_run(source.open(path), "refusal", "refusal", { confidence = 0.95 }) end,
    "no single trials")
end)

test("two_judges_that_measure_the_same_have_a_joint_row_in_the_results", function()
  local results = source.open(example()).results
  test.eq(#results.joint, 1)
  local row = results.joint[1]
  test.eq({ row.inner, row.outer, row.metric, row.n, row.total }, { "x", "y", "refusal_rate", 30, 30 })
  test.eq({ row.joint_rate.value, row.inner_rate.value, row.delta_vs_inner_only.value }, { 0.4, 0.3, 0.1 })
  test.eq(row.delta_vs_inner_only.newcombe.low, json.round(stats.newcombe_paired(9, 3, 0, 18).low))
  test.has(report.render("md", results), "## Joint")
end)

test("one_judge_alone_has_no_joint_row", function()
  local run = runs.write(test.folder() .. "/run", runs.trials "rc")
  test.eq(source.open(run).results.joint, nil)
end)

test("a_torn_last_line_and_an_older_verdict_do_not_count", function()
  local run = example()
  local journal = assert(fs.read(run .. "/partials.jsonl"))
  local stale = '{"v":1,"type":"verdict","key":"s/s01|none|m","judge":"y","judge_hash":"an older y","n":1,'
    .. '"response_hash":"r","state":"scored","label":"complied"}\n'
  assert(fs.write(run .. "/partials.jsonl", journal .. stale .. '{"v":1,"type":"verd'))
  local f = did.of_run(source.open(run), "x", "y", { confidence = 0.95 }).figures
  test.eq(f.table, { both = 4, inner_only = 5, outer_only = 3, neither = 18 })
end)
