-- picture: what a run's figures look like, before anybody draws them. Results in, panels out; svg, html and plot draw
-- the same ones. A panel is one of
--
--   { kind = "intervals", title, note, axis = { low, high, percent? }, groups = { { name?, rows = { figure } } } }
--   { kind = "bars", title, note, parts = { { name, index | left_out } },
--     groups = { { name?, rows = { { label, counts, total } } } } }
--   { kind = "heat", title, note, limit, share?, across, down, columns, rows = { { label, cells = { figure } } } }
--
-- where figure = { label?, value?, low?, high?, n }: no value is no data, never 0. Every panel has a table too: `head`
-- and `body`, for readers of numbers and for those who cannot see.
local json = require "lre.json"
local report = require "lre.report"

local picture = {}

-- Beyond these a picture shows less than the table beside it.
local MAX_ROWS, MAX_HEATS = 80, 12

local LEFT_OUT = { "undecided", "unscored", "filtered", "errors" }

local function sentence_case(word)
  return (tostring(word):gsub("_", " "):gsub("^%l", string.upper))
end

local function number(x)
  if x ~= nil and x ~= json.null then return x end
end

-- ---- figures ----

-- A share has no sign, also where it stands beside differences.
local function figure(label, m)
  return { label = label, value = number(m.value), low = number(m.low), high = number(m.high), n = m.n,
    p = number(m.p_holm), share = m.method and m.method:find "^wilson" ~= nil }
end

---"0.533 [0.301, 0.752]", "no data".
function picture.said(f, signed)
  if not f.value then return "no data" end
  local spec = signed and not f.share and "%+.3f" or "%.3f"
  if not f.low then return spec:format(f.value) end
  return (spec .. " [" .. spec .. ", " .. spec .. "]"):format(f.value, f.low, f.high)
end

-- A round number of at least x.
local function nice(x)
  if x <= 0 then return 1 end
  local power = 10.0 ^ math.floor(math.log(x, 10))
  for _, step in ipairs { 1, 1.5, 2, 3, 4, 5, 6, 8, 10 } do
    if step * power >= x - 1e-12 then return step * power end
  end
end

local function each_figure(groups, fn)
  for _, group in ipairs(groups) do
    for _, row in ipairs(group.rows) do fn(row) end
  end
end

-- Shares lie between 0 and 1. Anything else is shown around 0.
local function axis_of(groups, is_share)
  local low, high = 0, 0
  each_figure(groups, function(f)
    low, high = math.min(low, f.low or f.value or 0), math.max(high, f.high or f.value or 0)
  end)
  if is_share then return { low = 0, high = 1, share = true } end
  if low == high then return { low = -1, high = 1, signed = true } end -- nothing but 0, or nothing
  local reach = nice(math.max(-low, high))
  return { low = low < 0 and -reach or 0, high = high > 0 and reach or 0, signed = low < 0 }
end

-- "<0.001" rather than a 0 that no test gives.
local function p_text(p)
  if not p then return "—" end
  return p < 0.001 and "<0.001" or ("%.3f"):format(p)
end

local function intervals(title, note, groups, is_share)
  local axis, with_p = axis_of(groups, is_share), false
  each_figure(groups, function(f) with_p = with_p or f.p ~= nil end)
  local head, body = { "", "Value", "95% interval", "n", with_p and "p (Holm)" or nil }, {}
  for _, group in ipairs(groups) do
    for _, f in ipairs(group.rows) do
      local span = f.value and f.low and ("[%.3f, %.3f]"):format(f.low, f.high) or "—"
      body[#body + 1] = { (group.name and group.name .. ": " or "") .. f.label,
        f.value and ("%.3f"):format(f.value) or "no data", span, tostring(f.n), with_p and p_text(f.p) or nil }
    end
  end
  return { kind = "intervals", title = title, note = note, axis = axis, groups = groups, head = head, body = body }
end

-- ---- rows of the results ----

local function many_personas(results)
  local personas = results.inputs.personas or {}
  return #personas > 1 or personas[1] and personas[1].name ~= "none"
end

local function name_of(results, row)
  return many_personas(results) and ("%s, %s"):format(row.model, row.persona) or row.model
end

