-- lre.stats: the binding; the numbers themselves are held in tests/c/test_stats.c.
local stats = require "lre.stats"
local test = require "lre.unit"

local function near(got, expected)
  test.eq(math.abs(got - expected) <= 1e-12 * math.abs(expected), true)
end

-- The message that fn raises.
local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  test.eq(ok, false)
  return tostring(message)
end

test("an_interval_names_its_method_and_confidence", function()
  local ci = stats.wilson(8, 15)
  near(ci.low, 0.30116980025498397)
  near(ci.high, 0.7519046463426261)
  near(ci.value, 8 / 15)
  test.eq(ci.method, "wilson")
  test.eq(ci.confidence, 0.95)
  near(stats.wilson(8, 15, 0.9).low, 0.33315492963762094)
  near(stats.jeffreys(81, 263).low, 0.25452193499102305)
  near(stats.clopper_pearson(81, 263).high, 0.3676219226013525)
  near(stats.newcombe(56, 70, 48, 80).high, 0.333872654036906)
end)

test("a_clustered_interval_says_how_much_its_trials_are_worth", function()
  local ci = stats.wilson_clustered({ 2, 0, 0, 2, 0 }, { 2, 2, 0, 2, 2 })
  test.eq({ ci.method, ci.clusters }, { "wilson_clustered", 4 })
  near(ci.n_eff, 3)
  near(ci.low, stats.wilson_effective(4, 8, 3).low)
  test.ok(ci.low < stats.wilson(4, 8).low, "wider than that of eight independent trials")
  test.eq(select(2, stats.wilson_clustered({}, {})).code, "no_data")
  test.has(raised(stats.wilson_clustered, { 1 }, { 1, 2 }), "as many counts in both lists")
end)

test("the_paired_interval_gives_phi", function()
  local ci = stats.newcombe_paired(59, 6, 16, 80)
  near(ci.low, -0.11862119563870992)
  near(ci.phi, 0.7161737195063973)
end)

test("no_data_is_an_error_never_zero_percent", function()
  for _, name in ipairs { "wilson", "jeffreys", "clopper_pearson" } do
    local ci, err = stats[name](0, 0)
    test.eq(ci, nil)
    test.eq(err.kind, "stats")
    test.eq(err.code, "no_data")
  end
  test.eq(select(2, stats.quantile({}, 0.5)).code, "no_data")
  test.eq(select(2, stats.bootstrap({}, {})).code, "no_data")
end)

test("counts_that_do_not_fit_are_errors", function()
  test.eq(select(2, stats.wilson(5, 3)).code, "range")
  test.eq(select(2, stats.wilson(1, 2, 95)).code, "range")
  assert(raised(stats.wilson, "x", 1):find("number expected", 1, true))
  raised(stats.wilson, 1.5, 2)
end)

test("tests_of_differences_give_p", function()
  near(stats.ztest(48, 80, 56, 70), 0.008045081368196705)
  local p = stats.mcnemar(1, 7)
  near(p.exact, 0.0703125)
  near(p.midp, 0.0390625)
end)

test("kappa_takes_rows_of_counts", function()
  local kappa = stats.kappa { { 0, 4, 1 }, { 0, 8, 0 }, { 0, 1, 5 } }
  near(kappa.kappa, 0.4841628959276017)
  near(kappa.se, 0.1380135783058146)
  near(kappa.se0, 0.1483982818901329)
  near(kappa.observed, 13 / 19)
  test.eq(select(2, stats.kappa { { 3, 0 }, { 0, 0 } }).code, "undefined")
  assert(raised(stats.kappa, { { 1, 2 }, { 3 } }):find("row 2", 1, true))
  assert(raised(stats.kappa, { { 1, 0.5 }, { 2, 3 } }):find("row 1, column 2", 1, true))
end)

test("a_quantile_is_one_of_the_values", function()
  test.eq(stats.quantile({ 4, 1, 3, 2 }, 0.5), 2.0)
  assert(raised(stats.quantile, { 1, {} }, 0.5):find("value 2", 1, true))
  test.eq(select(2, stats.quantile({ 1, 0 / 0 }, 0.5)).code, "range")
end)

test("the_bootstrap_depends_on_the_seed_and_not_on_the_names_of_clusters", function()
  local values, names, others = {}, {}, {}
  for i = 1, 30 do
    values[i], names[i], others[i] = i * i % 7, "c" .. i // 2, "d" .. i // 2
  end
  local a = stats.bootstrap(values, names, { seed = 1 })
  local b = stats.bootstrap(values, others, { seed = 1, replicates = 2000, confidence = 0.95 })
  local c = stats.bootstrap(values, names, { seed = 2 })
  test.eq(a.method, "bootstrap")
  test.eq(a.low, b.low)
  test.eq(a.high, b.high)
  test.eq(a.low < a.value and a.value < a.high, true)
  test.eq(a.low == c.low and a.high == c.high, false)
end)

test("a_bootstrap_option_that_is_unknown_raises", function()
  assert(raised(stats.bootstrap, { 1 }, { "a" }, { seeds = 1 }):find("unknown option 'seeds'", 1, true))
  assert(raised(stats.bootstrap, { 1, 2 }, { "a" }):find("a cluster for each", 1, true))
  assert(raised(stats.bootstrap, { 1 }, { {} }):find("cluster 1", 1, true))
end)

test("quantiles_of_distributions", function()
  near(stats.normal_quantile(0.975), 1.959963984540054)
  near(stats.t_quantile(0.975, 9), 2.262157162798205)
  test.eq(select(2, stats.t_quantile(0, 9)).code, "range")
end)

-- The example of Benjamini & Hochberg 1995, section 4: fifteen tests, Holm finds 3, theirs finds 4 at 0.05.
local published = { 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
  0.6528, 0.7590, 1.0 }

local function below(list, alpha)
  local n = 0
  for _, p in ipairs(list) do n = n + (p < alpha and 1 or 0) end
  return n
end

test("holm_and_benjamini_hochberg_find_what_the_paper_finds", function()
  test.eq(below(stats.holm(published), 0.05), 3)
  test.eq(below(stats.benjamini_hochberg(published), 0.05), 4)
end)

test("adjusted_p_values_keep_the_callers_order_and_never_fall_below_a_smaller_ones", function()
  local holm = stats.holm { 0.04, 0.01, 0.03 }
  near(holm[1], 0.06)
  near(holm[2], 0.03)
  near(holm[3], 0.06)
  local bh = stats.benjamini_hochberg { 0.04, 0.01, 0.03 }
  near(bh[1], 0.04)
  near(bh[2], 0.03)
  near(bh[3], 0.04)
  test.eq(stats.holm { 0.8, 0.9 }, { 1.0, 1.0 })
end)

test("a_p_value_outside_0_to_1_and_an_empty_list_are_errors", function()
  test.eq(select(2, stats.holm { 0.5, 1.5 }).code, "range")
  test.eq(select(2, stats.benjamini_hochberg { 0 / 0 }).code, "range")
  test.eq(select(2, stats.holm {}).code, "no_data")
end)
