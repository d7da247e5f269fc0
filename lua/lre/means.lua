-- means: the mean of a number that verdicts carry, with its interval. Values are kept, since a sum in the order of
-- completion would have other last bits in another run: 32 bytes a value.
local json = require "lre.json"
local stats = require "lre.stats"

local means = {}

---Which numbers are averaged, by the hash of the judge that gives them: { hash = { paths } }.
---@param inputs table see lre.results.inputs
function means.paths(inputs)
  local out = {}
  for _, judge in ipairs(inputs.judges) do
    local seen, list = {}, {}
    for _, metrics in pairs(judge.metrics_of or {}) do
      for _, metric in ipairs(metrics) do
        if metric.mean and not seen[metric.mean] then list[#list + 1] = metric.mean end
        if metric.mean then seen[metric.mean] = true end
      end
    end
    table.sort(list)
    if #list > 0 then out[judge.hash] = list end
  end
  return out
end

---All of them, each once.
function means.all_paths(paths)
  local seen, out = {}, {}
  for _, list in pairs(paths) do
    for _, path in ipairs(list) do
      if not seen[path] then out[#out + 1] = path end
      seen[path] = true
    end
  end
  table.sort(out)
  return out
end

-- The number at "evidence.safety.score" of a verdict, or of a journal's row, whose fields are flat. nil: none is there.
local function number_at(verdict, path)
  local value = verdict[path]
  if value == nil and path:find(".", 1, true) then
    value = verdict
    for name in path:gmatch "[^.]+" do
      value = type(value) == "table" and value[name] or nil
    end
  end
  return type(value) == "number" and value or nil
end

---Takes the numbers of one scored verdict into a tally.
function means.add(tally, paths, verdict, truncated, cluster)
  tally.values = tally.values or {}
  for _, path in ipairs(paths) do
    local value = number_at(verdict, path)
    if value then
      local kept = tally.values[path] or { clusters = {}, cut = {} }
      tally.values[path] = kept
      local i = #kept + 1
      kept[i], kept.clusters[i], kept.cut[i] = value, cluster or i, truncated or false
    end
  end
end

-- Sums by cluster: lists of { sum, n }, in an order that does not depend on who was first. `keep(i)`: does the i-th
-- count?
local function by_cluster(values, clusters, keep)
  local order, of, list = {}, {}, {}
  for i = 1, #values do order[i] = i end
  table.sort(order, function(a, b)
    return values[a] < values[b] or values[a] == values[b] and a < b
  end)
  for _, i in ipairs(order) do
    if not keep or keep(i) then
      local one = of[clusters[i]]
      if not one then
        one = { 0, 0 }
        of[clusters[i]], list[#list + 1] = one, one
      end
      one[1], one[2] = one[1] + values[i], one[2] + 1
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
  return list
end

-- The mean of all values and its cluster-robust standard error: the ratio of two cluster totals, linearised (Cochran,
-- Sampling Techniques, 3rd ed., 6.4 and 9A), which is s / sqrt(n) where each cluster has one value. nil: less than two.
local function mean_of(list)
  local sum, n, G = 0, 0, #list
  for _, one in ipairs(list) do sum, n = sum + one[1], n + one[2] end
  if n == 0 then return nil, 0 end
  local mean, squares = sum / n, 0
  for _, one in ipairs(list) do squares = squares + (one[1] - mean * one[2]) ^ 2 end
  return mean, n, G > 1 and math.sqrt(G / (G - 1) * squares) / n or nil
end

-- What is left of a spread of 0 after the rounding of sums.
local ALIKE = 1e-12

local function rounded(x)
  return x and json.round(x) or json.null
end

-- The sample's standard deviation.
local function spread(values, keep, mean)
  local sorted, n, squares = table.move(values, 1, #values, 1, {}), 0, 0
  if keep then
    sorted = {}
    for i, value in ipairs(values) do sorted[#sorted + 1] = keep(i) and value or nil end
  end
  table.sort(sorted)
  if sorted[1] == sorted[#sorted] then return #sorted > 1 and 0.0 or nil end
  for _, value in ipairs(sorted) do n, squares = n + 1, squares + (value - mean) ^ 2 end
  return n > 1 and math.sqrt(squares / (n - 1)) or nil
end

---The mean of numbers that come in clusters (clusters[i] names that of values[i]; nil: each its own) with Student's t
---interval on G - 1 degrees of freedom: { value, n, low, high, method = "t", sd, clusters, constant? }; `value` null
---where n is 0, the bounds null where there are not two clusters, or all are alike (`constant`): a width of 0 would
---claim certainty. Also t itself, nil where it has no standard error.
---@param values number[]
---@param clusters any[]?
---@param keep (fun(i: integer): boolean)?
function means.interval(values, clusters, keep, confidence)
  if not clusters then
    clusters = {}
    for i = 1, #values do clusters[i] = i end
  end
  local list = by_cluster(values, clusters, keep)
  local mean, n, se = mean_of(list)
  local constant = se and se <= ALIKE * math.max(1, math.abs(mean)) or false
  local half = se and not constant and assert(stats.t_quantile(0.5 + (confidence or 0.95) / 2, #list - 1)) * se
  return { value = rounded(mean), n = n, low = rounded(half and mean - half), high = rounded(half and mean + half),
    method = "t", sd = rounded(mean and spread(values, keep, mean)), clusters = #list, constant = constant or nil },
    half and mean / se, half and se
end

local NONE = { clusters = {}, cut = {} }

---An interval within the range of its number: Student's t does not know that a share ends at 1.
---@param out table low and high, null where there is none
---@param min number?
---@param max number?
function means.within(out, min, max)
  if min and out.low ~= json.null then out.low = math.max(out.low, min) end
  if max and out.high ~= json.null then out.high = math.min(out.high, max) end
  return out
end

---A metric of results.json: the mean of what a tally took, and the mean without answers that were cut. metric: { mean =
---path, min?, max? }.
function means.metric(tally, metric)
  local kept = tally.values and tally.values[metric.mean] or NONE
  local out = means.within(means.interval(kept, kept.clusters), metric.min, metric.max)
  for i = 1, #kept do
    if kept.cut[i] then
      local rest = means.interval(kept, kept.clusters, function(k) return not kept.cut[k] end)
      out.without_truncated = means.within(rest, metric.min, metric.max)
      out.without_truncated.method = nil
      break
    end
  end
  return out
end

return means