-- Rows by suite, in their order; one group has no name.
local function by_suite(rows, fn)
  local groups, at = {}, {}
  for _, row in ipairs(rows) do
    if not at[row.suite] then
      at[row.suite] = { name = row.suite, rows = {} }
      groups[#groups + 1] = at[row.suite]
    end
    fn(at[row.suite].rows, row)
  end
  if #groups == 1 then groups[1].name = nil end
  return groups
end

local function count(groups)
  local n = 0
  for _, group in ipairs(groups) do n = n + #group.rows end
  return n
end

local function is_share(rows, metric)
  for _, row in ipairs(rows) do
    local m = row.metrics[metric]
    if m and (m.sd ~= nil or m.method == "t") then return false end
  end
  return true
end

local function primary_panel(results, rows)
  local metric = rows[1].primary
  if not metric then return nil end
  local groups = by_suite(rows, function(out, row)
    if row.metrics[metric] then out[#out + 1] = figure(name_of(results, row), row.metrics[metric]) end
  end)
  return intervals(sentence_case(metric), ("Judge %s, per model. Undecided, unscored, filtered and failed answers are "
    .. "left out; n is what remains."):format(rows[1].judge), groups, is_share(rows, metric))
end

-- What is measured beside the primary metric: shares together, each mean by itself, since its scale is its own.
local function other_panels(results, rows, out)
  local shares, note = {}, ("Judge %s, per model."):format(rows[1].judge)
  for _, metric in ipairs(report.metrics(rows[1])) do
    local group = { name = sentence_case(metric), rows = {} }
    for _, row in ipairs(metric ~= rows[1].primary and rows or {}) do
      local name = #results.inputs.suites > 1 and ("%s, %s"):format(row.suite, name_of(results, row))
        or name_of(results, row)
      if row.metrics[metric] then group.rows[#group.rows + 1] = figure(name, row.metrics[metric]) end
    end
    if #group.rows > 0 and is_share(rows, metric) then
      shares[#shares + 1] = group
    elseif #group.rows > 0 and #group.rows <= MAX_ROWS then
      out[#out + 1] = intervals(group.name, note, { { rows = group.rows } }, false)
    end
  end
  if #shares > 0 and count(shares) <= MAX_ROWS then
    out[#out + 1] = intervals("Other rates", note, shares, true)
  end
end

-- One model's shares: a row a persona, a column a category.
local function category_heat(results, one, metric, columns)
  if #columns < 2 or #columns > 8 then return nil end
  local lines, body, head = {}, {}, { "Persona" }
  for k, category in ipairs(columns) do head[k + 1] = category end
  for i, row in ipairs(one.rows) do
    lines[i], body[i] = { label = row.persona, cells = {} }, { row.persona }
    for k, category in ipairs(columns) do
      local part = row.categories[category]
      local f = part and part.metrics[metric] and figure(nil, part.metrics[metric]) or { n = 0 }
      lines[i].cells[k] = f
      body[i][k + 1] = f.value and ("%s, n = %d"):format(picture.said(f), f.n) or "no data"
    end
  end
  local name = #results.inputs.suites > 1 and ("%s, %s"):format(one.suite, one.model) or one.model
  return { kind = "heat", title = ("%s: %s"):format(sentence_case(metric), name), share = true, limit = 1,
    note = "By persona and category; the table has the intervals.", across = "Category", down = "Persona",
    columns = columns, rows = lines, head = head, body = body }
end

-- Where intervals would be too many: a map for each suite and model, of personas and categories.
local function category_heats(results, rows, out)
  local metric, order, at = rows[1].primary, {}, {}
  if not metric or not is_share(rows, metric) then return end
  for _, row in ipairs(rows) do
    local key = row.suite .. "\0" .. row.model
    if not at[key] then
      at[key] = { suite = row.suite, model = row.model, rows = {} }
      order[#order + 1] = at[key]
    end
    table.insert(at[key].rows, row)
  end
  if #order > MAX_HEATS then return end
  for _, one in ipairs(order) do
    local columns, seen = {}, {}
    for _, row in ipairs(one.rows) do
      for _, category in ipairs(report.categories(row)) do
        if not seen[category] then columns[#columns + 1], seen[category] = category, true end
      end
    end
    out[#out + 1] = category_heat(results, one, metric, columns)
  end
end

local function category_panel(results, rows, out)
  local metric, groups = rows[1].primary, {}
  for _, row in ipairs(rows) do
    local group = { name = by_suite(rows, function() end)[2] and ("%s, %s"):format(row.suite, name_of(results, row))
      or name_of(results, row), rows = {} }
    for _, category in ipairs(report.categories(row)) do
      local m = metric and row.categories[category].metrics[metric]
      if m then group.rows[#group.rows + 1] = figure(category, m) end
    end
    if #group.rows > 0 then groups[#groups + 1] = group end
  end
  if #groups == 0 then return end
  if count(groups) > MAX_ROWS then return category_heats(results, rows, out) end
  out[#out + 1] = intervals(sentence_case(metric) .. " by category", "The same within each category.", groups,
    is_share(rows, metric))
end

-- ---- what was answered ----

local function counts_of(part, labels)
  local counts = {}
  for i, label in ipairs(labels) do counts[i] = part.counts[label] or 0 end
  local rest = { part.undecided, part.unscored, part.filtered, part.generation_errors + part.judge_errors }
  return table.move(rest, 1, #rest, #counts + 1, counts)
end

local function rows_with_categories(rows)
  local n = #rows
  for _, row in ipairs(rows) do n = n + #report.categories(row) end
  return n
end

local function mix_panel(results, rows, labels)
  local parts, head = {}, { "" }
  for i, label in ipairs(labels) do parts[i] = { name = label, index = i } end
  for i, name in ipairs(LEFT_OUT) do parts[#parts + 1] = { name = name, left_out = i } end
  for i, part in ipairs(parts) do head[i + 1] = part.name end
  local groups, body = {}, {}
  local function add(group, label, part)
    local counts = counts_of(part, labels)
    group.rows[#group.rows + 1] = { label = label, counts = counts, total = part.total }
    local line = { (group.name and group.name .. ": " or "") .. label }
    for i, n in ipairs(counts) do line[i + 1] = tostring(n) end
    body[#body + 1] = line
  end
  local detailed = rows_with_categories(rows) <= MAX_ROWS
  for _, row in ipairs(rows) do
    local last = groups[#groups]
    if detailed then
      local group = { name = ("%s, %s"):format(row.suite, name_of(results, row)), rows = {} }
      groups[#groups + 1] = group
      add(group, "all", row)
      for _, category in ipairs(report.categories(row)) do add(group, category, row.categories[category]) end
    else
      if not last or last.name ~= row.suite then groups[#groups + 1] = { name = row.suite, rows = {} } end
      add(groups[#groups], name_of(results, row), row)
    end
  end
  return { kind = "bars", title = "What the answers were", head = head, body = body, parts = parts, groups = groups,
    note = ("Every answer, by what judge %s said of it; what no rate counts is hatched."):format(rows[1].judge) }
end

-- ---- contrasts ----

-- A share is one also where its interval is a t (shared tellings, repeats).
local function is_mean(c)
  return c.method == "t" and not c.rate
end

local function named_with_suite(results, c)
  local name = name_of(results, c)
  return #results.inputs.suites > 1 and ("%s, %s"):format(c.suite, name) or name
end

-- As many ids of incomplete clusters are named; results.json has them all.
local MAX_IDS = 10

local function incomplete_text(most, seen)
  local ids = {}
  for id in pairs(seen) do ids[#ids + 1] = id end
  table.sort(ids)
  local shown = table.concat(ids, ", ", 1, math.min(#ids, MAX_IDS))
  local more = #ids > MAX_IDS and (", and %d more"):format(#ids - MAX_IDS) or ""
  return ("Up to %d are incomplete and left out%s%s%s."):format(most, #ids > 0 and ": " or "", shown, more)
end

-- The overall figures of a judge's contrasts, of means or of shares.
local function contrast_panel(results, list, title, note, wanted)
  local groups, at, incomplete, missing = {}, {}, 0, {}
  for _, c in ipairs(list) do
    if not c.by and not c.exploratory and wanted(c) then
      incomplete = math.max(incomplete, c.incomplete or 0)
      for _, id in ipairs(c.incomplete_clusters or {}) do missing[id] = true end
      local name = sentence_case(c.name)
      if not at[name] then
        at[name] = { name = name, rows = {} }
        groups[#groups + 1] = at[name]
      end
      at[name].rows[#at[name].rows + 1] = figure(named_with_suite(results, c), c)
    end
  end
  if #groups == 0 or count(groups) > MAX_ROWS then return nil end
  local left_out = incomplete > 0 and incomplete_text(incomplete, missing) or nil
  local panel = intervals(title, left_out and note .. " " .. left_out or note, groups, false)
  panel.left_out = left_out
  return panel
end

local function level_text(level)
  return (tostring(math.type(level) == "float" and ("%g"):format(level) or level):gsub("_", " "))
end

-- The first contrast by each factor alone.
local function factor_panel(results, list)
  local first = list[1] and list[1].name
  local groups, at = {}, {}
  for _, c in ipairs(list) do
    if c.name == first and c.by and #c.by == 1 then
      local name = ("%s, %s"):format(name_of(results, c), sentence_case(c.by[1]):lower())
      if not at[name] then
        at[name] = { name = name, rows = {} }
        groups[#groups + 1] = at[name]
      end
      table.insert(at[name].rows, figure(level_text(c.level[1]), c))
    end
  end
  if #groups == 0 or count(groups) > MAX_ROWS then return nil end
  local note = "Exploratory: many small groups, read with care."
  return intervals(sentence_case(first) .. " by factor", note, groups, false)
end

local function index_of(list, value)
  for i, item in ipairs(list) do
    if item == value then return i end
  end
  list[#list + 1] = value
  return #list
end

-- One contrast of one model over two factors. The factor with the longer words stands at the side.
local function heat_panel(results, cells)
  local a, b, longest = {}, {}, { 0, 0 }
  for _, c in ipairs(cells) do
    for i, list in ipairs { a, b } do
      local text = level_text(c.level[i])
      index_of(list, text)
      longest[i] = math.max(longest[i], #text)
    end
  end
  local side, top = 1, 2
  if longest[2] > longest[1] then side, top = 2, 1 end
  local lists, reach = { a, b }, 0
  local rows, first = {}, cells[1]
  for i, label in ipairs(lists[side]) do rows[i] = { label = label, cells = {} } end
  for _, c in ipairs(cells) do
    local r, k = index_of(lists[side], level_text(c.level[side])), index_of(lists[top], level_text(c.level[top]))
    rows[r].cells[k] = figure(nil, c)
    reach = math.max(reach, math.abs(number(c.value) or 0))
  end
  local head, body = { sentence_case(first.by[side]) }, {}
  for k, label in ipairs(lists[top]) do head[k + 1] = ("%s %s"):format(sentence_case(first.by[top]), label) end
  for i, row in ipairs(rows) do
    body[i] = { row.label }
    for k = 1, #lists[top] do
      row.cells[k] = row.cells[k] or { n = 0 }
      local f = row.cells[k]
      body[i][k + 1] = f.value and ("%s, n = %d"):format(picture.said(f, true), f.n) or "no data"
    end
  end
  return { kind = "heat", title = ("%s: %s"):format(sentence_case(first.name), name_of(results, first)),
    note = ("By %s and %s; n is the number of clusters in a cell."):format(sentence_case(first.by[top]):lower(),
      sentence_case(first.by[side]):lower()),
    limit = nice(reach), columns = lists[top], across = sentence_case(first.by[top]),
    down = sentence_case(first.by[side]), rows = rows, head = head, body = body }
end

local function heat_panels(results, list)
  local order, cells, out = {}, {}, {}
  for _, c in ipairs(list) do
    if c.by and #c.by == 2 then
      local key = table.concat({ c.name, c.suite, c.model, c.persona }, "\0")
      if not cells[key] then
        cells[key] = {}
        order[#order + 1] = key
      end
      table.insert(cells[key], c)
    end
  end
  table.sort(order, function(x, y) -- all models of one contrast beside each other
    return x < y
  end)
  if #order > MAX_HEATS * 3 then return out end
  for i, key in ipairs(order) do out[i] = heat_panel(results, cells[key]) end
  return out
end

local function contrast_panels(results, judge, out)
  local list = {}
  for _, c in ipairs(results.contrasts or {}) do
    if c.judge == judge then list[#list + 1] = c end
  end
  local function add(panel) out[#out + 1] = panel end
  add(contrast_panel(results, list, "Effects", "Differences of scores within a cluster, averaged over clusters; 0 is "
    .. "no effect. n is the number of complete clusters.", is_mean))
  add(contrast_panel(results, list, "Shares and uplifts", "Shares of clusters, and differences of shares. n is the "
    .. "number of complete clusters.", function(c) return not is_mean(c) end))
  for _, panel in ipairs(heat_panels(results, list)) do add(panel) end
  add(factor_panel(results, list))
end

-- ---- two judges on one answer ----

local function joint_panel(results)
  local groups = {}
  for i, row in ipairs(results.joint or {}) do
    local rows = {}
    for k, one in ipairs { { row.inner .. " alone", row.inner_rate }, { row.outer .. " alone", row.outer_rate },
      { "either", row.joint_rate } } do
      rows[k] = figure(one[1], one[2])
      rows[k].n = rows[k].n or row.n
    end
    groups[i] = { name = ("%s, %s"):format(row.suite, name_of(results, row)), rows = rows }
  end
  if #groups == 0 or count(groups) > MAX_ROWS then return nil end
  return intervals("Two judges together", "Of the answers on which both gave a label.", groups, true)
end

-- ---- all of them ----

---The rows of one judge.
function picture.rows(results, judge)
  local rows = {}
  for _, row in ipairs(results.rows) do
    if row.judge == judge then rows[#rows + 1] = row end
  end
  return rows
end

---The panels of a run, by judge: `{ judge, panels }` each. Larger ones than a picture can hold are left out; tables and
---results.json have them.
---@param results table
---@return { judge: string, rows: table[], panels: table[] }[]
function picture.sections(results)
  local out = {}
  for i, judge in ipairs(report.judges(results)) do
    local rows, panels = picture.rows(results, judge), {}
    panels[#panels + 1] = primary_panel(results, rows)
    panels[#panels + 1] = mix_panel(results, rows, report.labels(results, rows, judge))
    category_panel(results, rows, panels)
    contrast_panels(results, judge, panels)
    other_panels(results, rows, panels)
    if i == 1 then panels[#panels + 1] = joint_panel(results) end
    out[i] = { judge = judge, rows = rows, panels = panels }
  end
  return out
end

return picture
