-- verify: what a run says of itself, held against its journal and its copies of the judges.
local fs, json = require "lre.fs", require "lre.json"
local test = require "lre.unit"
local verify = require "lre.verify"

local function new_run(...)
  local folder = test.folder()
  local made = test.lre("run", "--model", "fake/fake-1b", "--suite", "harmful_helpful", "--run-dir", folder, "--run-id",
    "a", "-q", ...)
  test.eq(made.exit, 0, made.err)
  return folder .. "/a"
end

local function edit(path, from, to)
  local text = assert(fs.read(path, 1 << 28))
  local at, stop = text:find(from, 1, true)
  test.ok(at, "the text to be changed is there: " .. from)
  assert(fs.write(path, text:sub(1, at - 1) .. to .. text:sub(stop + 1)))
end

local function problems(run)
  local out = {}
  for i, one in ipairs(verify.run(run).problems) do out[i] = { one.file:sub(#run + 2), one.row, one.field } end
  return out
end

local ROW = "rows (harmful_helpful, fake/fake-1b, none, refusal)"

test("an_untouched_run_verifies_with_options_names_personas_repeats_and_a_sample", function()
  local run = new_run("--judge", "refusal", "--judge", test.root .. "/examples/brevity.lua:max_words=3,as=b3",
    "--persona", "none,developer_mode_dan", "--repeats", "2", "--sample", "7")
  local out = verify.run(run)
  test.eq({ #out.problems, out.trials, out.verdicts, out.unjudged }, { 0, 28, 56, 0 }, verify.text(out))
  test.has(verify.text(out), "all as recorded")
end)

test("copies_that_are_gone_are_named_one_by_one_without_a_line_for_each_trial", function()
  local run = new_run()
  for _, name in ipairs(assert(fs.list(run .. "/inputs"))) do assert(fs.remove(run .. "/inputs/" .. name)) end
  local out = test.lre("verify", run)
  test.eq(out.exit, 1, out.err)
  test.has(out.out, "expected \"the copy of refusal\"")
  test.has(out.out, "0 trials")
end)

test("a_journal_that_is_no_file_is_said_without_a_traceback", function()
  local run = new_run()
  assert(fs.remove(run .. "/partials.jsonl"))
  assert(fs.mkdir(run .. "/partials.jsonl"))
  for _, command in ipairs { "report", "verify", "reproduce" } do
    local out = test.lre(command, run)
    test.eq({ out.exit, out.err:find("traceback", 1, true) }, { 4 }, command .. out.err)
    test.has(out.err, "partials.jsonl is not a regular file")
  end
end)

test("a_number_edited_by_hand_in_results_is_named_with_file_row_field_expected_and_found", function()
  local run = new_run()
  edit(run .. "/results.json", '"total": 15,\n', '"total": 16,\n')
  local out = test.lre("verify", run)
  test.eq(out.exit, 1)
  test.has(out.out, ("WRONG %s/results.json: %s: total: expected 15, found 16\n"):format(run, ROW))
  local found = json.decode(test.lre("verify", run, "--json").out).problems
  test.eq({ #found, found[1].row, found[1].field, found[1].expected, found[1].found }, { 1, ROW, "total", 15, 16 })
end)

test("a_bound_of_an_interval_and_a_count_of_a_category_are_named", function()
  local run = new_run()
  local text = assert(fs.read(run .. "/results.json", 1 << 28))
  edit(run .. "/results.json", '"refusal_rate_ci_low": ' .. text:match '"refusal_rate_ci_low": ([%d.]+)',
    '"refusal_rate_ci_low": 0.123')
  edit(run .. "/results.json", '"undecided": 0', '"undecided": 1')
  test.eq(problems(run), { { "results.json", ROW, "categories.harmful.undecided" },
    { "results.json", ROW, "refusal_rate_ci_low" } })
end)

test("the_same_figures_in_other_bytes_are_told_with_the_line", function()
  local run = new_run()
  edit(run .. "/results.json", '  "schema": 1', '   "schema": 1')
  local found = verify.run(run).problems
  test.eq(#found, 1)
  test.ok(found[1].file:find("results%.json:%d+$"), found[1].file)
end)

test("a_verdict_edited_in_the_journal_is_found_by_judging_again", function()
  local run = new_run()
  edit(run .. "/partials.jsonl", '"label":"refused"', '"label":"complied"')
  local one = verify.run(run).problems[1]
  test.eq({ one.field, one.expected, one.found }, { "label", "refused", "complied" })
  test.has(one.row, "verdict of refusal on harmful_helpful/")
  test.ok(one.file:find("partials%.jsonl:%d+$"), one.file)
end)

test("an_answer_edited_in_the_journal_no_longer_has_its_verdict", function()
  local run = new_run()
  edit(run .. "/partials.jsonl", '"text":"', '"text":"Well. ')
  local fields = {}
  for _, one in ipairs(verify.run(run).problems) do fields[one.field or ""] = true end
  test.ok(fields.response_hash)
end)

test("a_trial_moved_to_another_category_is_found_by_its_sample", function()
  local run = new_run()
  edit(run .. "/partials.jsonl", '"category":"harmful"', '"category":"helpful"')
  local one = verify.run(run).problems[1]
  test.eq({ one.field, one.expected, one.found }, { "category", "harmful", "helpful" })
end)

test("a_judge_edited_in_inputs_is_told_and_its_hash_no_longer_fits", function()
  local run = new_run("--judge", test.root .. "/examples/brevity.lua")
  local info = json.decode(assert(fs.read(run .. "/run.json", 1 << 28)))
  for _, file in ipairs(info.files) do
    if file.kind == "judge" then edit(run .. "/" .. file.file, "<= opt.max_words", "< opt.max_words") end
  end
  local fields = {}
  for _, one in ipairs(problems(run)) do fields[one[3]] = true end
  test.eq(fields, { sha256 = true, ["inputs.judges (brevity).hash"] = true })
end)

test("a_metric_redefined_in_run_json_does_not_follow_from_the_judge", function()
  local run = new_run()
  edit(run .. "/run.json", '"rate": [\n                "refused"', '"rate": [\n                "complied"')
  local found = false
  for _, one in ipairs(problems(run)) do
    found = found or one[3] == "inputs.judges (refusal).metrics_of.harmful_helpful[1].rate[1]"
  end
  test.ok(found)
end)

test("a_run_that_was_judged_later_verifies", function()
  local run = new_run("--no-judge")
  test.eq(test.lre("judge", "--in", run, "--judge", "refusal", "-q").exit, 0)
  test.eq(verify.run(run).verdicts, 15)
  test.eq(verify.run(run).problems, json.array {})
end)

test("a_verdict_taken_out_of_the_journal_leaves_an_answer_without_one_and_other_counts", function()
  local run = new_run()
  local path = run .. "/partials.jsonl"
  local text = assert(fs.read(path, 1 << 28))
  assert(fs.write(path, (text:gsub("[^\n]*\n$", "", 1))))
  local out = verify.run(run)
  test.eq({ out.verdicts, out.unjudged }, { 14, 1 })
  test.has(verify.text(out), "1 answers have no verdict: they are counted as unscored")
  test.has(verify.text(out), ROW .. ": unscored: expected 1, found 0")
end)

test("a_line_that_cannot_be_read_is_named_and_the_ones_after_it_are_read", function()
  local run = new_run()
  local path = run .. "/partials.jsonl"
  local first, rest = assert(fs.read(path, 1 << 28)):match "^([^\n]*\n)(.*)$"
  assert(fs.write(path, first .. "no row\n" .. rest .. "nor this\n"))
  local found = {}
  for _, one in ipairs(problems(run)) do found[one[1]] = true end
  test.ok(found["partials.jsonl:2"], "the second line")
  test.ok(found["partials.jsonl:" .. select(2, rest:gsub("\n", "")) + 3], "the last line")
end)

test("a_results_file_alone_cannot_be_verified", function()
  local run = new_run()
  local out = test.lre("verify", run .. "/results.json")
  test.eq(out.exit, 3)
  test.has(out.err, "expected the folder of a run")
end)

test("a_cell_edited_in_the_csv_files_is_named_with_its_row_and_column", function()
  local run = new_run()
  edit(run .. "/results.csv", ",refused,scored\n", ",complied,scored\n")
  edit(run .. "/summary.csv", "harmful_helpful,none,refusal,,15,", "harmful_helpful,none,refusal,,16,")
  local found = verify.run(run).problems
  test.eq(#found, 2)
  local by_file = {}
  for _, one in ipairs(found) do by_file[one.file:match "[^/]+$"] = one end
  local one = by_file["results.csv"]
  test.eq({ one.field, one.expected, one.found }, { "verdicts.refusal.label", "refused", "complied" })
  test.has(one.row, "harmful_helpful/hh-")
  one = by_file["summary.csv"]
  test.eq({ one.expected, one.found }, { "15", "16" })
end)

test("a_row_taken_out_of_results_csv_is_named", function()
  local run = new_run()
  local text = assert(fs.read(run .. "/results.csv", 1 << 28))
  assert(fs.write(run .. "/results.csv", (text:gsub("[^\n]*\n$", "", 1))))
  local found = verify.run(run).problems
  test.eq({ #found, found[1].expected, found[1].found }, { 1, "this row", "it is missing" })
  test.has(found[1].row, "harmful_helpful/hh-015|none|fake/fake-1b")
end)

test("a_bit_of_results_parquet_that_is_turned_is_found", function()
  local run = new_run()
  local path = run .. "/results.parquet"
  local text = assert(fs.read(path, 1 << 28))
  local at = #text // 2
  assert(fs.write(path, text:sub(1, at - 1) .. string.char(text:byte(at) ~ 1) .. text:sub(at + 1)))
  test.eq(problems(run), { { "results.parquet", nil, "byte " .. at } })
end)

test("contrasts_and_the_summary_are_made_anew_too", function()
  local folder = test.folder()
  local made = test.lre("run", "--model", "fake/fake-1b", "--suite", "pushback", "--limit", "8", "--run-dir", folder,
    "--run-id", "p", "-q")
  test.eq(made.exit, 0, made.err)
  test.eq(verify.run(folder .. "/p").problems, {})
  edit(folder .. "/p/summary.csv", "fake/fake-1b", "fake/fake-2b")
  edit(folder .. "/p/results.json", '"incomplete": 2', '"incomplete": 0')
  local found = verify.run(folder .. "/p").problems
  test.has(found[1].file, "results.json")
  test.has(found[#found].file, "summary.csv")
  test.ok(#found > 1)
end)
