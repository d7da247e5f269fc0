-- import: what the first seed wrote, read without making anything up. tests/fixtures/seed1 has files of its shape.
local fs, json = require "lre.fs", require "lre.json"
local import = require "lre.import"
local source = require "lre.source"
local test = require "lre.unit"

local OWN = test.root .. "/tests/fixtures/seed1/"

local function lre(...)
  local out = test.lre(...)
  test.eq(out.exit, 0, out.err)
  return out
end

-- Imports into a fresh folder; returns the run's path.
local function imported(...)
  local folder = test.folder()
  lre("import", "--run-dir", folder, "--run-id", "a", ...)
  return folder .. "/a"
end

local function write(text)
  local path = test.folder() .. "/f.json"
  assert(fs.write(path, text))
  return path
end

local function changed(from, to)
  local text = assert(fs.read(OWN .. "results.json"))
  test.has(text, from)
  return write((text:gsub(from:gsub("%p", "%%%0"), to)))
end

local function refused(path, message)
  local out = test.lre("import", path, "--out", "-")
  test.eq(out.exit, 3)
  test.has(out.err, path .. ": " .. message)
end

test("results_become_rows_whose_ambiguous_answers_are_unscored_and_not_complied", function()
  local rows = source.open(imported(OWN .. "results.json")).results.rows
  test.eq({ rows[2].suite, rows[2].judge, rows[2].counts, rows[2].unscored, rows[2].total },
    { "own[sampled 4/9, seed=7]", "seed_rule", { refused = 1, complied = 2 }, 1, 4 })
  test.eq({ rows[2].refusal_rate, rows[2].refusal_rate_ci_low }, { 0.333333333333, 0.0614919447204 })
end)

test("a_row_where_nothing_was_judged_has_no_rate", function()
  local row = source.open(imported(OWN .. "results.json")).results.rows[1]
  test.eq({ row.suite, row.total, row.unscored, row.metrics.refusal_rate.n }, { "failed", 2, 2, 0 })
  test.eq(row.refusal_rate, json.null)
  test.has(lre("report", imported(OWN .. "results.json")).out, "| failed | 2 | 0 | 0 | 0 | 2 |")
end)

test("the_model_id_and_the_parameters_of_the_provenance_are_kept", function()
  local model = source.open(imported(OWN .. "results.json")).inputs.models[1]
  test.eq({ model.label, model.id, model.adapter, model.params.max_tokens, model.params.seed },
    { "small-1b", "small-1b-chat", "openai", 64, 7 })
end)

test("a_rate_that_does_not_follow_from_its_counts_is_an_error_with_both", function()
  refused(changed('"refusal_rate": 0.333333', '"refusal_rate": 0.25'),
    "row 1: refusal_rate: expected 0.333333 (refused / (refused + complied)), found 0.25")
end)

test("a_total_that_is_not_the_sum_is_an_error", function()
  refused(changed('"total": 4', '"total": 5'), "row 1: total: expected 4 (refused + complied + ambiguous), found 5")
end)

test("an_interval_with_another_z_is_a_warning", function()
  local out = test.lre("import", changed('"refusal_rate_ci_low": 0.061492', '"refusal_rate_ci_low": 0.061489'),
    "--out", "-")
  test.eq(out.exit, 0)
  test.has(out.err, "row 1: refusal_rate_ci_low: 0.061492 by its counts, the file says 0.061489")
end)

test("a_file_that_is_none_of_these_says_what_was_expected", function()
  refused(write '[{"a":1}]', "row 1: expected a row of the first seed: a result (total, refusal_rate)")
end)

test("an_unknown_suite_hash_is_not_taken_for_the_same_suite", function()
  local one, other = imported(OWN .. "results.json"), imported(changed('"00aa"', '"00bb"'))
  local out = test.lre("compare", one, other, "--judge", "seed_rule", "--model-a", "small-1b", "--model-b", "small-1b")
  test.eq(out.exit, 3)
  test.has(out.err, "the samples differ")
end)

test("responses_and_labels_become_a_run_that_verifies_reports_and_agrees", function()
  local run = imported(OWN .. "labels_manual.json", OWN .. "responses.jsonl", OWN .. "labels_rule.json")
  test.has(lre("verify", run).out, "not given again, only counted: verdicts of manual, seed_rule")
  local rows = source.open(run).results.rows
  test.eq({ rows[1].judge, rows[1].total, rows[1].counts, rows[1].generation_errors },
    { "manual", 4, { refused = 2, complied = 1 }, 1 })
  test.eq({ rows[2].judge, rows[2].counts, rows[2].unscored }, { "seed_rule", { refused = 1, complied = 1 }, 1 })
  local found = json.decode(lre("kappa", run, "--judge", "manual", "--judge", "seed_rule", "--json").out)
  test.eq(found.agreement.table, { { 1, 1 }, { 0, 0 } })
end)

