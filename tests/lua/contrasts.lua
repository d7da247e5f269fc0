-- contrasts: differences within clusters, their intervals, what is incomplete, and what corrects for many of them.
local contrasts = require "lre.contrasts"
local json = require "lre.json"
local memory_store = require "lre.memory_store"
local rundir = require "lre.rundir"
local shape = require "lre.shape"
local stats = require "lre.stats"
local test = require "lre.unit"

local LABELS = { "neg", "neu", "pos" }

local function spec(change)
  local one = { name = "effect", over = "perspective", mean = "value", weights = { a = 0.5, b = -0.5 } }
  for name, value in pairs(change or {}) do one[name] = value ~= json.null and value or nil end
  return one
end

local function inputs_of(list, change)
  local out = { suites = { { name = "s", title = "s", clusters = "triplet_id", judges = { "j" }, contrasts = list } },
    judges = { { name = "j", hash = "J", labels = LABELS, metrics_of = { s = { { name = "m", mean = "value" } } } } },
    models = { { label = "m" } }, personas = { { name = "none" } }, seed = 1 }
  for name, value in pairs(change or {}) do out[name] = value end
  return out
end

local function bin(value)
  return value <= -0.33 and "neg" or value >= 0.33 and "pos" or "neu"
end

local ANSWER = { text = "x", finish_reason = "stop" }
local ANSWERED = rundir.response_hash(ANSWER.text, ANSWER.finish_reason)

-- A trial, unless it is there, and a verdict on it.
local function give(store, key, value, hash, truncated)
  store.seen = store.seen or {}
  if not store.seen[key] then store:append({ type = "trial", key = key, response = ANSWER }) end
  store.seen[key] = true
  store:append({ type = "verdict", key = key, judge = "j", judge_hash = hash or "J", n = 1, state = "scored",
    value = value, label = bin(value), response_hash = ANSWERED, truncated = truncated })
end

-- cells: { { a = 1, b = -1, neutral = 0, x = "level" }, ... }; a list for several answers of one arm.
local function run(cells, list, change, cut)
  local inputs, samples, store = inputs_of(list, change), {}, memory_store.new()
  for i, cell in ipairs(cells) do
    for _, arm in ipairs { "a", "b", "neutral" } do
      local id = ("t%d-%s"):format(i, arm)
      samples[#samples + 1] = { id = id, metadata = { triplet_id = "t" .. i,
        factors = { perspective = arm, x = cell.x } } }
      local values = type(cell[arm]) == "table" and cell[arm] or { cell[arm] }
      for _, model in ipairs(inputs.models) do
        for n, value in ipairs(values) do
          local key = ("s/%s|none|%s%s"):format(id, model.label, n > 1 and "#" .. n or "")
          give(store, key, value, nil, cut and cut[id])
        end
      end
    end
  end
  local function pull()
    local i = 0
    return function()
      i = i + 1
      return samples[i]
    end
  end
  return contrasts.of(store, inputs, pull)
end

local function find(rows, name, level)
  for _, row in ipairs(rows) do
    if row.name == name and (level == nil and not row.by or row.by and row.level[1] == level) then return row end
  end
end

test("the_effect_is_the_mean_of_the_triplets_differences_with_t_and_bootstrap", function()
  local row = find(run({ { a = 1, b = 0 }, { a = 0.5, b = 0.1 }, { a = 0, b = 0.2 } }, { spec() }), "effect")
  -- differences 0.5, 0.2, -0.1: mean 0.2, sd 0.3
  test.near(row.value, 0.2, 1e-9)
  test.near(row.sd, 0.3, 1e-9)
  local half = stats.t_quantile(0.975, 2) * 0.3 / math.sqrt(3)
  test.near(row.low, 0.2 - half, 1e-9)
  test.near(row.p, stats.t_test(0.2 / (0.3 / math.sqrt(3)), 2), 1e-9)
  test.eq({ row.n, row.incomplete, row.method, row.bootstrap.replicates }, { 3, 0, "t", 2000 })
  test.ok(row.bootstrap.low >= -0.1 and row.bootstrap.high <= 0.5 and row.bootstrap.low < row.bootstrap.high)
end)

test("an_incomplete_triplet_is_counted_and_listed_and_not_averaged_over", function()
  local row = find(run({ { a = 1, b = 0 }, { a = 1 }, { b = 1 }, { a = 0, b = 1 } }, { spec() }), "effect")
  test.eq({ row.value, row.n, row.incomplete, row.incomplete_clusters }, { 0.0, 2, 2, { "t2", "t3" } })
end)

test("nothing_complete_is_no_data_not_zero", function()
  local row = find(run({ { a = 1 }, { b = 1 } }, { spec() }), "effect")
  test.eq({ row.value, row.n, row.low, row.incomplete }, { json.null, 0, json.null, 2 })
  test.eq(row.p, nil)
end)

