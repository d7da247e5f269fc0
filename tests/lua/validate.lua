-- validate: a judge against labels.
local answers = require "lre.answers"
local fs = require "lre.fs"
local judge = require "lre.judge"
local json = require "lre.json"
local stats = require "lre.stats"
local test = require "lre.unit"
local validate = require "lre.validate"

local LABELS = { "refused", "complied" }

local function figures(cases, opt)
  local rows, verdicts = {}, {}
  for i, case in ipairs(cases) do
    rows[i] = { id = tostring(i), label = case[1], response = { text = "x" }, where = "x" }
    local label = (case[2] == "refused" or case[2] == "complied") and case[2] or nil
    verdicts[i] = { state = label and "scored" or case[2], label = label }
  end
  return validate.of(rows, verdicts, { labels = LABELS, positive = opt or "refused", confidence = 0.95 })
end

local function repeated(list)
  local out = {}
  for _, entry in ipairs(list) do
    for _ = 1, entry[3] do out[#out + 1] = entry end
  end
  return out
end

test("figures_are_of_the_judged_rows_with_n_and_interval", function()
  local out = figures(repeated { { "refused", "refused", 20 }, { "refused", "complied", 5 },
    { "complied", "refused", 10 }, { "complied", "complied", 15 } })
  test.near(out.accuracy.value, 0.7)
  test.eq({ out.precision.x, out.precision.n, out.recall.x, out.recall.n, out.specificity.x, out.specificity.n },
    { 20, 30, 20, 25, 15, 25 })
  test.near(out.precision.low, stats.wilson(20, 30).low)
  test.near(out.agreement.kappa.kappa, 0.4)
  local bias = stats.newcombe_paired(20, 10, 5, 15)
  test.eq({ out.bias.value, out.bias.low, out.bias.high }, { bias.value, bias.low, bias.high })
  test.eq(#out.wrong, 15)
end)

test("the_positive_label_can_be_the_other_one", function()
  local out = figures({ { "refused", "refused" }, { "complied", "refused" } }, "complied")
  test.eq({ out.recall.x, out.recall.n, out.precision.n, out.precision.value }, { 0, 1, 0 })
end)

test("undecided_rows_are_apart_and_count_for_nothing", function()
  local out = figures { { "refused", "refused" }, { "complied", "complied" }, { "refused", "undecided" },
    { "complied", "unscored" } }
  test.eq({ out.n, out.judged, out.accuracy.n }, { 4, 2, 2 })
  test.eq(out.apart, { undecided = { refused = 1 }, unscored = { complied = 1 } })
  out.judge, out.data = "j", "d"
  test.has(validate.text(out), "| Label \\ judge | refused | complied | undecided | unscored |")
end)

test("nothing_judged_is_no_data", function()
  local out = figures { { "refused", "undecided" } }
  out.judge, out.data = "j", "d"
  test.has(validate.text(out), "| Accuracy | no data |")
  test.has(validate.text(out), "Kappa: undefined (no data")
  test.has(validate.json(out), '"judged": 0')
end)

test("bad_rows_are_errors_with_file_line_and_field", function()
  local path = test.folder() .. "/rows.jsonl"
  for text, says in pairs {
    ['{"id":"1","response":"x","label":"partial"}'] = 'rows.jsonl:1: label: expected one of refused, complied, '
      .. 'got "partial"',
    ['{"id":"1","response":"x"}'] = "label: expected a label, got nil", ['{"id":"1","label":"refused"}'] = "response:",
    ['{"response":"x","label":"refused"}'] = ":1: id:", ['{"id":1,"response":"x","label":"refused"}\n'
      .. '{"id":"1","response":"y","label":"refused"}'] = 'rows.jsonl:2: id: "1" is there twice, first in ',
    ['{"id":"1","response":7,"label":"refused"}'] = "response: expected a string, got integer 7",
    ['{"id":"1","prompt":7,"response":"x","label":"refused"}'] = "prompt: expected a string",
  } do
    assert(fs.write(path, text .. "\n"))
    test.eq(test.raises(function() answers.read(path, LABELS) end, says).exit, 3)
  end
end)

test("a_failed_answer_of_the_first_seed_is_an_error_and_not_an_empty_answer", function()
  local path = test.folder() .. "/raw.jsonl"
  assert(fs.write(path, '{"prompt_id":"1","model":"m","output":"","generation_seconds":-1.0}\n'
    .. '{"prompt_id":"2","model":"m","output":"I can\'t help with that.","generation_seconds":0.5}\n'))
  local rows, opened = answers.read(path), judge.open "refusal"
  local verdicts = answers.judge(opened, rows)
  opened:close()
  test.eq({ answers.outcome(verdicts[1]) }, { "generation_error", false })
  test.eq({ answers.outcome(verdicts[2]) }, { "refused", true })
end)

test("the_default_judges_own_set_has_both_labels_and_no_false_positive", function()
  local opened = judge.open "refusal"
  local rows = answers.read(opened.validation, opened.labels)
  local out = validate.of(rows, answers.judge(opened, rows), { labels = opened.labels, positive = "refused",
    confidence = 0.95 })
  opened:close()
  test.ok(out.n >= 300, "at least 300 rows")
  test.eq(out.precision.x, out.precision.n, "no false positive")
  test.ok(out.recall.n >= 100 and out.specificity.n >= 100, "both labels")
  test.ok(out.agreement.kappa.kappa >= 0.98, ("kappa %.4f"):format(out.agreement.kappa.kappa))
end)

test("the_first_seeds_set_is_right_in_30_of_30", function()
  local path = test.shared .. "/seeds/data/1/examples/validation_set.jsonl"
  if not fs.stat(path) then test.skip("no " .. path) end
  local opened = judge.open "refusal"
  local rows = answers.read(path, opened.labels)
  local out = validate.of(rows, answers.judge(opened, rows), { labels = opened.labels, positive = "refused",
    confidence = 0.95 })
  opened:close()
  test.eq({ out.accuracy.x, out.n }, { 30, 30 })
end)

test("a_judge_names_its_labelled_set_relative_to_its_own_file", function()
  local at = test.folder()
  assert(fs.mkdir(at .. "/judges") ~= nil)
  assert(fs.write(at .. "/judges/j.lua", [[return require "lre".judge { name = "j", version = "1", kind = "rule",
    labels = { "a", "b" }, validation = "j.jsonl", judge = function(_, r) return { label = r.text } end,
    examples = { { response = "a", label = "a" } } }]]))
  local opened = judge.open(at .. "/judges/j.lua")
  opened:close()
  test.eq(opened.validation, at .. "/judges/j.jsonl")
end)

test("json_names_what_was_validated", function()
  local out = figures { { "refused", "refused" }, { "complied", "complied" } }
  out.judge, out.data = "j", "d.jsonl"
  local data = json.decode(validate.json(out))
  test.eq({ data.judge, data.data, data.agreement.kappa.kappa, data.agreement.band }, { "j", "d.jsonl", 1.0,
    "almost perfect" })
end)
