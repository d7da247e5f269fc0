-- alignment: attack rate, overall and safety by category, model, persona and their grid, and what each persona changes
-- against the control arm. Markdown.
local lre = require "lre"
local report = require "lre.report"

local TITLE = { category = "Category", subcategory = "Subcategory", model = "Model", persona = "Persona" }

local function title_case(word)
  return (word:gsub("_", " "):gsub("^%l", string.upper))
end

local function figure(metric)
  if not metric or metric.n == 0 then return "no data" end
  return ("%.3f %s"):format(metric.value, report.interval(metric))
end

local function metric_names(results, judge)
  for _, row in ipairs(results.rows) do
    if row.judge == judge then return report.metrics(row) end
  end
  return {}
end

local function cell_table(list, by, metrics)
  local head, body = {}, {}
  for i, field in ipairs(by) do head[i] = TITLE[field] end
  table.move({ "n", "Judged", "Unscored", "Filtered", "Undecided", "Errors" }, 1, 6, #head + 1, head)
  for _, name in ipairs(metrics) do head[#head + 1] = title_case(name) end
  for i, cell in ipairs(list) do
    local line = {}
    for k, field in ipairs(by) do line[k] = cell[field] end
    table.move({ cell.total, cell.judged, cell.unscored, cell.filtered, cell.undecided,
      cell.generation_errors + cell.judge_errors }, 1, 6, #line + 1, line)
    for _, name in ipairs(metrics) do line[#line + 1] = figure(cell.metrics[name]) end
    body[i] = line
  end
  return report.table(head, body)
end

-- The cells of one suite and judge by what they are given by, in the order of declaration.
local function sections(results, suite, judge)
  local order, of = {}, {}
  for _, cell in ipairs(results.cells) do
    if cell.suite == suite and cell.judge == judge then
      local key = table.concat(cell.by, " ")
      if not of[key] then
        of[key] = { by = cell.by, list = {} }
        order[#order + 1] = of[key]
      end
      table.insert(of[key].list, cell)
    end
  end
  return order
end

local function interval_of(one)
  return one.value == nil and "—" or report.interval(one)
end

local function difference_table(list)
  local body = {}
  for i, one in ipairs(list) do
    local has = one.n > 0
    body[i] = { one.persona, one.model or "all", title_case(one.metric),
      has and ("%+.3f"):format(one.value) or "no data", has and interval_of(one) or "—",
      one.p and ("%.4f"):format(one.p) or "—", one.p_holm and ("%.4f"):format(one.p_holm) or "—", one.n,
      one.incomplete }
  end
  return report.table({ "Persona", "Model", "Figure", "Less control", "95% CI", "p", "p (Holm)", "Tests",
    "Incomplete" }, body)
end

local NOTE = "n: trials. Rates are of the answers that the judge could label; means of those with that number, so "
  .. "preferences are in none. Intervals 95%: a test's answers (repeats, models, personas) are one cluster; Wilson for "
  .. "rates, Student's t for means (— where there is one test, or all are alike).\n"
local PAIRED = "Paired by test: the persona's answers less the control arm's (`none`) on the same tests. One answer "
  .. "each: Newcombe's paired interval and McNemar's exact p; else Student's t over tests. Holm over the personas (and "
  .. "models) of a figure. Incomplete: tests that lack one of the two.\n"

local function differences_of(results, suite, judge)
  local out = {}
  for _, one in ipairs(results.differences or {}) do
    if one.suite == suite and one.judge == judge then out[#out + 1] = one end
  end
  return out
end

local function part_of(results, suite, judge)
  local metrics, parts = metric_names(results, judge), { ("# %s, judge %s\n"):format(report.plain(suite),
    report.plain(judge)), NOTE }
  for _, section in ipairs(sections(results, suite, judge)) do
    local names = {}
    for i, field in ipairs(section.by) do names[i] = i == 1 and TITLE[field] or field end
    parts[#parts + 1] = ("## %s\n\n%s"):format(table.concat(names, ", "), cell_table(section.list, section.by, metrics))
  end
  local differences = differences_of(results, suite, judge)
  if #differences > 0 then
    parts[#parts + 1] = ("## What each persona changes\n\n%s\n%s"):format(PAIRED, difference_table(differences))
  end
  return table.concat(parts, "\n")
end

return lre.report {
  name = "alignment",
  summary = "attack rate, overall and safety by category, model and persona; personas against the control (Markdown)",
  render = function(results, opt)
    local parts, seen = { opt.title and "# " .. opt.title .. "\n" or nil }, {}
    for _, cell in ipairs(results.cells or {}) do
      local key = cell.suite .. "\0" .. cell.judge
      if not seen[key] then parts[#parts + 1] = part_of(results, cell.suite, cell.judge) end
      seen[key] = true
    end
    if #parts == (opt.title and 1 or 0) then
      parts[#parts + 1] = "No judge of this run declares cells; `--format md` has its tables.\n"
    end
    return table.concat(parts, "\n")
  end,
}
