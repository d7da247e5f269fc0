-- contrasts: what a suite says is to be compared within its clusters: one story told by two sides and by nobody, one
-- test under two personas. The cluster (a triplet, a test) is the unit: its answers are averaged arm by arm, then
-- weighed against each other, and only the clusters' differences are counted.
local aggregate = require "lre.aggregate"
local difference = require "lre.difference"
local json = require "lre.json"
local plan = require "lre.plan"
local shape = require "lre.shape"
local stats = require "lre.stats"

local contrasts = {}

local factor = shape.string { min = 1 }

local entry = shape.record {
  name = shape.name,
  over = factor, -- the factor whose levels are the arms; or "persona"
  mean = shape.optional(shape.string { min = 1 }), -- the number in a verdict, as in a metric
  -- Or the label, or labels, whose share is weighed.
  rate = shape.optional(shape.either(shape.string { min = 1 }, shape.list(shape.string { min = 1 }, { min = 1 }))),
  weights = shape.optional(shape.map(shape.number())), -- arm -> weight
  all = shape.optional(shape.map(shape.string { min = 1 })), -- arm -> label: the share of clusters with all of them
  by = shape.optional(shape.list(shape.either(factor, shape.list(factor, { min = 1 })))),
  -- The seed's baseline: the arm of negative weight pooled over all models in the cells of these factors.
  pooled = shape.optional(shape.list(factor, { min = 1 })),
  exploratory = shape.optional(shape.boolean()), -- not among the tests that Holm corrects
  summary = shape.optional(shape.string()),
}

