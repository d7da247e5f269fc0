-- lre.cells: figures by category, model and persona with the test as the unit, and what a persona changes.
local cells = require "lre.cells"
local json = require "lre.json"
local memory_store = require "lre.memory_store"
local plan = require "lre.plan"
local stats = require "lre.stats"
local test = require "lre.unit"

local METRICS = json.array {
  { name = "attack_rate", rate = json.array { "attacked" }, of = json.array { "attacked", "held" } },
  { name = "overall_mean", mean = "value.overall", min = 0, max = 1 },
}

local function inputs_of(change)
  local judge = { name = "alignment", hash = "j", kind = "model",
    labels = json.array { "attacked", "held", "preference" }, metrics_of = { s = METRICS },
    cells = { { "category" }, { "category", "subcategory" }, { "persona" }, { "model", "persona" } } }
  local out = { suites = json.array { { name = "s", title = "s", judges = json.array { "alignment" } } },
    judges = json.array { judge }, models = json.array { { label = "m" } },
    personas = json.array { { name = "none" }, { name = "evil" } }, repeats = 1 }
  for name, value in pairs(change or {}) do out[name] = value end
  return out
end

local SAMPLES = {
  { id = "t1", category = "hhh", subcategory = "a" }, { id = "t2", category = "hhh", subcategory = "b" },
  { id = "t3", category = "hhh", subcategory = "b" }, { id = "p1", category = "preferences", subcategory = "c" },
}

local function samples()
  local i = 0
  return function()
    i = i + 1
    return SAMPLES[i]
  end
end

-- A list of { id, persona, said, overall?, model?, n? }; `said` may be a label or a state, "failed" an error.
local function store_of(rows)
  local store = memory_store.new()
  for _, r in ipairs(rows) do
    local key = plan.key("s", r[1], r[2], r.model or "m", r.n or 1)
    local failed = r[3] == "failed"
    store:append { v = 1, type = "trial", key = key, suite = "s", response = failed
      and { error = { kind = "http", code = "x" } } or { text = "x", finish_reason = "stop" } }
    local label = (r[3] == "attacked" or r[3] == "held" or r[3] == "preference") and r[3] or nil
    if not failed and r[3] ~= "silent" then
      store:append { v = 1, type = "verdict", key = key, judge = "alignment", judge_hash = r.hash or "j",
        response_hash = "r", n = 1, state = label and "scored" or r[3], label = label,
        value = r[4] and { overall = r[4] } or nil }
    end
  end
  return store
end

local function find(list, fields)
  for _, one in ipairs(list) do
    local fits = true
    for name, value in pairs(fields) do
      local has = one[name]
      if name == "by" then has = table.concat(has, " ") end
      fits = fits and has == value
    end
    if fits then return one end
  end
  error("no such cell: " .. test.show(fields))
end

test("counts_of_a_cell_say_what_its_figures_leave_out", function()
  local list = cells.of(store_of { { "t1", "none", "attacked", 0.5 }, { "t2", "none", "held", 1 },
    { "t3", "none", "unscored" }, { "t1", "evil", "failed" }, { "t2", "evil", "undecided" },
    { "t3", "evil", "silent" }, { "p1", "none", "preference" } }, inputs_of(), samples)
  local hhh = find(list, { by = "category", category = "hhh" })
  test.eq({ hhh.total, hhh.judged, hhh.unscored, hhh.generation_errors, hhh.undecided }, { 6, 2, 2, 1, 1 })
  test.eq({ hhh.metrics.attack_rate.value, hhh.metrics.attack_rate.n, hhh.metrics.overall_mean.value }, { 0.5, 2,
    0.75 })
  local b = find(list, { by = "category subcategory", subcategory = "b" })
  test.eq({ b.total, b.judged }, { 4, 1 })
end)

test("preferences_never_enter_a_rate_or_a_mean", function()
  local list = cells.of(store_of { { "p1", "none", "preference" }, { "t1", "none", "held", 1 } },
    inputs_of { personas = json.array { { name = "none" } } }, samples)
  local p = find(list, { by = "category", category = "preferences" })
  test.eq({ p.total, p.judged, p.metrics.attack_rate.n, p.metrics.overall_mean.n, p.metrics.overall_mean.value },
    { 1, 1, 0, 0, json.null })
  local all = find(list, { by = "persona", persona = "none" })
  test.eq({ all.judged, all.metrics.overall_mean.n, math.tointeger(all.metrics.overall_mean.value) }, { 2, 1, 1 })
end)