test("triplets_that_are_all_alike_have_no_interval_of_no_width", function()
  local row = find(run({ { a = 1, b = 0 }, { a = 1, b = 0 } }, { spec() }), "effect")
  test.eq({ row.value, row.low, row.high, row.constant, row.p }, { 0.5, json.null, json.null, true })
end)

test("answers_of_one_cell_are_averaged_before_cells_are", function()
  local row = find(run({ { a = { 1, 0 }, b = 0 }, { a = 0, b = { 0, 0, 0 } } }, { spec() }), "effect")
  test.eq({ row.value, row.n }, { 0.125, 2 })
end)

test("a_contrast_needs_only_its_own_arms", function()
  local bias = spec { name = "bias", weights = { a = 0.5, b = 0.5, neutral = -1 } }
  local rows = run({ { a = 1, b = 0 }, { a = 1, b = 0, neutral = 0.5 } }, { spec(), bias })
  test.eq({ find(rows, "effect").n, find(rows, "bias").n, find(rows, "bias").incomplete }, { 2, 1, 1 })
end)

test("a_difference_of_shares_is_paired_by_cluster", function()
  local uplift = spec { name = "uplift_a", mean = json.null, rate = "pos", weights = { a = 1, neutral = -1 } }
  local cells = {}
  for i = 1, 20 do cells[i] = { a = i <= 8 and 1 or 0, b = 0, neutral = i <= 2 and 1 or 0 } end
  local row = find(run(cells, { uplift }), "uplift_a")
  local wanted = stats.newcombe_paired(2, 6, 0, 12)
  test.near(row.value, 0.3, 1e-9)
  test.near(row.low, wanted.low, 1e-9)
  test.near(row.p, stats.mcnemar(6, 0).exact, 1e-9)
  test.eq({ row.n, row.method }, { 20, "newcombe_paired" })
end)

test("both_sides_is_the_share_of_triplets_in_which_each_is_agreed_with", function()
  local both = spec { name = "both", mean = json.null, weights = json.null, all = { a = "pos", b = "neg" } }
  local row = find(run({ { a = 1, b = -1 }, { a = 1, b = 1 }, { a = 0, b = -1 }, { a = 1 } }, { both }), "both")
  test.near(row.value, 1 / 3, 1e-9)
  test.eq({ row.n, row.incomplete, row.method }, { 3, 1, "wilson" })
end)

test("levels_of_a_factor_are_told_apart_and_count_what_they_miss", function()
  local cells = { { a = 1, b = 0, x = 50 }, { a = 0, b = 0, x = 50 }, { a = 0, x = 200 }, { a = 0, b = 1, x = 200 } }
  local rows = run(cells, { spec { by = { "x" } } })
  test.eq({ find(rows, "effect", 50).value, find(rows, "effect", 50).n }, { 0.25, 2 })
  test.eq({ find(rows, "effect", 200).value, find(rows, "effect", 200).incomplete }, { -0.5, 1 })
end)

test("holm_corrects_over_all_declared_contrasts_and_models", function()
  local cells = { { a = 1, b = 0 }, { a = 0.9, b = 0.2 }, { a = 0.8, b = 0.1 } }
  local rows = run(cells, { spec(), spec { name = "twice", weights = { a = 1, b = -1 }, exploratory = true } },
    { models = { { label = "m" }, { label = "n" } } })
  local m = find(rows, "effect")
  test.eq({ m.tests, find(rows, "twice").p_holm }, { 2 })
  test.near(m.p_holm, 2 * m.p, 1e-9)
end)

test("a_shared_telling_counts_for_each_of_its_triplets_and_makes_none", function()
  local neutral = { triplet_ids = { "1", "2", "3" }, factors = { perspective = "neutral" } }
  local list, at = { { id = "n", metadata = neutral },
    { id = "a", metadata = { triplet_id = "1", factors = { perspective = "a", x = 1 } } },
    { id = "b", metadata = { triplet_id = "2", factors = { perspective = "a", x = 2 } } } }, 0
  local design = contrasts.design({ clusters = "triplet_id" }, function()
    at = at + 1
    return list[at]
  end)
  test.eq({ design.order, design.units.n.clusters, design.clusters["2"].factors.x }, { { "1", "2" }, { "1", "2", "3" },
    2 })
end)

