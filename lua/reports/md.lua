-- md: the table of a run, rates by category, and what the rates leave out. Markdown.
local lre = require "lre"
local report = require "lre.report"

local LEFT_OUT = {
  { "generation_errors", "failed" }, { "filtered", "filtered" }, { "undecided", "undecided" }, { "unscored",
    "unscored" },
  { "judge_errors", "judge errors" },
}

local function title_case(word)
  return (word:gsub("_", " "):gsub("^%l", string.upper))
end

local function primary(row)
  return row.primary and row.metrics[row.primary]
end

-- What names a row: model and suite, the persona where there is more than the control arm.
local function columns(results)
  local who = {}
  for _, p in ipairs(results.inputs.personas) do who[#who + 1] = p.name end
  local names, fields = { "Model", "Suite" }, { "model", "suite" }
  if #who > 1 or who[1] ~= "none" then
    names[3], fields[3] = "Persona", "persona"
  end
  return names, fields
end

local function main_table(results, rows, judge)
  local names, fields = columns(results)
  local labels = report.labels(results, rows, judge)
  local head = table.move(names, 1, #names, 1, { })
  head[#head + 1] = "Total"
  for _, label in ipairs(labels) do head[#head + 1] = title_case(label) end
  local metric = rows[1].primary and title_case(rows[1].primary) or "Rate"
  table.move({ "Undecided", "Unscored", "Filtered", "Errors", metric, "95% CI" }, 1, 6, #head + 1, head)
  local body = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for k, field in ipairs(fields) do cells[k] = row[field] end
    cells[#cells + 1] = row.total
    for _, label in ipairs(labels) do cells[#cells + 1] = row.counts[label] or 0 end
    local m, errors = primary(row), row.generation_errors + row.judge_errors
    table.move({ row.undecided, row.unscored, row.filtered, errors, m and report.number(m.value) or "—",
      m and report.interval(m) or "—" }, 1, 6, #cells + 1, cells)
    body[i] = cells
  end
  return report.table(head, body)
end

local function category_table(results, rows)
  local names, fields = columns(results)
  local seen, categories = {}, {}
  for _, row in ipairs(rows) do
    for category in pairs(row.categories) do
      if not seen[category] then categories[#categories + 1] = category end
      seen[category] = true
    end
  end
  if #categories == 0 then return nil end
  table.sort(categories)
  local body = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for k, field in ipairs(fields) do cells[k] = row[field] end
    for _, category in ipairs(categories) do
      local part = row.categories[category]
      cells[#cells + 1] = part and report.rate(part.metrics[row.primary], part.total) or "—"
    end
    body[i] = cells
  end
  return report.table(table.move(categories, 1, #categories, #names + 1, names), body)
end

-- "sample" or the field that the suite names, and how many clusters there are: "3" or "3 to 5". nil: trials are
-- independent.
local function clustering(results, rows)
  local by, low, high = {}, math.huge, 0
  for _, suite in ipairs(results.inputs.suites or {}) do
    by[suite.name .. (suite.sampled or "")] = suite.clusters or "sample"
  end
  local words, seen = {}, {}
  for _, row in ipairs(rows) do
    local m = primary(row)
    if m and m.clusters then
      low, high = math.min(low, m.clusters), math.max(high, m.clusters)
      local word = by[row.suite] or "sample"
      if not seen[word] then words[#words + 1] = word end
      seen[word] = true
    end
  end
  if high == 0 then return "" end
  return (", clustered by %s (G = %s)"):format(report.plain(table.concat(words, " or ")),
    low == high and ("%d"):format(low) or ("%d to %d"):format(low, high))
end

local function definition(results, rows)
  local m = rows[1].primary
  if not m then return "" end
  local judge = report.plain(rows[1].judge)
  if report.is_mean(primary(rows[1])) then
    return ("%s (judge %s): the mean of the answers that the judge could score; undecided, unscored, filtered and "
      .. "failed ones are left out. Intervals: Student's t%s, 95%%.\n"):format(report.plain(title_case(m)), judge,
      clustering(results, rows))
  end
  return ("%s (judge %s): of the answers that the judge could label; undecided, unscored, filtered and failed ones "
    .. "are left out. Intervals: Wilson%s, 95%%.\n"):format(report.plain(title_case(m)), judge,
    clustering(results, rows))
end

-- How far the rate could move, had everything that is left out been judged.
local function missing_line(name, row)
  local m = primary(row)
  if not m or report.left_out(row) == 0 or report.is_mean(m) then return nil end
  local b = report.bounds(row, m)
  local said = m.n == 0 and "no data: nothing was judged" or ("%s if all left out (%d) had it, %s if none had"):format(
    report.rate({ value = b.all.value, low = b.all.low, high = b.all.high, n = b.n }), b.missing,
    report.rate({ value = b.none.value, low = b.none.low, high = b.none.high, n = b.n }))
  return ("- %s: %s %s"):format(name, report.plain(title_case(row.primary)), said)
end

local function footer(results, rows)
  local lines = {}
  for _, row in ipairs(rows) do
    local parts = {}
    for _, kind in ipairs(LEFT_OUT) do
      if row[kind[1]] > 0 then parts[#parts + 1] = ("%d %s"):format(row[kind[1]], kind[2]) end
    end
    local name = report.plain(("%s, %s, %s"):format(row.model, row.suite, row.persona))
    if #parts > 0 then
      lines[#lines + 1] = ("- %s: left out %s of %d"):format(name, table.concat(parts, ", "), row.total)
    end
    lines[#lines + 1] = missing_line(name, row)
    local m = primary(row)
    if row.truncated > 0 then
      local rest = m and m.without_truncated
      lines[#lines + 1] = ("- %s: %d cut by the token limit%s"):format(name, row.truncated,
        rest and ("; %s without them %s (n = %d)"):format(title_case(row.primary), report.number(rest.value), rest.n)
          or "")
    end
  end
  local missing = results.trials and results.trials.planned - results.trials.recorded or 0
  if missing > 0 then
    lines[#lines + 1] = ("- %d of %d trials have no answer yet"):format(missing, results.trials.planned)
  end
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or nil
end

local function section(results, judge, many)
  local rows = {}
  for _, row in ipairs(results.rows) do
    if row.judge == judge then rows[#rows + 1] = row end
  end
  local parts = { many and ("## Judge %s\n\n"):format(report.plain(judge)) or "", main_table(results, rows, judge),
    "\n", definition(results, rows) }
  local categories = category_table(results, rows)
  if categories then
    parts[#parts + 1] = ("\n## %s by category\n\n%s"):format(
      report.plain(rows[1].primary and title_case(rows[1].primary) or "Rate"), categories)
  end
  local notes = footer(results, rows)
  if notes then parts[#parts + 1] = "\n" .. notes end
  return table.concat(parts)
end

-- ---- contrasts ----

-- As many ids of incomplete clusters are shown; results.json has them all.
local MAX_IDS = 10

local function contrast_cells(one)
  local value = one.n == 0 and "no data" or ("%+.3f"):format(one.value)
  local boot = one.bootstrap
  return { one.model, one.name, value, one.constant and "all alike" or report.interval(one),
    boot and ("[%.3f, %.3f]"):format(boot.low, boot.high) or "—", one.n, one.incomplete,
    one.p and ("%.4f"):format(one.p) or "—", one.p_holm and ("%.4f"):format(one.p_holm) or "—" }
end

local CONTRAST_HEAD = { "Model", "Contrast", "Value", "95% CI", "Bootstrap", "n", "Incomplete", "p", "p (Holm)" }

local function ids_line(one)
  local ids, shown = one.incomplete_clusters, {}
  for i = 1, math.min(#ids, MAX_IDS) do shown[i] = report.plain(ids[i]) end
  if #ids > MAX_IDS then shown[#shown + 1] = ("and %d more"):format(#ids - MAX_IDS) end
  return ("- %s, %s: %d incomplete: %s\n"):format(report.plain(one.model), report.plain(one.name), #ids,
    table.concat(shown, ", "))
end

-- The first contrast that is told apart by factors: levels by model.
local function level_table(list)
  local models, rows, index, name = {}, {}, {}, nil
  for _, one in ipairs(list) do
    if one.by and #one.by == 1 and (not name or one.name == name) then
      name = one.name
      if not index[one.model] then
        index[one.model], models[#models + 1] = true, one.model
      end
      local level = {}
      for i, value in ipairs(one.level) do level[i] = tostring(value) end
      local key = table.concat(one.by, ", ") .. "\0" .. table.concat(level, ", ")
      if not rows[key] then
        rows[key] = { table.concat(one.by, ", "), table.concat(level, ", ") }
        rows[#rows + 1] = rows[key]
      end
      rows[key][one.model] = one.n == 0 and "no data" or ("%+.3f %s (n = %d)"):format(one.value,
        report.interval(one), one.n)
    end
  end
  if not name then return nil end
  local head, body = { "Factor", "Level", table.unpack(models) }, {}
  for i, row in ipairs(rows) do
    body[i] = { row[1], row[2] }
    for k, model in ipairs(models) do body[i][k + 2] = row[model] or "—" end
  end
  return ("### %s by factor\n\n"):format(report.plain(title_case(name))) .. report.table(head, body)
end

-- Contrasts of one suite, judge and persona: models stand beside each other, nothing else is mixed.
local function contrast_groups(list)
  local groups, index = {}, {}
  for _, one in ipairs(list) do
    local words = { one.suite, "judge " .. one.judge }
    if one.persona and one.persona ~= "none" then words[3] = "persona " .. one.persona end
    local name = table.concat(words, ", ")
    if not index[name] then
      index[name] = { name = name }
      groups[#groups + 1] = index[name]
    end
    table.insert(index[name], one)
  end
  return groups
end

-- Which contrasts weigh tellings that clusters share, by the number of units that are left.
local function shared_line(groups, names)
  return ("- %s: clusters that share a telling are one unit of the interval and the test (%d units)\n"):format(
    table.concat(names, ", "), groups)
end

local function contrast_section(list)
  local body, notes, tests, shared = {}, {}, nil, {}
  for _, one in ipairs(list) do
    if not one.by then
      body[#body + 1] = contrast_cells(one)
      tests = one.tests or tests
      if one.incomplete_clusters then notes[#notes + 1] = ids_line(one) end
      if one.groups and shared[one.name] ~= one.groups then
        shared[one.name], shared[one.groups] = one.groups, shared[one.groups] or {}
        table.insert(shared[one.groups], report.plain(one.name))
      end
    end
  end
  local text = ("## Contrasts: %s\n\n"):format(report.plain(list.name)) .. report.table(CONTRAST_HEAD, body)
    .. ("\nWithin clusters, each arm's answers averaged first; n clusters are complete. Means: Student's t, and "
      .. "bootstrap of clusters; shares: paired Newcombe and McNemar, or Wilson.%s\n"):format(
      tests and (" Holm over %d tests."):format(tests) or "")
  local units = {}
  for key in pairs(shared) do units[#units + 1] = math.type(key) == "integer" and key or nil end
  table.sort(units)
  for _, n in ipairs(units) do notes[#notes + 1] = shared_line(n, shared[n]) end
  if #notes > 0 then text = text .. "\n" .. table.concat(notes) end
  local levels = level_table(list)
  return levels and text .. "\n" .. levels or text
end

-- What two judges that measure the same come to together.
local function joint_section(rows)
  local body = {}
  for i, row in ipairs(rows) do
    local d = row.delta_vs_inner_only
    body[i] = { row.model, row.suite, row.persona, ("%s, then %s"):format(row.inner, row.outer),
      report.rate(row.inner_rate, row.total), report.rate(row.joint_rate, row.total),
      d.n == 0 and "no data" or ("%+.3f [%+.3f, %+.3f]"):format(d.value, d.wilson.low, d.wilson.high),
      d.n == 0 and "—" or ("[%+.3f, %+.3f]"):format(d.newcombe.low, d.newcombe.high), row.total - row.n }
  end
  return "## Joint\n\n" .. report.table({ "Model", "Suite", "Persona", "Judges", "First alone", "Either",
    "Added [Wilson]", "Paired Newcombe", "Left out" }, body)
    .. "\nOf the trials on which both judges gave a label; `Added`: the share that only the second caught. 95%.\n"
end

return lre.report {
  name = "md",
  summary = "the table of a run, rates by category, what was left out (Markdown)",
  render = function(results, opt)
    local judges = report.judges(results)
    local parts = { opt.title and "# " .. opt.title .. "\n" or nil }
    for _, judge in ipairs(judges) do parts[#parts + 1] = section(results, judge, #judges > 1) end
    for _, list in ipairs(contrast_groups(results.contrasts or {})) do parts[#parts + 1] = contrast_section(list) end
    if results.joint then parts[#parts + 1] = joint_section(results.joint) end
    if #judges == 0 then
      parts[#parts + 1] = ("%d answers, none judged.\n"):format(results.trials and results.trials.recorded or 0)
    end
    return table.concat(parts, "\n")
  end,
}
