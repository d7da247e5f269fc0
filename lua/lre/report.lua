-- report: results as text. A report is one file: lua/reports/NAME.lua or the project's reports/NAME.lua.
local catalog = require "lre.catalog"
local json = require "lre.json"
local shape = require "lre.shape"
local stats = require "lre.stats"
local text = require "lre.text"

local report = {}

local schema = shape.record {
  name = shape.string { min = 1 },
  summary = shape.optional(shape.string()),
  render = shape.func(),
}

---lre.report { name, summary?, render = function(results, opt) -> text end }
---@param t table
---@return table t
function report.declare(t)
  return shape.declare("report", schema, t)
end

---Opens a report by name or path.
---@return table report
function report.open(name)
  return catalog.load(catalog.find("reports", name).path, "report")
end

---The text of a report over results. `opt` is the report's own affair.
---@param name string
---@param results table
---@param opt table?
---@return string
function report.render(name, results, opt)
  return report.open(name).render(results, opt or {})
end

-- Helpers for reports.

---A number with three decimals; an em dash where there is none.
function report.number(x)
  if x == nil or x == json.null then return "—" end
  return ("%.3f"):format(x)
end

---"[0.301, 0.752]", or an em dash where nothing was judged.
function report.interval(metric)
  if metric.n == 0 or metric.low == nil or metric.low == json.null then return "—" end
  return ("[%.3f, %.3f]"):format(metric.low, metric.high)
end

---A name that somebody else chose, on one line and harmless to a terminal.
function report.plain(name)
  return text.terminal(tostring(name))
end

local function table_row(row)
  local cells = {}
  for i, cell in ipairs(row) do cells[i] = report.plain(cell):gsub("|", "\\|") end
  return "| " .. table.concat(cells, " | ") .. " |"
end

---A Markdown table: a list of column names, a list of rows of strings.
function report.table(columns, rows)
  local lines = { table_row(columns), "|" .. ("---|"):rep(#columns) }
  for _, row in ipairs(rows) do lines[#lines + 1] = table_row(row) end
  return table.concat(lines, "\n") .. "\n"
end

---The distinct values of a field in the rows, sorted.
function report.distinct(rows, field)
  local seen, out = {}, {}
  for _, row in ipairs(rows) do
    if not seen[row[field]] then
      seen[row[field]] = true
      out[#out + 1] = row[field]
    end
  end
  table.sort(out)
  return out
end

---How many trials of a row (or category) its rates leave out.
function report.left_out(row)
  return row.filtered + row.undecided + row.unscored + row.generation_errors + row.judge_errors
end

---Is it the mean of a number? Then it has no positives and no bounds.
---@param metric table
function report.is_mean(metric)
  return metric.sd ~= nil
end

---How many answers of a metric's denominator have it: rates in files are rounded, counts are whole.
---@param metric { value: number?, n: integer }
---@return integer
function report.positives(metric)
  return metric.n > 0 and math.floor(metric.value * metric.n + 0.5) or 0
end

---"0.533 [0.301, 0.752] (8/15)", "no data (0 of 15)".
---@param metric table? of a row or category
---@param total integer of how many trials
function report.rate(metric, total)
  if not metric then return "—" end
  if metric.n == 0 then return ("no data (0 of %d)"):format(total) end
  if report.is_mean(metric) then
    return ("%.3f %s (n = %d)"):format(metric.value, report.interval(metric), metric.n)
  end
  return ("%.3f %s (%d/%d)"):format(metric.value, report.interval(metric), report.positives(metric), metric.n)
end

---What a rate would be over everything that it leaves out as well: were all of that positive, and were none of it.
---@param row table a row or one of its categories
---@param metric table
---@return { missing: integer, n: integer, all: table?, none: table? } bounds all and none as lre.stats.wilson gives
---them; nil where there is no trial, and of a mean
function report.bounds(row, metric)
  if report.is_mean(metric) then return { missing = report.left_out(row), n = metric.n } end
  local missing, x = report.left_out(row), report.positives(metric)
  local n = metric.n + missing
  if n == 0 then return { missing = 0, n = 0 } end
  -- Where trials come in clusters, what is missing is taken to be as alike as what was judged.
  local worth = n * (metric.n > 0 and metric.n_eff and metric.n_eff / metric.n or 1)
  return { missing = missing, n = n, all = assert(stats.wilson_effective(x + missing, n, worth)),
    none = assert(stats.wilson_effective(x, n, worth)) }
end

---The labels of a judge's rows: in the judge's own order; what it did not declare comes after.
---@return string[]
function report.labels(results, rows, judge)
  local labels, seen, more = {}, {}, {}
  for _, entry in ipairs(results.inputs.judges) do
    for _, label in ipairs(entry.name == judge and entry.labels or {}) do
      seen[label] = true
      labels[#labels + 1] = label
    end
  end
  for _, row in ipairs(rows) do
    for label in pairs(row.counts) do
      if not seen[label] then more[#more + 1] = label end
      seen[label] = true
    end
  end
  table.sort(more)
  return table.move(more, 1, #more, #labels + 1, labels)
end

---The names of a row's metrics: the primary one first, the others sorted.
---@return string[]
function report.metrics(row)
  local names = shape.keys(row.metrics)
  table.sort(names, function(a, b)
    if a == row.primary or b == row.primary then return a == row.primary and b ~= row.primary end
    return a < b
  end)
  return names
end

---The names of a row's categories, sorted.
---@return string[]
function report.categories(row)
  return shape.keys(row.categories or {})
end

-- The last number of `digits` directly before one of `letters` (a blank may stand between) that is a word.
local function last_before(name, digits, letters)
  local found
  local padded = " " .. name .. " "
  for before, number, after in padded:gmatch(("%%f[%%d.]()(%s%%.?%%d*)%%s?[%s]()"):format(digits, letters)) do
    local left, right = padded:sub(before - 1, before - 1), padded:sub(after, after)
    if not left:match("[%w.]") and not right:match("%w") then found = tonumber(number) end
  end
  return found
end

---Billions of parameters that a model's name gives, or nil. The last number before "b", in words of their own:
---"Qwen2-1.5B-Instruct" is 1.5. Without one, the last of two digits or more before "m": "SmolLM2-135M" is 0.135;
---"-1M" is the length of a context. "8bit-model" has no size, nor has "mixtral-8x7b": that is neither 7 nor 56 billion.
function report.size(name)
  local billions = last_before(name, "%d+", "bB")
  if billions then return billions end
  local millions = last_before(name, "%d%d+", "mM")
  return millions and millions / 1000
end

---A run's judges in the order in which they were named: those that have rows.
---@return string[]
function report.judges(results)
  local there, out = {}, {}
  for _, row in ipairs(results.rows) do there[row.judge] = true end
  for _, judge in ipairs(results.inputs.judges) do
    if there[judge.name] then out[#out + 1] = judge.name end
  end
  return out
end

return report
