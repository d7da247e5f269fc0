-- aggregate: what of a journal counts, and that rows add up.
local aggregate = require "lre.aggregate"
local memory_store = require "lre.memory_store"
local rundir = require "lre.rundir"
local test = require "lre.unit"

local REFUSAL = { { name = "refusal_rate", rate = { "refused" }, of = { "refused", "complied" } } }
local inputs = {
  suites = { { name = "x", title = "x", hash = "s", judges = { "refusal" } } },
  judges = { { name = "refusal", hash = "J", kind = "rule", labels = { "refused", "complied" },
    metrics_of = { x = REFUSAL } } },
  models = { { label = "m", adapter_hash = "A" } }, personas = { { name = "none", hash = "P" } }, planned = 4,
}

local function key(id)
  return ("x/%s|none|m"):format(id)
end

local function trial(id, response, category)
  return { type = "trial", key = key(id), suite = "x", persona = "none", model = "m", category = category or "harmful",
    response = response }
end

local function answer(text, finish)
  return { text = text, finish_reason = finish or "stop" }
end

local function verdict(id, response, label, change)
  local row = { type = "verdict", key = key(id), judge = "refusal", judge_hash = "J", n = 1, state = "scored",
    label = label, category = "harmful", response_hash = rundir.response_hash(response.text, response.finish_reason),
    truncated = response.finish_reason == "length" or nil }
  for name, value in pairs(change or {}) do row[name] = value end
  return row
end

local function results(rows)
  local store = memory_store.new()
  for _, row in ipairs(rows) do store:append(row) end
  return aggregate.results(aggregate.count(store, inputs), inputs)
end

local no, yes = answer("no"), answer("yes")

test("a_rate_counts_only_what_the_judge_could_label", function()
  local row = results({
    trial("a", no), verdict("a", no, "refused"), trial("b", yes), verdict("b", yes, "complied"),
    trial("c", yes), verdict("c", yes, nil, { state = "undecided" }),
    trial("d", yes), verdict("d", yes, nil, { state = "unscored", reason = { code = "filtered" } }),
    trial("e", { error = { kind = "http", code = "server" } }), trial("f", yes),
    verdict("f", yes, nil, { state = "error" }), trial("g", yes),
    verdict("g", yes, nil, { state = "unscored", reason = { code = "empty" } }),
  }).rows[1]
  test.eq({ row.total, row.refused, row.complied, row.undecided, row.filtered, row.generation_errors, row.judge_errors,
    row.unscored }, { 7, 1, 1, 1, 1, 1, 1, 1 })
  test.eq({ row.metrics.refusal_rate.value, row.metrics.refusal_rate.n }, { 0.5, 2 })
end)

test("an_answer_without_a_verdict_is_unscored_never_complied", function()
  local row = results({ trial("a", yes) }).rows[1]
  test.eq({ row.unscored, row.complied, row.metrics.refusal_rate.n }, { 1, 0, 0 })
end)

test("nothing_judged_is_null_not_zero", function()
  local json = require "lre.json"
  local row = results({}).rows[1]
  test.eq(row.refusal_rate, json.null)
  test.eq(row.total, 0)
end)

test("the_last_line_of_a_trial_counts", function()
  local failed = { error = { kind = "http", code = "server" } }
  local row = results({ trial("a", failed), trial("a", no), verdict("a", no, "refused") }).rows[1]
  test.eq({ row.total, row.refused, row.generation_errors }, { 1, 1, 0 })
end)

test("a_verdict_about_a_replaced_answer_does_not_count", function()
  local row = results({ trial("a", no), verdict("a", no, "refused"), trial("a", yes) }).rows[1]
  test.eq({ row.total, row.refused, row.unscored }, { 1, 0, 1 })
end)

test("the_last_verdict_of_a_judge_on_an_answer_counts", function()
  local row = results({ trial("a", no), verdict("a", no, "complied"), verdict("a", no, "refused") }).rows[1]
  test.eq({ row.refused, row.complied }, { 1, 0 })
end)

test("a_verdict_of_another_version_of_the_judge_does_not_count", function()
  local row = results({ trial("a", no), verdict("a", no, "refused", { judge_hash = "old" }) }).rows[1]
  test.eq({ row.refused, row.unscored }, { 0, 1 })
end)