test("repeats_and_personas_of_a_test_are_one_cluster", function()
  local rows = {}
  for _, who in ipairs { "none", "evil" } do
    for n = 1, 3 do
      rows[#rows + 1] = { "t1", who, "attacked", 0.2, n = n }
      rows[#rows + 1] = { "t2", who, "held", 0.8, n = n }
    end
  end
  local list = cells.of(store_of(rows), inputs_of { repeats = 3 }, samples)
  local rate = find(list, { by = "category", category = "hhh" }).metrics.attack_rate
  local want = assert(stats.wilson_clustered({ 6, 0 }, { 6, 6 }))
  test.eq({ rate.value, rate.n, rate.clusters, rate.method }, { 0.5, 12, 2, "wilson_clustered" })
  test.near(rate.low, want.low)
  test.near(rate.high, want.high)
  local mean = find(list, { by = "category", category = "hhh" }).metrics.overall_mean
  test.eq({ mean.n, mean.clusters }, { 12, 2 })
  -- Two tests say little, however often they are asked: Student's t alone would go beyond what a share can be.
  test.eq({ mean.low, mean.high }, { 0, 1 })
end)

test("a_persona_is_held_against_the_control_test_by_test", function()
  local rows = {}
  for i, id in ipairs { "t1", "t2", "t3" } do
    rows[#rows + 1] = { id, "none", "held", i / 10 }
    rows[#rows + 1] = { id, "evil", i < 3 and "attacked" or "held", i / 10 + i / 100 }
  end
  rows[#rows + 1] = { "p1", "evil", "held", 1 } -- the control arm has no verdict on it
  local _, list = cells.of(store_of(rows), inputs_of(), samples)
  local rate = find(list, { metric = "attack_rate", persona = "evil" })
  test.eq({ rate.value, rate.n, rate.incomplete, rate.control, rate.method }, { json.round(2 / 3), 3, 1, "none",
    "newcombe_paired" })
  local want = assert(stats.newcombe_paired(0, 2, 0, 1))
  test.near(rate.low, want.low)
  test.near(rate.high, want.high)
  test.near(rate.p, assert(stats.mcnemar(2, 0)).exact)
  -- 0.01, 0.02, 0.03: mean 0.02, s = 0.01, t(2) = 4.302652729911...
  local mean = find(list, { metric = "overall_mean", persona = "evil" })
  test.near(mean.value, 0.02, 1e-9)
  test.near(mean.high - mean.value, 4.30265272991 * 0.01 / math.sqrt(3), 1e-9)
  test.eq({ mean.n, mean.method }, { 3, "t" })
end)

test("holm_is_over_the_personas_of_a_figure_and_over_models_apart", function()
  local rows = {}
  for i, id in ipairs { "t1", "t2", "t3" } do
    for _, model in ipairs { "a", "b" } do
      for k, who in ipairs { "none", "evil", "good" } do
        rows[#rows + 1] = { id, who, "held", (i * i * k) / 100, model = model }
      end
    end
  end
  local _, list = cells.of(store_of(rows), inputs_of { models = json.array { { label = "a" }, { label = "b" } },
    personas = json.array { { name = "none" }, { name = "evil" }, { name = "good" } } }, samples)
  local pooled = find(list, { metric = "overall_mean", persona = "evil", model = nil })
  test.eq({ pooled.tests, pooled.model, pooled.n }, { 2, nil, 3 })
  local one = find(list, { metric = "overall_mean", persona = "evil", model = "a" })
  test.eq(one.tests, 4)
  test.ok(one.p_holm >= one.p and pooled.p_holm >= pooled.p)
end)

test("where_all_are_alike_no_interval_is_claimed", function()
  local list, differences = cells.of(store_of { { "t1", "none", "held", 0.5 }, { "t2", "none", "held", 0.5 },
    { "t1", "evil", "held", 0.5 }, { "t2", "evil", "held", 0.5 } }, inputs_of(), samples)
  local mean = find(list, { by = "category", category = "hhh" }).metrics.overall_mean
  test.eq({ mean.value, mean.low, mean.constant }, { 0.5, json.null, true })
  test.eq(find(differences, { metric = "overall_mean" }).p, nil)
end)

test("without_a_control_arm_there_are_no_differences_and_without_cells_nothing", function()
  local store = store_of { { "t1", "evil", "held", 1 } }
  local list, differences = cells.of(store, inputs_of { personas = json.array { { name = "evil" } } }, samples)
  test.eq({ #list, differences }, { 4 })
  local plain = inputs_of()
  plain.judges[1].cells = nil
  test.eq(cells.of(store, plain, samples), nil)
end)

test("figures_do_not_depend_on_the_order_of_completion", function()
  local rows = {}
  for i, id in ipairs { "t1", "t2", "t3" } do
    for n = 1, 3 do
      for _, who in ipairs { "none", "evil" } do
        rows[#rows + 1] = { id, who, "held", (i + n / 7) / 9, n = n }
      end
    end
  end
  local there = { cells.of(store_of(rows), inputs_of { repeats = 3 }, samples) }
  local back = {}
  for i = #rows, 1, -1 do back[#back + 1] = rows[i] end
  local other = { cells.of(store_of(back), inputs_of { repeats = 3 }, samples) }
  test.eq(json.encode(other), json.encode(there))
end)
