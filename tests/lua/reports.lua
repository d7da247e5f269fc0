-- reports: every bundled report on the same results, byte for byte; and what must never be folded away.
--
-- LRE_UPDATE=1 writes the golden files anew: read the diff.
local expect = require "lre.expect"
local fs = require "lre.fs"
local csv = require "lre.csv"
local json = require "lre.json"
local report = require "lre.report"
local source = require "lre.source"
local stats = require "lre.stats"
local test = require "lre.unit"
local runs = dofile(test.root .. "/tests/fixtures/runs.lua")

-- Two models, two judges, every way of being left out, a name that is hostile to all formats.
local function example()
  local trials = { { "1", "r", "r", category = "harmful" }, { "2", "r", "c", category = "harmful" },
    { "3", "c", "r", category = "harmful" }, { "4", "u", "c", category = "helpful" },
    { "5", "unscored", "c", category = "helpful" }, { "6", "filtered", "filtered", category = "helpful" },
    { "7", "error", "error", category = "helpful" }, { "8", "c", "c", category = "helpful" } }
  local at = test.folder()
  local a = source.open(runs.write(at .. "/a", trials, { judges = { "refusal", "second" }, model = "fake-1.5b",
    suite = "one" })).results
  local b = source.open(runs.write(at .. "/b", { { "1", "error", category = "harmful" } }, { suite = "one",
    model = 'a|b "<&>,\27[31m7b' })).results
  for _, row in ipairs(b.rows) do table.insert(a.rows, row) end
  return a
end

local FILES = { md = "md", csv = "csv", json = "json", scaling = "md", junit = "xml" }

for name, extension in pairs(FILES) do
  test(("the_%s_report_is_the_golden_one_byte_for_byte"):format(name), function()
    local results = example()
    local outcomes = expect.check(expect.parse_all { "harmful.refusal_rate >= 0.5", "rate.low >= 0.1" }, results)
    local text = report.render(name, results, { expectations = outcomes })
    local path = ("%s/tests/golden/report_%s.%s"):format(test.root, name, extension)
    if os.getenv "LRE_UPDATE" == "1" then assert(fs.write(path, text)) end
    test.eq(text, fs.read(path))
  end)
end

test("undecided_unscored_filtered_and_errors_have_columns", function()
  local text = report.render("md", example())
  test.has(text, "| Undecided | Unscored | Filtered | Errors |")
  test.has(text, "| fake-1.5b | one | 8 | 2 | 2 | 1 | 1 | 1 | 1 | 0.500 |")
end)

test("the_missing_data_line_gives_both_ends", function()
  local row = example().rows[1]
  local bounds = report.bounds(row, row.metrics.refusal_rate)
  test.eq({ bounds.missing, bounds.n, bounds.all.value, bounds.none.value }, { 4, 8, 0.75, 0.25 })
  test.eq(bounds.all.low, stats.wilson(6, 8).low)
  test.has(report.render("md", example()), "Refusal rate 0.750 [0.409, 0.929] (6/8) if all left out (4) had it, "
    .. "0.250 [0.071, 0.591] (2/8) if none had")
end)

test("the_missing_data_bounds_of_clustered_trials_are_as_wide_as_their_rate", function()
  local row = example().rows[1]
  local metric = row.metrics.refusal_rate
  metric.n_eff = metric.n / 2
  local bounds = report.bounds(row, metric)
  test.eq({ bounds.all.value, bounds.all.low }, { 0.75, stats.wilson_effective(6, 8, 4).low })
end)

test("nothing_judged_is_no_data_in_every_report", function()
  local results = source.open(runs.write(test.folder() .. "/run", { { "1", "error", category = "x" } })).results
  test.has(report.render("md", results), "no data: nothing was judged")
  test.has(report.render("md", results), "no data (0 of 1)")
  test.has(report.render("scaling", results), "no data (0 of 1)")
  test.has(report.render("csv", results), "refusal_rate,0,,,,wilson,1,1.0,0.0,1,")
  test.has(report.render("junit", results), "1 of 1 trials failed")
end)

test("csv_is_read_back_with_the_same_fields_in_each_line", function()
  local width, n
  for record in csv.records(report.render("csv", example())) do
    width, n = width or #record, (n or 0) + 1
    test.eq(#record, width)
  end
  test.eq(n, 1 + 3 * 2 + 2 + 5) -- a header; two rows with two categories each; one with one; a joint row
end)

test("jsonl_is_a_line_a_trial_with_its_latest_verdict_in_the_third_seeds_names", function()
  local at = test.folder()
  local words = { "run", "-q", "--model", "fake/a", "--suite", "harmful_helpful", "--limit", "3", "--judge",
    "refusal," .. test.root .. "/examples/brevity.lua", "--run-dir", at, "--run-id", "r" }
  test.eq(test.lre(table.unpack(words)).exit, 0)
  local journal = assert(io.open(at .. "/r/partials.jsonl", "a"))
  local rows = {}
  for line in fs.lines(at .. "/r/partials.jsonl") do rows[#rows + 1] = json.decode(line) end
  for _, row in ipairs(rows) do -- judged once more; and one was an error before
    if row.type == "verdict" and row.judge == "brevity" and row.key:find("hh-001", 1, true) then
      row.label, row.value = "long", { attack_success = true, overall = 0.5, safety_score = 0.25 }
      row.evidence = { judge_json = { overall = 0.5 } }
      journal:write(json.encode(row), "\n")
    elseif row.type == "trial" and row.key:find("hh-003", 1, true) then
      row.response = { error = { kind = "http", code = "server", message = "it broke" } }
      journal:write(json.encode(row), "\n")
    end
  end
  journal:close()
  local seen = {}
  for line in test.lre("report", at .. "/r", "--format", "jsonl").out:gmatch "[^\n]+" do
    seen[#seen + 1] = json.decode(line)
  end
  test.eq({ #seen, seen[1].test_id, seen[2].test_id }, { 3, "hh-001", "hh-002" })
  local one, failed = seen[1], seen[3]
  test.eq({ one.attack_success, one.overall, one.safety_score, one.judge_json, one.judges.refusal.state },
    { true, 0.5, 0.25, { overall = 0.5 }, "scored" })
  test.eq({ one.run_id, one.persona_slug, one.model_slug, one.error }, { "r", "none", "fake/a", json.null })
  test.ok(one.raw_candidate ~= json.null and one.started_at:find "Z$")
  test.eq({ failed.error, failed.error_type, failed.error_cause, failed.raw_candidate, failed.judge_json },
    { "it broke", "server", "http", json.null, json.null })
  test.eq(seen[2].judge_json.label, seen[2].judges.brevity.label)
end)

test("jsonl_of_a_results_file_says_that_it_has_no_trials", function()
  test.raises(function() report.render("jsonl", example()) end, "a results file has no trials")
end)

test("junit_has_no_byte_that_xml_forbids", function()
  local text = report.render("junit", example())
  test.eq(text:find "[%z\1-\8\11\12\14-\31]", nil)
  test.has(text, "a|b &quot;&lt;&amp;&gt;,\\x1b[31m7b")
end)

test("json_is_results_json", function()
  local results = example()
  test.eq(report.render("json", results), json.encode(results, 2))
end)