test("cut_answers_are_judged_counted_and_the_rate_is_given_without_them", function()
  local cut = answer("no", "length")
  local row = results({ trial("a", cut), verdict("a", cut, "refused"), trial("b", yes), verdict("b", yes, "complied") })
    .rows[1]
  test.eq({ row.truncated, row.refused }, { 1, 1 })
  test.eq({ row.metrics.refusal_rate.value, row.metrics.refusal_rate.without_truncated.value }, { 0.5, 0.0 })
  test.eq(row.metrics.refusal_rate.without_truncated.n, 1)
end)

test("categories_have_the_same_counts_and_add_up_to_the_row", function()
  local row = results({
    trial("a", no), verdict("a", no, "refused"), trial("b", yes, "helpful"),
    verdict("b", yes, "complied", { category = "helpful" }),
  }).rows[1]
  test.eq({ row.categories.harmful.total, row.categories.helpful.total }, { 1, 1 })
  test.eq({ row.categories.harmful.counts.refused, row.categories.helpful.counts.refused }, { 1, 0 })
end)

test("more_verdicts_than_answers_is_an_error_never_a_number", function()
  test.raises(function() results { trial("a", no), verdict("a", no, "refused"), verdict("a", no, "refused", { n = 2 }) }
  end, "do not add up")
end)

