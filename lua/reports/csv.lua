-- csv: a line a row, category and metric, with all that the rate leaves out. RFC 4180.
local lre = require "lre"
local csv = require "lre.csv"
local json = require "lre.json"
local report = require "lre.report"

local COUNTS = { "total", "truncated", "filtered", "undecided", "unscored", "generation_errors", "judge_errors" }
local NUMBERS = { "n", "value", "low", "high" }
local BOUNDS = { "missing", "value_if_all_missing", "value_if_none_missing" }

local function field(value)
  if value == nil or value == json.null then return "" end
  return type(value) == "string" and value or assert(json.encode(value))
end

local function header(labels)
  local head = { "suite", "model", "persona", "judge", "category", "metric" }
  for _, list in ipairs { NUMBERS, { "method" }, BOUNDS, COUNTS } do table.move(list, 1, #list, #head + 1, head) end
  for _, label in ipairs(labels) do head[#head + 1] = "count." .. label end
  return csv.format(head)
end

-- `part`: the row itself, or one of its categories.
local function line(row, category, part, name, labels)
  local metric = part.metrics[name]
  local fields = {}
  for i, word in ipairs { row.suite, row.model, row.persona, row.judge, category, name } do
    fields[i] = report.plain(word)
  end
  local function add(value) fields[#fields + 1] = field(value) end
  for _, key in ipairs(NUMBERS) do add(metric[key]) end
  add(metric.method)
  local bounds = report.bounds(part, metric)
  add(bounds.missing)
  add(bounds.all and json.round(bounds.all.value))
  add(bounds.none and json.round(bounds.none.value))
  for _, key in ipairs(COUNTS) do add(part[key]) end
  for _, label in ipairs(labels) do add(part.counts[label]) end
  return csv.format(fields)
end

local function all_labels(results)
  local out, seen = {}, {}
  for _, judge in ipairs(results.inputs.judges) do
    local rows = {}
    for _, row in ipairs(results.rows) do rows[#rows + 1] = row.judge == judge.name and row or nil end
    for _, label in ipairs(report.labels(results, rows, judge.name)) do
      if not seen[label] then out[#out + 1] = label end
      seen[label] = true
    end
  end
  return out
end

return lre.report {
  name = "csv",
  summary = "a line a row, category and metric (CSV)",
  render = function(results)
    local labels = all_labels(results)
    local lines = { header(labels) }
    for _, row in ipairs(results.rows) do
      for _, name in ipairs(report.metrics(row)) do
        lines[#lines + 1] = line(row, "", row, name, labels)
        for _, category in ipairs(report.categories(row)) do
          lines[#lines + 1] = line(row, category, row.categories[category], name, labels)
        end
      end
    end
    return table.concat(lines)
  end,
}
