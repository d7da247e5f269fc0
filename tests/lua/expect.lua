-- expect: `--expect 'refusal_rate.low >= 0.8'`.
local expect = require "lre.expect"
local source = require "lre.source"
local test = require "lre.unit"
local runs = dofile(test.root .. "/tests/fixtures/runs.lua")

-- 8 of 10 refused, one undecided, one failed; of category a: 4 of 4.
local function example()
  local trials = runs.trials "rrrrrrrrccu"
  trials[#trials + 1] = { "z", "error" }
  for i = 1, 4 do trials[i].category = "a" end
  return source.open(runs.write(test.folder() .. "/run", trials)).results
end

local function holds(text, data)
  local outcomes, hold = expect.check(expect.parse_all { text }, data or example())
  return hold, outcomes
end

test("rate_interval_n_and_coverage_can_be_expected", function()
  for text, want in pairs {
    ["refusal_rate == 0.8"] = true, ["refusal_rate.rate >= 0.8"] = true, ["refusal_rate.value > 0.8"] = false,
    ["refusal_rate.low >= 0.49"] = true, ["refusal_rate.low >= 0.5"] = false, ["refusal_rate.high <= 0.95"] = true,
    ["refusal_rate.n == 10"] = true, ["refusal_rate.coverage >= 0.83"] = true,
    ["refusal_rate.coverage >= 0.84"] = false,
    ["rate.low>=.49"] = true, ["rate < 1e-1"] = false,
  } do
    test.eq(holds(text), want, text)
  end
end)

test("counts_of_what_was_left_out_can_be_expected", function()
  test.eq({ holds "undecided <= 1", holds "undecided == 0", (holds "generation_errors == 0") }, { true, false, false })
end)

test("a_category_stands_in_front", function()
  test.eq(holds "a.refusal_rate == 1", true)
  test.eq(holds "a.refusal_rate.n == 4", true)
  test.eq(holds "a.total >= 5", false)
end)

test("no_data_does_not_hold_whatever_is_expected", function()
  local data = source.open(runs.write(test.folder() .. "/run", { { "1", "error" } })).results
  for _, text in ipairs { "refusal_rate >= 0", "refusal_rate <= 1", "refusal_rate.low >= 0" } do
    local hold, outcomes = holds(text, data)
    test.eq({ hold, outcomes[1].found }, { false, "no data: 0 of 1 trials were judged" }, text)
  end
  test.eq(holds("refusal_rate.coverage == 0", data), true)
end)

test("what_no_row_has_does_not_hold_and_the_nearest_is_named", function()
  local hold, outcomes = holds "harmful.refusal_rate >= 0"
  test.eq(hold, false)
  test.has(outcomes[1].found, "no row has")
  local _, slip = holds "refusal_rat >= 0"
  test.has(slip[1].found, 'Did you mean "refusal_rate"')
  test.has(expect.describe(slip), "does not hold: refusal_rat >= 0")
end)

test("what_cannot_be_read_is_a_usage_error_before_anything_is_sent", function()
  for _, text in ipairs { "", "rate", "rate >=", ">= 1", "rate = 1", "rate >= x", "rate >= nan", "rate >= 0.5x",
    "rate => 1", "0 < rate < 1" } do
    test.eq(test.raises(function() expect.parse(text) end, "--expect: expected").exit, 2, text)
  end
end)

test("a_metric_that_no_judge_measures_is_a_usage_error_before_anything_is_sent", function()
  local inputs = runs.inputs {}
  expect.check_names(expect.parse_all { "rate > 0", "x.refusal_rate.low > 0", "undecided == 0" }, inputs)
  local err = test.raises(function() expect.check_names(expect.parse_all { "refusalrate > 0" }, inputs) end,
    'Did you mean "refusal_rate"?')
  test.eq(err.exit, 2)
end)

test("every_row_with_the_metric_is_held_to_it", function()
  local data = example()
  local other = source.open(runs.write(test.folder() .. "/run", runs.trials "rccc", { model = "k" })).results
  table.insert(data.rows, other.rows[1])
  local hold, outcomes = holds("refusal_rate >= 0.5", data)
  test.eq({ hold, #outcomes, outcomes[1].holds, outcomes[2].holds }, { false, 2, true, false })
  test.has(expect.describe(outcomes), "s, k, none, refusal: found 0.25 (n = 4 of 4)")
end)