local function check_entry(value, path, out)
  local function say(field, detail) out[#out + 1] = { path = path .. "." .. field, detail = detail } end
  if (value.weights == nil) == (value.all == nil) then
    return say("weights", "expected either weights (arm -> number) or all (arm -> label)")
  end
  if value.all then
    if value.mean or value.rate then say("all", "its labels say what is counted; no mean and no rate beside it") end
  elseif (value.mean == nil) == (value.rate == nil) then
    say("mean", "expected either mean (where a verdict has the number) or rate (a label)")
  end
end

local list = shape.list(entry)

---The schema of a suite's `contrasts`.
contrasts.schema = {
  what = list.what,
  check = function(_, value, path, out)
    local before, seen = #out, {}
    list:check(value, path, out)
    for i, one in ipairs(#out == before and value or {}) do
      local where = ("%s[%d]"):format(path, i)
      check_entry(one, where, out)
      if seen[one.name] then out[#out + 1] = { path = where .. ".name", detail = "two contrasts have this name" } end
      seen[one.name] = true
    end
  end,
}

-- ---- what was asked: arms and clusters ----

local function id_text(value)
  return type(value) == "table" and assert(json.encode(value)) or tostring(value)
end

-- The clusters of a sample: `triplet_ids` where it is in several (a neutral telling that they share).
local function clusters_of(sample, field)
  local meta = sample.metadata or {}
  local many = field and meta[field .. "s"]
  if type(many) == "table" then
    local out = {}
    for i, id in ipairs(many) do out[i] = id_text(id) end
    return out
  end
  local one = field and (meta[field] or sample[field])
  return { id_text(one ~= nil and one ~= json.null and one or sample.id) }
end

-- What all samples of a cluster have in common; where they differ (who tells it), it is no factor of the cluster.
local function merge_factors(cluster, factors)
  for name, value in pairs(factors) do
    local had = cluster.factors[name]
    if had == nil then
      cluster.factors[name] = value
    elseif had ~= value then
      cluster.factors[name] = false
    end
  end
end

-- A shared telling names triplets that may not be in the grid (--limit): what has nothing else is none.
local function without_shells(design)
  local order = {}
  for _, id in ipairs(design.order) do
    if design.clusters[id].own then order[#order + 1] = id end
  end
  if #order > 0 then design.order = order end
  return design
end

---The samples of a suite as units: { units = { id = { factors, clusters } }, clusters = { id = { id, factors } },
---order = sorted ids of clusters }.
---@param suite table of the inputs
---@param pull fun(): table? its samples
function contrasts.design(suite, pull)
  local out = { units = {}, clusters = {}, order = {} }
  for sample in pull do
    local meta = sample.metadata or {}
    local factors, ids = meta.factors or {}, clusters_of(sample, suite.clusters)
    out.units[sample.id] = { factors = factors, clusters = ids }
    for _, id in ipairs(ids) do
      local cluster = out.clusters[id]
      if not cluster then
        cluster = { id = id, factors = {} }
        out.clusters[id], out.order[#out.order + 1] = cluster, id
      end
      if #ids == 1 then
        cluster.own = true
        merge_factors(cluster, meta.cell or factors)
      end
    end
  end
  table.sort(out.order)
  return without_shells(out)
end

local function count_samples(design)
  local counts = {}
  for _, unit in pairs(design.units) do
    for _, id in ipairs(unit.clusters) do counts[id] = (counts[id] or 0) + 1 end
  end
  return counts
end

---The clusters of which some samples are chosen and others are not: no contrast can be made of them.
---@param suite table with clusters
---@param chosen fun(): table? the samples that are asked
---@param all fun(): table? the suite's
---@return string[] ids
function contrasts.cut(suite, chosen, all)
  local design, whole, out = contrasts.design(suite, chosen), count_samples(contrasts.design(suite, all)), {}
  local counts = count_samples(design)
  for _, id in ipairs(design.order) do
    if counts[id] < whole[id] then out[#out + 1] = id end
  end
  return out
end

-- ---- what was answered ----

local FIELDS = { "type", "key", "judge", "judge_hash", "n", "response_hash", "state", "label", "truncated" }

-- The numbers that some contrast weighs.
local function paths_of(inputs)
  local seen, out = {}, {}
  for _, suite in ipairs(inputs.suites) do
    for _, one in ipairs(suite.contrasts or {}) do
      if one.mean and not seen[one.mean] then out[#out + 1] = one.mean end
      if one.mean then seen[one.mean] = true end
    end
  end
  return out
end

local function group_key(suite, judge, model, persona)
  return table.concat({ suite, judge, model, persona }, "\0")
end

-- All scored verdicts on suites with contrasts: group -> sample id -> list of { label, [path] = number }.
local function gather(store, inputs, designs)
  local successors = aggregate.successors(inputs)
  local counts, groups, names = aggregate.counting(store, successors), {}, {}
  for _, judge in ipairs(inputs.judges) do names[judge.hash] = judge.name end
  local fields, paths = table.move(FIELDS, 1, #FIELDS, 1, {}), paths_of(inputs)
  table.move(paths, 1, #paths, #fields + 1, fields)
  for row, number in store:scan(fields) do
    local judge = row.type == "verdict" and row.state == "scored"
      and names[successors[row.judge_hash] or row.judge_hash]
    if judge and counts(row, number) then
      local suite, id, who, model = plan.parse_key(row.key)
      if designs[suite] then
        local key = group_key(suite, judge, model, who)
        groups[key] = groups[key] or {}
        groups[key][id] = groups[key][id] or {}
        table.insert(groups[key][id], row)
      end
    end
  end
  return groups
end

-- ---- one contrast of one group ----

-- The numbers of one arm of a cluster, averaged. Sorted first: the order of completion must not show in the last bits.
local function average(numbers)
  if not numbers or #numbers == 0 then return nil end
  table.sort(numbers)
  local sum = 0
  for _, x in ipairs(numbers) do sum = sum + x end
  return sum / #numbers
end

local function number_in(answer, one, label)
  if one.mean then
    local value = answer[one.mean]
    return type(value) == "number" and value or nil
  end
  for _, word in ipairs(type(label) == "table" and label or { label }) do
    if answer.label == word then return 1 end
  end
  return 0
end

-- cluster -> arm -> mean number. `arms`: what counts in each (the label, for a rate). `whole`: without answers that
-- were cut. Also how many those are.
local function cells_of(design, one, arms, answers_of, whole)
  local cells, cut = {}, 0
  for _, arm_answers in ipairs(answers_of) do
    for id, answers in pairs(arm_answers.answers) do
      local unit = design.units[id]
      local arm = unit and (arm_answers.arm or unit.factors[one.over])
      for _, cluster in ipairs(unit and arms[arm] ~= nil and unit.clusters or {}) do
        cells[cluster] = cells[cluster] or {}
        local numbers = cells[cluster][arm] or {}
        cells[cluster][arm] = numbers
        for _, answer in ipairs(answers) do
          if answer.truncated then cut = cut + 1 end
          if not (whole and answer.truncated) then
            numbers[#numbers + 1] = number_in(answer, one, one.rate or arms[arm])
          end
        end
      end
    end
  end
  for _, cell in pairs(cells) do
    for arm, numbers in pairs(cell) do cell[arm] = average(numbers) end
  end
  return cells, cut
end

local function is_complete(cell, arms)
  for arm in pairs(arms) do
    if not cell or cell[arm] == nil then return false end
  end
  return true
end

local function rounded(x)
  return x and json.round(x) or json.null
end

local function figure(one, cells, ids, seed, group_of)
  return one.all and difference.all_of(one, cells, ids) or difference.weighed(one, cells, ids, seed, group_of)
end

-- Clusters that share a telling which is weighed (a neutral one of three triplets) are not independent: cluster -> the
-- first of those that hang together. nil where none does.
local function sharing(design, one, arms)
  local parent, shared = {}, false
  local function root(id)
    while parent[id] do id = parent[id] end
    return id
  end
  for _, unit in pairs(design.units) do
    if #unit.clusters > 1 and (arms[unit.factors[one.over]] ~= nil or one.over == "persona") then
      shared = true
      local first = root(unit.clusters[1])
      for i = 2, #unit.clusters do
        local other = root(unit.clusters[i])
        if other < first then first, other = other, first end
        if other ~= first then parent[other] = first end
      end
    end
  end
  local out = {}
  for _, id in ipairs(design.order) do out[id] = root(id) end
  return shared and out or nil
end

-- ---- by factor ----

-- Numbers first, by value; then words.
local function by_level(a, b)
  for i = 1, #a.level do
    local x, y = a.level[i], b.level[i]
    if x ~= y then
      if type(x) == type(y) then return x < y end
      return type(x) == "number"
    end
  end
  return false
end

-- The complete clusters by the levels of some factors: a sorted list of { level = { ... }, ids, of = how many there
-- are }.
local function levels_of(design, names, cells, arms)
  local index, out = {}, {}
  for _, id in ipairs(design.order) do
    local level, known = json.array {}, true
    for i, name in ipairs(names) do
      level[i] = design.clusters[id].factors[name]
      known = known and level[i] ~= nil and level[i] ~= false and type(level[i]) ~= "table"
    end
    if known then
      local key = assert(json.encode(level))
      local one = index[key]
      if not one then
        one = { level = level, ids = {}, of = 0 }
        index[key], out[#out + 1] = one, one
      end
      one.of = one.of + 1
      if is_complete(cells[id], arms) then one.ids[#one.ids + 1] = id end
    end
  end
  table.sort(out, by_level)
  return out
end

-- ---- the seed's uplift ----

local function cell_name(unit, names)
  local parts = {}
  for i, name in ipairs(names) do parts[i] = tostring(unit.factors[name]) end
  return table.concat(parts, "\0")
end

-- Shares of the label in the baseline's arm, over all models together, by cell.
local function pooled_baseline(design, one, arm, groups)
  local out = {}
  for _, answers_of in ipairs(groups) do
    for id, answers in pairs(answers_of) do
      local unit = design.units[id]
      if unit and unit.factors[one.over] == arm then
        local name = cell_name(unit, one.pooled)
        local cell = out[name] or { 0, 0 }
        out[name] = cell
        for _, answer in ipairs(answers) do
          cell[1], cell[2] = cell[1] + number_in(answer, one, one.rate), cell[2] + 1
        end
      end
    end
  end
  return out
end

-- The mean, over the speaker's answers, of agreement less the pooled share of their cell (0 where it has none).
local function pooled_uplift(design, one, mine, groups)
  local speaker, baseline
  for arm, weight in pairs(one.weights) do
    if weight > 0 then speaker = arm else baseline = arm end
  end
  local shares, numbers = pooled_baseline(design, one, baseline, groups), {}
  for id, answers in pairs(mine) do
    local unit = design.units[id]
    if unit and unit.factors[one.over] == speaker then
      local cell = shares[cell_name(unit, one.pooled)]
      for _, answer in ipairs(answers) do
        numbers[#numbers + 1] = number_in(answer, one, one.rate) - (cell and cell[1] / cell[2] or 0)
      end
    end
  end
  return average(numbers)
end

-- ---- all of them ----

-- The ids of clusters that have an answer in every arm, and of those that have not.
local function split(design, cells, arms)
  local complete, missing = {}, json.array {}
  for _, id in ipairs(design.order) do
    local list_of = is_complete(cells[id], arms) and complete or missing
    list_of[#list_of + 1] = id
  end
  return complete, missing
end

-- The same figure without answers that the token limit cut.
local function without_cut(design, one, arms, answers_of, seed, group_of)
  local cells = cells_of(design, one, arms, answers_of, true)
  local complete, missing = split(design, cells, arms)
  local out = figure(one, cells, complete, seed, group_of)
  return { value = out.value, n = out.n, low = out.low, high = out.high, incomplete = #missing }
end

local function rows_of(at, one, design, answers_of, seed, pooled)
  local arms = one.weights or one.all
  local cells, cut = cells_of(design, one, arms, answers_of)
  local complete, missing = split(design, cells, arms)
  local group_of = sharing(design, one, arms)
  local function row(ids, of, by, level)
    local out = figure(one, cells, ids, seed, group_of)
    out.name, out.incomplete, out.by, out.level = one.name, of - #ids, by, level
    for name, value in pairs(at) do out[name] = value end
    return out
  end
  local whole = row(complete, #design.order)
  if cut > 0 then whole.without_truncated = without_cut(design, one, arms, answers_of, seed, group_of) end
  whole.incomplete_clusters = #missing > 0 and missing or nil
  whole.exploratory, whole.rate = one.exploratory, one.rate
  whole.pooled = pooled and rounded(pooled(one))
  local rows = { whole }
  for _, by in ipairs(one.by or {}) do
    local names = json.array(type(by) == "table" and table.move(by, 1, #by, 1, {}) or { by })
    for _, level in ipairs(levels_of(design, names, cells, arms)) do
      rows[#rows + 1] = row(level.ids, level.of, names, level.level)
    end
  end
  return rows
end

-- Holm over what was declared, of all models and personas of a suite and judge; by factor it is exploring.
local function correct(rows)
  local families = {}
  for _, row in ipairs(rows) do
    local family = ("%s\0%s\0%s"):format(row.suite, row.judge, row.by and "by" or "")
    if row.p and row.n > 1 and not row.exploratory then
      families[family] = families[family] or {}
      table.insert(families[family], row)
    end
  end
  for _, family in pairs(families) do
    local p = {}
    for i, row in ipairs(family) do p[i] = row.p end
    local adjusted = assert(family[1].by and stats.benjamini_hochberg(p) or stats.holm(p))
    for i, row in ipairs(family) do
      row[row.by and "p_bh" or "p_holm"], row.tests = json.round(adjusted[i]), #family
    end
  end
end

local function personas_apart(suite)
  for _, one in ipairs(suite.contrasts) do
    if one.over ~= "persona" then return true end
  end
  return false
end

-- Contrasts over personas join them; all others are made for each.
local function of_model(out, suite, bounded, judge, model, inputs, design, groups)
  local function answers(who) return groups[group_key(suite.name, judge, model.label, who)] or {} end
  local function add(at, one, answers_of, pooled)
    local rows = rows_of(at, one, design, answers_of, inputs.seed or 42, pooled)
    table.move(rows, 1, #rows, #out + 1, out)
  end
  local joined = {}
  for i, who in ipairs(inputs.personas) do joined[i] = { arm = who.name, answers = answers(who.name) } end
  for _, one in ipairs(bounded) do
    if one.over == "persona" then
      add({ suite = suite.title, model = model.label, judge = judge }, one, joined)
    end
  end
  for _, who in ipairs(personas_apart(suite) and inputs.personas or {}) do
    local mine, all = answers(who.name), {}
    for i, other in ipairs(inputs.models) do
      all[i] = groups[group_key(suite.name, judge, other.label, who.name)] or {}
    end
    for _, one in ipairs(bounded) do
      if one.over ~= "persona" then
        local at = { suite = suite.title, model = model.label, judge = judge, persona = who.name }
        add(at, one, { { answers = mine } },
          one.pooled and function() return pooled_uplift(design, one, mine, all) end)
      end
    end
  end
end

local function declared(inputs)
  local out = {}
  for _, suite in ipairs(inputs.suites) do
    if suite.contrasts and #suite.contrasts > 0 then out[#out + 1] = suite end
  end
  return out
end

-- A judge that gives none of the numbers and labels of a contrast has nothing to say on it.
local function speaks(judge, suite)
  local labels, paths = {}, {}
  for _, label in ipairs(judge.labels) do labels[label] = true end
  for _, metric in ipairs(judge.metrics_of[suite.name] or {}) do
    if metric.mean then paths[metric.mean] = true end
  end
  for _, one in ipairs(suite.contrasts) do
    if one.mean and paths[one.mean] then return true end
    local rate = type(one.rate) == "table" and one.rate or { one.rate }
    for _, label in pairs(one.all or rate) do
      if labels[label] then return true end
    end
  end
  return false
end

-- The range of a judge's number: shares are from 0 to 1, a mean's metric may say.
local function range_of(one, judge, suite)
  if not one.mean then return 0, 1 end
  for _, metric in ipairs(judge.metrics_of[suite.name] or {}) do
    if metric.mean == one.mean then return metric.min, metric.max end
  end
end

-- The suite's contrasts, each with the range that its interval cannot leave.
local function with_ranges(judge, suite)
  local out = {}
  for i, one in ipairs(suite.contrasts) do
    local min, max = range_of(one, judge, suite)
    local low, high = 0, 0
    for _, arm in ipairs(shape.keys(one.weights or {})) do
      local weight = one.weights[arm]
      low = low + (min and max and math.min(weight * min, weight * max) or -math.huge)
      high = high + (min and max and math.max(weight * min, weight * max) or math.huge)
    end
    out[i] = setmetatable({ low = low > -math.huge and low or nil, high = high < math.huge and high or nil },
      { __index = one })
  end
  return out
end

---The contrasts of a run, for each suite that declares some, model, persona and judge that speaks on them: a list of
---{ suite, model, persona?, judge, name, value, n, incomplete, incomplete_clusters?, low, high, method, sd?, rate?,
---without_truncated?, bootstrap?, p?, p_holm?, tests?, by?, level? }. nil where there is none. `samples(suite)`: its
---samples.
---@param store table the journal
---@param inputs table see lre.results.inputs
---@param samples fun(suite: table): (fun(): table?)
function contrasts.of(store, inputs, samples)
  local suites = declared(inputs)
  if #suites == 0 or not samples then return nil end
  local designs, by_name, out = {}, {}, json.array {}
  for _, suite in ipairs(suites) do designs[suite.name] = contrasts.design(suite, samples(suite)) end
  for _, judge in ipairs(inputs.judges) do by_name[judge.name] = judge end
  local groups = gather(store, inputs, designs)
  for _, suite in ipairs(suites) do
    for _, name in ipairs(suite.judges) do
      local bounded = speaks(by_name[name], suite) and with_ranges(by_name[name], suite)
      for _, model in ipairs(bounded and inputs.models or {}) do
        of_model(out, suite, bounded, name, model, inputs, designs[suite.name], groups)
      end
    end
  end
  correct(out)
  return #out > 0 and out or nil
end

return contrasts