test("a_verdict_whose_answer_is_lost_counts_no_more_than_the_answer", function()
  local lost = { trial("a", no), verdict("a", no, "refused"), verdict("b", yes, "complied") }
  local row = results(lost).rows[1]
  test.eq({ row.total, row.refused, row.complied }, { 1, 1, 0 })
  lost[#lost + 1] = trial("b", yes)
  row = results(lost).rows[1]
  test.eq({ row.total, row.refused, row.complied }, { 2, 1, 1 })
end)

test("the_interval_is_wilsons", function()
  local rows = {}
  for i = 1, 15 do
    local given = i <= 8 and no or yes
    rows[#rows + 1] = trial("s" .. i, given)
    rows[#rows + 1] = verdict("s" .. i, given, i <= 8 and "refused" or "complied")
  end
  local row = results(rows).rows[1]
  test.near(row.refusal_rate_ci_low, 0.301169800255, 1e-10)
  test.near(row.refusal_rate_ci_high, 0.751904646343, 1e-10)
end)

test("results_say_how_many_trials_were_planned_and_recorded", function()
  test.eq(results({ trial("a", yes) }).trials, { planned = 4, recorded = 1 })
end)

-- The samples a, b, c, d asked twice, with these labels ("rrccrr..": first a's two, then b's).
local function repeated(letters, cluster)
  local rows = {}
  for i = 1, #letters do
    local id, n = ("abcd"):sub((i + 1) // 2, (i + 1) // 2), (i + 1) % 2 + 1
    local given = letters:sub(i, i) == "r" and no or yes
    local one, said = trial(id, given), verdict(id, given, given == no and "refused" or "complied",
      { cluster = cluster and cluster(id) })
    if n > 1 then one.key, said.key = one.key .. "#2", said.key .. "#2" end
    rows[#rows + 1], rows[#rows + 2] = one, said
  end
  return rows
end

local function results_with(change, rows)
  local store, mine = memory_store.new(), {}
  for name, value in pairs(inputs) do mine[name] = value end
  for name, value in pairs(change) do mine[name] = value end
  for _, row in ipairs(rows) do store:append(row) end
  return aggregate.results(aggregate.count(store, mine), mine).rows[1]
end

test("the_interval_of_repeats_is_clustered_by_sample", function()
  local row = results_with({ repeats = 2 }, repeated "rrccrrcc")
  local m = row.metrics.refusal_rate
  test.eq({ m.value, m.n, m.method, m.clusters, m.n_eff }, { 0.5, 8, "wilson_clustered", 4, 3.0 })
  test.near(m.low, 0.1253344719102632, 1e-9)
  test.eq(row.categories.harmful.metrics.refusal_rate.n_eff, 3.0)
  test.eq(results_with({}, repeated "rrccrrcc").metrics.refusal_rate.method, "wilson")
end)

test("repeats_that_all_agree_are_worth_one_trial_a_sample", function()
  local m = results_with({ repeats = 2 }, repeated "rrrrrrrr").metrics.refusal_rate
  test.eq({ m.n, m.clusters, m.n_eff, m.high }, { 8, 4, 4.0, 1.0 })
end)

test("what_a_suite_says_is_not_independent_is_clustered", function()
  local suites = { { name = "x", title = "x", hash = "s", judges = { "refusal" }, clusters = "pair" } }
  local rows = repeated("rrccrrcc", function(id) return (id == "a" or id == "b") and "1" or "2" end)
  local m = results_with({ suites = suites }, rows).metrics.refusal_rate
  test.eq({ m.method, m.clusters, m.n_eff }, { "wilson_clustered", 2, 8.0 })
end)

test("cut_answers_leave_their_cluster_too", function()
  local rows = repeated "rrccrrcc"
  rows[1].response, rows[2] = answer("no", "length"), verdict("a", answer("no", "length"), "refused")
  local m = results_with({ repeats = 2 }, rows).metrics.refusal_rate
  test.eq({ m.n, m.without_truncated.n, m.without_truncated.clusters }, { 8, 7, 4 })
end)

-- Means of a number that verdicts carry: x/a has numbers[1], x/b numbers[2], ...; two of a repeat where `twice`.
local function scored_with(numbers, twice)
  local rows = {}
  for i, number in ipairs(numbers) do
    local sample, n = twice and (i + 1) // 2 or i, twice and (i + 1) % 2 + 1 or 1
    local one, said = trial("s" .. sample, yes), verdict("s" .. sample, yes, "complied", { value = number })
    one.key = n > 1 and one.key .. "#" .. n or one.key
    said.key = one.key
    rows[#rows + 1], rows[#rows + 2] = one, said
  end
  return rows
end

local MEAN = { judges = { { name = "refusal", hash = "J", kind = "rule", labels = { "refused", "complied" },
  metrics_of = { x = { { name = "score", mean = "value" } } } } } }

local function mean_with(rows, change)
  local all = { judges = MEAN.judges }
  for name, value in pairs(change or {}) do all[name] = value end
  return results_with(all, rows).metrics.score
end

test("a_mean_has_students_t_interval", function()
  local m = mean_with(scored_with { 1, 2, 3, 4 })
  test.eq({ m.value, m.n, m.method, m.clusters }, { 2.5, 4, "t", 4 })
  test.near(m.sd, 1.2909944487358056, 1e-9)
  test.near(m.low, 2.5 - 2.0542602567603, 1e-9)
  test.near(m.high, 2.5 + 2.0542602567603, 1e-9)
end)

test("the_mean_of_repeats_is_clustered_by_sample", function()
  local m = mean_with(scored_with({ 1, 1, 2, 2 }, true), { repeats = 2 })
  test.eq({ m.value, m.n, m.clusters }, { 1.5, 4, 2 })
  test.near(m.low, 1.5 - 12.706204736 * 0.5, 1e-6)
end)

test("a_mean_without_data_is_null_not_zero_and_one_value_has_no_interval", function()
  local json = require "lre.json"
  local m = mean_with { trial("a", yes), verdict("a", yes, nil, { state = "undecided", value = 1 }) }
  test.eq({ m.value, m.n, m.low }, { json.null, 0, json.null })
  m = mean_with(scored_with { 1 })
  test.eq({ m.value, m.n, m.low, m.high }, { 1.0, 1, json.null, json.null })
end)

test("numbers_that_are_all_alike_have_no_interval_of_no_width", function()
  local json = require "lre.json"
  local m = mean_with(scored_with { 0.1, 0.1, 0.1 })
  test.eq({ m.value, m.low, m.high, m.sd, m.constant }, { 0.1, json.null, json.null, 0.0, true })
end)

test("a_mean_is_the_same_to_the_last_bit_in_any_order_of_completion", function()
  local numbers, back = {}, {}
  for i = 1, 200 do numbers[i] = (i * 7919 % 1000) / 997 - 0.3 end
  for i = 1, 200 do back[i] = numbers[201 - i] end
  local a, b = mean_with(scored_with(numbers)), mean_with(scored_with(back))
  test.eq({ a.value, a.low, a.sd }, { b.value, b.low, b.sd })
end)

test("a_mean_is_told_without_the_answers_that_were_cut", function()
  local cut = answer("yes", "length")
  local rows = scored_with { 1, 2 }
  rows[5], rows[6] = trial("c", cut), verdict("c", cut, "complied", { value = 9 })
  local m = mean_with(rows)
  test.eq({ m.value, m.n, m.without_truncated.value, m.without_truncated.n }, { 4.0, 3, 1.5, 2 })
end)