test("a_failed_call_of_the_seed_is_an_error_and_no_empty_answer", function()
  local run = imported(OWN .. "responses.jsonl")
  local text = assert(fs.read(run .. "/partials.jsonl"))
  test.has(text, '"response":{"error":{"code":"generation_error"')
  lre("judge", "--in", run, "--judge", "refusal", "-q")
  local row = source.open(run).results.rows[1]
  test.eq({ row.counts, row.generation_errors, row.total }, { { refused = 1, complied = 1 }, 1, 3 })
  test.has(lre("verify", run).out, "2 verdicts given again")
end)

test("answers_with_labels_validate_a_judge_of_ours", function()
  local run = imported(OWN .. "labelled.jsonl")
  lre("judge", "--in", run, "--judge", "refusal", "-q")
  local found = json.decode(lre("kappa", run, "--judge", "label", "--judge", "refusal", "--json").out)
  test.eq(found.agreement.table, { { 1, 0 }, { 0, 1 } })
  test.eq(source.open(run).results.rows[1].categories.harmful.counts, { refused = 1, complied = 0 })
end)

test("with_a_suite_the_answers_have_its_samples_and_pair_with_its_runs", function()
  local folder = test.folder()
  local suite = folder .. "/own.jsonl"
  assert(fs.write(suite, '{"id":"p1","text":"one","category":"harmful"}\n{"id":"p2","text":"two"}\n'
    .. '{"id":"p3","text":"three"}\n{"id":"p4","text":"four"}\n'))
  lre("import", OWN .. "responses.jsonl", "--suite", suite, "--run-dir", folder, "--run-id", "a")
  lre("judge", "--in", folder .. "/a", "--judge", "refusal", "-q")
  lre("run", "--model", "fake/fake-1b", "--suite", suite, "--judge", "refusal", "--run-dir", folder, "--run-id", "b",
    "-q")
  test.has(lre("compare", folder .. "/a", folder .. "/b").out, "Paired: 3 trials of the same samples are in both.")
  local out = test.lre("import", OWN .. "labelled.jsonl", "--suite", suite, "--run-dir", folder)
  test.eq(out.exit, 3)
  test.has(out.err, 'has no sample "v1", which was answered')
end)

test("the_same_answer_twice_is_an_error_with_both_places", function()
  local line = '{"model":"m","output":"x","prompt_id":"p","seed":1}\n'
  local path = write(line .. line)
  local err = test.raises(function()
    import.run(import.read { path }, { run_dir = test.folder() })
  end, "is there twice")
  test.has(err.message, ("%s:2: prompt_id: "):format(path))
  test.has(err.message, ("first in %s:1"):format(path))
end)

test("the_same_prompt_with_another_seed_is_a_repeat", function()
  local line = '{"model":"m","output":"x","prompt_id":"p","seed":%d}\n'
  local run = imported(write(line:format(1) .. line:format(2)))
  test.has(assert(fs.read(run .. "/partials.jsonl")), '"key":"imported/p|none|m#2"')
end)

test("what_was_imported_cannot_be_reproduced", function()
  local out = test.lre("reproduce", imported(OWN .. "responses.jsonl"))
  test.eq(out.exit, 3)
  test.has(out.err, "it was imported")
end)

-- ---- the seed's own files ----

local function shared(name)
  local path = test.shared .. "/seeds/data/1/" .. name
  if not fs.stat(path) then test.skip("no " .. path) end
  return path
end

test("the_first_seeds_recorded_comparison_comes_out_of_its_own_files", function()
  local a = imported(shared "examples/qwen2_0_5b_harmful_helpful.json")
  local b = imported(shared "examples/qwen2_1_5b_harmful_helpful.json")
  test.has(lre("compare", a, b).out, "| all | 0.3333 [0.1518, 0.5829] (5/15) | 0.4667 [0.2481, 0.6988] (7/15) | "
    .. "+0.1333 | [-0.1984, +0.4281] | 0.4561 | no significant difference |")
  test.has(lre("report", a, "--format", "scaling").out, "0.5")
end)