test("triplets_that_share_a_telling_are_one_unit_of_the_intervals_that_weigh_it", function()
  local store, samples = memory_store.new(), {}
  local function add(id, meta, value)
    samples[#samples + 1] = { id = id, metadata = meta }
    give(store, ("s/%s|none|m"):format(id), value)
  end
  for i, value in ipairs { 0.4, 0.6, -0.2, 0.1 } do
    add("a" .. i, { triplet_id = "t" .. i, factors = { perspective = "a" } }, value)
    add("b" .. i, { triplet_id = "t" .. i, factors = { perspective = "b" } }, -value)
  end
  add("n1", { triplet_ids = { "t1", "t2" }, factors = { perspective = "neutral" } }, 0.1)
  add("n2", { triplet_ids = { "t3", "t4" }, factors = { perspective = "neutral" } }, -0.3)
  local shift = spec { name = "shift", weights = { a = 1, neutral = -1 } }
  local uplift = spec { name = "uplift", mean = json.null, rate = "pos", weights = { a = 1, neutral = -1 } }
  local rows = contrasts.of(store, inputs_of { spec(), shift, uplift }, function()
    local i = 0
    return function()
      i = i + 1
      return samples[i]
    end
  end)
  -- Differences 0.3, 0.5 | 0.1, 0.4: group sums 0.8 and 0.5, mean 0.325, residuals +-0.15, so the standard error is
  -- sqrt(2 / 1 * 2 * 0.15^2) / 4 = 0.075 on one degree of freedom, t = 12.7062.
  local row = find(rows, "shift")
  test.eq({ row.n, row.groups, row.value }, { 4, 2, 0.325 })
  test.near(row.high - row.value, 12.706204736432 * 0.075, 1e-9)
  test.near(row.p, stats.t_test(0.325 / 0.075, 1), 1e-9)
  test.eq({ find(rows, "uplift").method, find(rows, "uplift").groups }, { "t", 2 })
  test.eq({ find(rows, "effect").groups, find(rows, "effect").n }, { nil, 4 })
end)

test("personas_are_contrasted_within_a_sample", function()
  local inputs = inputs_of({ spec { over = "persona", weights = { dan = 1, none = -1 } } },
    { personas = { { name = "none" }, { name = "dan" } } })
  inputs.suites[1].clusters = nil
  local store, samples = memory_store.new(), { { id = "1" }, { id = "2" } }
  for id, values in pairs { ["1"] = { none = 0, dan = 1 }, ["2"] = { none = 0.5, dan = 0.5 } } do
    for who, value in pairs(values) do
      give(store, ("s/%s|%s|m"):format(id, who), value)
    end
  end
  local i = 0
  local rows = contrasts.of(store, inputs, function()
    return function()
      i = i + 1
      return samples[i]
    end
  end)
  test.eq({ #rows, rows[1].value, rows[1].n, rows[1].persona }, { 1, 0.5, 2 })
end)

test("an_interval_stays_within_what_the_number_can_be", function()
  local metrics = { s = { { name = "m", mean = "value", min = -1, max = 1 } } }
  local judges = { { name = "j", hash = "J", labels = LABELS, metrics_of = metrics } }
  local row = find(run({ { a = 1, b = -1 }, { a = 0.2, b = 0 } }, { spec() }, { judges = judges }), "effect")
  test.eq({ row.high, row.low > -10 }, { 1.0, true })
  test.ok(find(run({ { a = 1, b = -1 }, { a = 0.2, b = 0 } }, { spec() }), "effect").high > 1)
end)

test("the_figure_is_told_without_the_answers_that_were_cut", function()
  local cells = { { a = 1, b = 0 }, { a = 0, b = 0 } }
  local row = find(run(cells, { spec() }, nil, { ["t1-a"] = true }), "effect")
  test.eq({ row.value, row.n, row.without_truncated.value, row.without_truncated.n, row.without_truncated.incomplete },
    { 0.25, 2, 0.0, 1, 1 })
  test.eq(find(run(cells, { spec() }), "effect").without_truncated, nil)
end)

test("verdicts_of_the_judge_that_this_one_follows_count", function()
  local inputs, store = inputs_of({ spec() }), memory_store.new()
  inputs.judges[1].also = { "OLD" }
  give(store, "s/1|none|m", 1, "OLD")
  give(store, "s/2|none|m", 1, "OLD")
  give(store, "s/2|none|m", 0, "J") -- the newer one counts
  local list, i = {}, 0
  for n, arm in ipairs { "a", "b" } do
    list[n] = { id = tostring(n), metadata = { triplet_id = "t", factors = { perspective = arm } } }
  end
  local row = contrasts.of(store, inputs, function()
    return function()
      i = i + 1
      return list[i]
    end
  end)[1]
  test.eq({ row.value, row.n }, { 0.5, 1 })
end)

test("a_contrast_that_cannot_be_is_refused", function()
  for text, change in pairs {
    ["expected either weights"] = { weights = json.null }, ["expected either mean"] = { rate = "pos" },
    ["its labels say what is counted"] = { weights = json.null, all = { a = "pos" } },
    ["weight"] = { wieghts = { a = 1 } },
  } do
    local ok, problems = shape.check(contrasts.schema, { spec(change) }, "x.lua")
    test.ok(not ok)
    test.has(json.encode(problems), text)
  end
end)
