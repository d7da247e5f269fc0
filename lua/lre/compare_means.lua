-- compare_means: the difference of two runs' means. Paired by trial where both answered the same samples: Student's t
-- on the differences, with the suite's clusters (or the sample) as the unit. Otherwise Welch's t on the two sides.
local json = require "lre.json"
local means = require "lre.means"
local plan = require "lre.plan"
local shape = require "lre.shape"
local stats = require "lre.stats"

local compare_means = {}

-- ---- numbers ----

local function id_of(key)
  return (key:gsub("|[^|#]*(#?%d*)$", "%1"))
end

-- id -> { value?, category?, suite, persona, unit }: what two runs share is the key without the model.
local function side_of(source, model, rows, judge, path)
  local wanted, out = {}, {}
  for _, one in ipairs(rows) do wanted[one.suite.name .. "\0" .. one.persona] = true end
  local found = source:numbers(judge, path, function(key)
    local suite, _, who, label = plan.parse_key(key)
    return label == model and wanted[suite .. "\0" .. who] or false
  end)
  for _, key in ipairs(shape.keys(found)) do
    local one, suite, sample, who = found[key], plan.parse_key(key)
    one.suite, one.persona = suite, who
    one.unit = suite .. "\0" .. (one.cluster and "c" .. tostring(one.cluster) or "s" .. sample)
    out[id_of(key)] = one
  end
  return out
end

-- ---- rows ----

local function cell_of(cells, name)
  local cell = cells[name]
  if not cell then
    cell = { name = name, unjudged = 0, a = {}, b = {}, units_a = {}, units_b = {}, differences = {} }
    cells[name], cells[#cells + 1] = cell, cell
  end
  return cell
end

local function name_of(one, by)
  if not by then return "all" end
  return one[by]
end

local function put(list, units, value, unit)
  list[#list + 1] = value
  units[#list] = unit
end

local function pair_up(a, b, by)
  local cells, both, only_a, only_b, nowhere = {}, 0, 0, 0, 0
  for _, id in ipairs(shape.keys(a)) do
    local x, y = a[id], b[id]
    local name = y and name_of(x, by)
    if not y then
      only_a = only_a + 1
    elseif not name then
      nowhere = nowhere + 1
    else
      local cell = cell_of(cells, name)
      both = both + 1
      if x.value and y.value then
        put(cell.a, cell.units_a, x.value, x.unit)
        put(cell.b, cell.units_b, y.value, x.unit)
        cell.differences[#cell.a] = y.value - x.value
      else
        cell.unjudged = cell.unjudged + 1
      end
    end
  end
  for id in pairs(b) do only_b = only_b + (a[id] and 0 or 1) end
  return cells, { both = both, only_a = only_a, only_b = only_b, nowhere = nowhere }
end

local function keep_apart(a, b, by)
  local cells = {}
  for _, field in ipairs { "a", "b" } do
    local side = field == "a" and a or b
    for _, id in ipairs(shape.keys(side)) do
      local one = side[id]
      local name = name_of(one, by)
      local cell = name and cell_of(cells, name)
      if cell and one.value then
        put(cell[field], cell["units_" .. field], one.value, one.unit)
      elseif cell then
        cell.unjudged = cell.unjudged + 1
      end
    end
  end
  return cells
end

local function number(x)
  return x ~= json.null and x or nil
end

local function side_row(values, units, confidence)
  local out, _, se = means.interval(values, units, nil, confidence)
  return { value = number(out.value), low = number(out.low), high = number(out.high), n = out.n,
    clusters = out.clusters }, se
end

local function paired_row(cell, confidence)
  local row = { name = cell.name, paired = true, unjudged = cell.unjudged, n = #cell.differences,
    a = side_row(cell.a, cell.units_a, confidence), b = side_row(cell.b, cell.units_b, confidence) }
  if row.n == 0 then return row end
  local out, t = means.interval(cell.differences, cell.units_a, nil, confidence)
  row.delta, row.low, row.high, row.clusters = out.value, number(out.low), number(out.high), out.clusters
  row.method, row.test = "Student's t on the paired differences, clustered by sample or by the suite's clusters", "t"
  row.p = t and assert(stats.t_test(t, out.clusters - 1)) or nil
  if not t then
    row.note = out.constant and "all differences are alike: there is no interval" or "one cluster gives no interval"
  end
  return row
end

-- Welch 1947: the standard errors add in squares, the degrees of freedom by Satterthwaite.
local function welch(row, sa, sb, confidence)
  local va, vb = sa ^ 2, sb ^ 2
  local df = (va + vb) ^ 2 / (va ^ 2 / (row.a.clusters - 1) + vb ^ 2 / (row.b.clusters - 1))
  local se = math.sqrt(va + vb)
  local half = assert(stats.t_quantile(0.5 + confidence / 2, df)) * se
  row.low, row.high, row.p = row.delta - half, row.delta + half, assert(stats.t_test(row.delta / se, df))
end

local function independent_row(cell, confidence)
  local a, sa = side_row(cell.a, cell.units_a, confidence)
  local b, sb = side_row(cell.b, cell.units_b, confidence)
  local row = { name = cell.name, paired = false, unjudged = cell.unjudged, a = a, b = b }
  if a.n == 0 or b.n == 0 then return row end
  row.delta = b.value - a.value
  row.method, row.test = "Welch's t for independent samples, clustered by sample or by the suite's clusters", "t"
  if sa and sb then
    welch(row, sa, sb, confidence)
  else
    row.note = "a side whose answers are all alike, or in one cluster, gives no interval"
  end
  return row
end

---The rows of a comparison of means: `at` as in lre.compare, `path` where a verdict has the number, `apart`: why
---nothing is paired, or nil. Returns rows, and { both, only_a, only_b, nowhere } where they are paired.
function compare_means.rows(a, b, at, path, opt, apart)
  local x = side_of(a, at.model_a, at.rows_a, at.judge, path)
  local y = side_of(b, at.model_b, at.rows_b, at.judge, path)
  local out, cells, counts = json.array {}, nil, nil
  if not apart then
    cells, counts = pair_up(x, y, opt.by)
    if counts.both == 0 then counts = nil end
  end
  if not counts then cells = keep_apart(x, y, opt.by) end
  for i, cell in ipairs(cells) do out[i] = (counts and paired_row or independent_row)(cell, opt.confidence) end
  return out, counts
end

return compare_means
