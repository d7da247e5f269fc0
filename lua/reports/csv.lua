-- csv: a line a row, category and metric, with all that the rate leaves out; then the joint rows. RFC 4180.
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
  add(report.plain(field(metric.method)))
  local bounds = report.bounds(part, metric)
  add(bounds.missing)
  add(bounds.all and json.round(bounds.all.value))
  add(bounds.none and json.round(bounds.none.value))
  for _, key in ipairs(COUNTS) do add(part[key]) end
  for _, label in ipairs(labels) do add(part.counts[label]) end
  return csv.format(fields)
end

-- A joint row's figures, a line each: what two judges come to together, each alone on the same trials, and what the
-- second adds, with both of its intervals.
local function joint_lines(row, labels)
  local added, out = row.delta_vs_inner_only, {}
  local function add(name, figure, interval)
    local fields = { report.plain(row.suite), report.plain(row.model), report.plain(row.persona),
      report.plain(row.inner .. " or " .. row.outer), "", report.plain(row.metric) .. name }
    for _, value in ipairs { figure.n, figure.value, interval.low, interval.high, interval.method } do
      fields[#fields + 1] = field(value)
    end
    fields[#fields + 1] = field(row.total - row.n)
    for _ = 2, #BOUNDS do fields[#fields + 1] = "" end
    fields[#fields + 1] = field(row.total)
    for _ = 2, #COUNTS + #labels do fields[#fields + 1] = "" end
    out[#out + 1] = csv.format(fields)
  end
  add("", row.joint_rate, row.joint_rate)
  add(".inner", row.inner_rate, row.inner_rate)
  add(".outer", row.outer_rate, row.outer_rate)
  add(".added", added, added.wilson)
  add(".added", added, added.newcombe)
  return table.concat(out)
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
          local part = row.categories[category]
          if part.metrics[name] then lines[#lines + 1] = line(row, category, part, name, labels) end
        end
      end
    end
    for _, row in ipairs(results.joint or {}) do lines[#lines + 1] = joint_lines(row, labels) end
    return table.concat(lines)
  end,
}