test("the_first_seeds_sampled_run_keeps_its_tag", function()
  test.has(lre("report", imported(shared "run_fake_sample5.json")).out,
    "| fake-1b | harmful_helpful[sampled 5/15, seed=42] | 5 | 1 | 4 | 0 | 0 | 0 | 0 | 0.200 | [0.036, 0.624] |")
end)

test("the_first_seeds_validation_set_is_judged_and_agrees", function()
  local run = imported(shared "examples/validation_set.jsonl")
  lre("judge", "--in", run, "--judge", "refusal", "-q")
  local found = json.decode(lre("kappa", run, "--judge", "label", "--judge", "refusal", "--json").out)
  test.eq({ found.rows, #found.disagree }, { 30, 0 })
end)

-- ---- the third seed's partials ----

local SEED3 = test.root .. "/tests/fixtures/seed3/"

local function import_seed3(...)
  local at = test.folder()
  local out = test.lre("import", SEED3 .. "partials.jsonl", "--run-dir", at, "--run-id", "r", ...)
  test.eq(out.exit, 0, out.err)
  return at .. "/r", out
end

test("partials_of_the_third_seed_are_trials_with_the_last_answer_and_the_last_word_on_it", function()
  local run, out = import_seed3()
  test.has(out.err, "imported 8 answers, 6 labels")
  test.has(out.err, 'attack_success: expected true or false, got string "0": the verdict is unscored')
  local by = {}
  for line in test.lre("report", run, "--format", "jsonl").out:gmatch "[^\n]+" do
    local row = json.decode(line)
    by[row.test_id .. "|" .. row.persona_slug .. "|" .. row.model_slug] = row
  end
  test.eq(by["PI-1|docente_paciente|vendor/two"].error_type, "RetryError")
  local rejudged = by["PI-1|evil_confidant|vendor/two"]
  test.eq({ rejudged.raw_candidate, rejudged.attack_success, rejudged.overall, rejudged.error },
    { "No.", false, 0.8, json.null })
  test.eq(by["PI-2|evil_confidant|vendor/two"].raw_candidate, "First.", "an error takes no answer away")
  test.eq(by["PI-1|evil_confidant|vendor/one"].attack_success, true)
  test.eq(by["PI-2|evil_confidant|vendor/one"].error, "judge seed_alignment: missing field: overall")
end)

test("the_third_seeds_rates_leave_preferences_and_unreadable_flags_out", function()
  local rows = json.decode(fs.read(import_seed3() .. "/results.json")).rows
  local n, attacked, unscored, errors = 0, 0, 0, 0
  for _, row in ipairs(rows) do
    n, attacked = n + row.metrics.attack_rate.n, attacked + row.counts.attacked
    unscored, errors = unscored + row.unscored, errors + row.generation_errors
  end
  test.eq({ n, attacked, unscored, errors }, { 3, 1, 3, 1 })
end)

test("the_third_seeds_answers_are_judged_anew_by_the_example", function()
  local base, at = test.nginx(), test.folder()
  local bin = test.program:match "^(.*)/[^/]*$"
  local command = ("cd %s && PATH=%s:$PATH JUDGE_FLAGS='--judge-model openai/j --judge-base-url "
    .. "%s/faults/alignment/v1' %s/examples/rejudge_alignment.sh %spartials.jsonl %stests.jsonl"):format(at, bin, base,
      test.root, SEED3, SEED3)
  local out = require "lre.process".run { "bash", "-c", command, timeout = 240 }
  test.eq(out.exit, 0, out.err)
  test.has(out.out, "## Judge alignment")
  test.has(out.out, "Kappa: ")
end)

test("a_field_of_the_wrong_kind_is_named_with_its_line", function()
  local function told(row, message)
    local path = write(assert(json.encode(row)) .. "\n")
    local out = test.lre("import", path, "--run-dir", test.folder())
    test.eq({ out.exit, out.err }, { 3, ("lre: %s:1: %s\n"):format(path, message) })
  end
  told({ prompt_id = "a", model = 5, output = "x" }, "model: expected a string, got integer 5")
  told({ prompt_id = "a", model = "m", refused = true, judge = "rule", category = true },
    "category: expected a string, got true")
  told({ id = "a", response = "x", label = "refused", category = {} }, "category: expected a string, got table")
  told({ test_id = "a", persona_slug = "p", model_slug = "m", raw_candidate = "x", category = 1 },
    "category: expected a string, got integer 1")
  local path = changed('"lre_version"', '"judge_prompt_hash": 1, "lre_version"')
  refused(path, "row 1: judge_prompt_hash: expected a string, got integer 1")
end)
