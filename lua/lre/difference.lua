-- difference: what the arms of clusters come to, weighed against each other: the interval of a mean difference, of a
-- paired difference of shares, of the share of clusters that have a property. The cluster is the unit.
local json = require "lre.json"
local means = require "lre.means"
local shape = require "lre.shape"
local stats = require "lre.stats"

local difference = {}

-- A bootstrap of more clusters than this takes seconds, and has nothing to add to Student's t.
local MAX_BOOTSTRAP = 5000
local REPLICATES = 2000

local function weigh(cell, weights)
  local sum = 0
  for _, arm in ipairs(shape.keys(weights)) do sum = sum + weights[arm] * cell[arm] end
  return sum
end

-- Percentile interval over whole clusters; nil where there are too few, too many, or all alike.
local function bootstrap(values, ids, seed)
  if #values < 2 or #values > MAX_BOOTSTRAP then return nil end
  local i = assert(stats.bootstrap(values, ids, { replicates = REPLICATES, seed = seed }))
  return { low = json.round(i.low), high = json.round(i.high), replicates = REPLICATES, seed = seed }
end

-- Student's t and its p. `groups`: clusters that share an answer are one unit of both intervals.
local function by_t(values, ids, seed, groups)
  local units = groups or ids
  local out, t = means.interval(values, units)
  local n = out.clusters
  out.clusters, out.groups = nil, groups and n or nil
  if t then
    out.p = json.round(assert(stats.t_test(t, n - 1)))
    out.bootstrap = seed and bootstrap(values, units, seed)
  end
  return out
end

-- The group of each cluster; nil where each is alone.
local function groups_of(ids, group_of)
  local seen, out, shared = {}, {}, false
  for i, id in ipairs(ids) do
    local group = group_of[id] or id
    shared, seen[group], out[i] = shared or seen[group] ~= nil, true, group
  end
  return shared and out or nil
end

-- A difference of two shares with one answer an arm: a paired 2 x 2 table. nil where it is none.
local function paired_table(cells, ids, weights)
  local plus, minus
  for arm, weight in pairs(weights) do
    if weight == 1 and not plus then plus = arm elseif weight == -1 and not minus then minus = arm else return nil end
  end
  if not plus or not minus then return nil end
  local n = { 0, 0, 0, 0 }
  for _, id in ipairs(ids) do
    local x, y = cells[id][plus], cells[id][minus]
    if x % 1 ~= 0 or y % 1 ~= 0 then return nil end
    local at = x == 1 and (y == 1 and 1 or 2) or (y == 1 and 3 or 4)
    n[at] = n[at] + 1
  end
  return n
end

-- Newcombe's paired interval and McNemar's exact p (docs/compare.md).
local function by_table(n)
  local total = n[1] + n[2] + n[3] + n[4]
  local interval = assert(stats.newcombe_paired(n[1], n[2], n[3], n[4]))
  local test = assert(stats.mcnemar(n[2], n[3]))
  return { value = json.round((n[2] - n[3]) / total), n = total, low = json.round(interval.low),
    high = json.round(interval.high), method = "newcombe_paired", p = json.round(test.exact) }
end

local NO_DATA = { value = json.null, n = 0, low = json.null, high = json.null }

local function no_data(method)
  local out = { method = method }
  for name, value in pairs(NO_DATA) do out[name] = value end
  return out
end

---The weighed difference of clusters: `one` says { rate = is it of shares?, weights = arm -> weight, low?, high? = what
---it cannot leave }, `cells` each cluster's arms as numbers, `ids` which clusters have them all. A paired table where
---there is one, else Student's t; a bootstrap beside it with a seed. `group_of`: clusters of one group are not
---independent (they share an answer that is weighed): then groups are drawn, and there is no paired table.
---@return table { value, n, low, high, method, p?, sd?, constant?, bootstrap?, groups? }
function difference.weighed(one, cells, ids, seed, group_of)
  if #ids == 0 then return no_data "t" end
  local groups = group_of and groups_of(ids, group_of)
  local counts = one.rate and not groups and paired_table(cells, ids, one.weights)
  if counts then return by_table(counts) end
  local values = {}
  for i, id in ipairs(ids) do values[i] = weigh(cells[id], one.weights) end
  return means.within(by_t(values, ids, seed, groups), one.low, one.high)
end

---The share of clusters in which every arm mostly has its label (`one.all`), with Wilson's interval.
function difference.all_of(one, cells, ids)
  if #ids == 0 then return no_data "wilson" end
  local x = 0
  for _, id in ipairs(ids) do
    local holds = true
    for arm in pairs(one.all) do holds = holds and cells[id][arm] > 0.5 end
    if holds then x = x + 1 end
  end
  local interval = assert(stats.wilson(x, #ids))
  return { value = json.round(x / #ids), n = #ids, low = json.round(interval.low), high = json.round(interval.high),
    method = "wilson" }
end

return difference
