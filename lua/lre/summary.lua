-- summary: summary.csv, a line a model (suite, persona, judge), and a line a category of suites without contrasts. Of
-- triplets the second seed's columns come first, under its names and with its meaning; a blank is "no data".
local csv = require "lre.csv"
local shape = require "lre.shape"
local report = require "lre.report"

local summary = {}

local present = shape.present

-- With so many decimals; "" where there is nothing; no minus on a zero.
local function decimal(value, digits)
  value = present(value)
  if value == nil then return "" end
  local text = ("%.*f"):gsub("%*", tostring(digits)):format(value)
  return text:find "[1-9]" and text or (text:gsub("^-", ""))
end

-- ---- contrasts of a row ----

local function key_of(one)
  return table.concat({ one.suite, one.model, one.persona or "", one.judge }, "\0")
end

-- Those of a whole row (not of a factor's level), by row and name.
local function by_row(data)
  local out = {}
  for _, one in ipairs(data.contrasts or {}) do
    if not one.by then
      local key = key_of(one)
      out[key] = out[key] or {}
      out[key][one.name] = one
    end
  end
  return out
end

-- Names in the order in which they come.
local function names_of(list, name)
  local seen, out = {}, {}
  for _, one in ipairs(list) do
    for _, word in ipairs(name(one)) do
      if not seen[word] then out[#out + 1] = word end
      seen[word] = true
    end
  end
  return out
end

-- The two sides of triplets, by the contrasts that are about them.
local function sides_of(data)
  return names_of(data.contrasts or {}, function(one) return { one.name:match "^uplift_(.+)$" } end)
end

-- ---- the seed's columns ----

local BINS = { "neg", "neu", "pos" }

local function share(part, label)
  if not part or part.counts[label] == nil then return nil end
  local n = 0
  for _, bin in ipairs(BINS) do n = n + (part.counts[bin] or 0) end
  if n > 0 then return part.counts[label] / n, n end
  return nil, 0
end

local function seed_header(sides)
  local out = { "mean_score", "p_neg", "p_neu", "p_pos" }
  for _, side in ipairs(sides) do
    table.move({ side .. "_n", side .. "_agree_p", side .. "_uplift" }, 1, 3, #out + 1, out)
  end
  return out
end

local function seed_fields(row, sides, mine)
  local mean = row.metrics.mean_score
  local out = { decimal(mean and mean.value, 4) }
  for _, bin in ipairs(BINS) do out[#out + 1] = decimal(share(row, bin), 4) end
  for _, side in ipairs(sides) do
    local uplift, part = mine["uplift_" .. side], row.categories[side]
    local agree, n = share(part, uplift and uplift.rate or "")
    -- The seed's uplift: against neutral answers pooled over all models by amount and relationship.
    local value = uplift and (uplift.pooled ~= nil and uplift.pooled or uplift.value)
    table.move({ n and ("%d"):format(n) or "", decimal(agree, 4), decimal(value, 4) }, 1, 3, #out + 1, out)
  end
  return out
end

-- ---- a line ----

local COUNTS = { "truncated", "filtered", "undecided", "unscored", "generation_errors", "judge_errors" }

local function judged(part)
  return part.total - report.left_out(part)
end

local function metric_fields(out, part, metrics)
  for _, name in ipairs(metrics) do
    local m = part.metrics[name] or {}
    table.move({ decimal(m.value, 6), m.n and ("%d"):format(m.n) or "", decimal(m.low, 6), decimal(m.high, 6) }, 1, 4,
      #out + 1, out)
  end
end

local function contrast_fields(out, mine, contrasts)
  for _, name in ipairs(contrasts) do
    local c = mine[name] or {}
    local boot = c.bootstrap or {}
    table.move({ decimal(c.value, 6), c.n and ("%d"):format(c.n) or "",
      c.incomplete and ("%d"):format(c.incomplete) or "", decimal(c.low, 6), decimal(c.high, 6), decimal(boot.low, 6),
      decimal(boot.high, 6), decimal(c.p_holm, 6) }, 1, 8, #out + 1, out)
  end
end

-- ---- what a persona changes ----

local function difference_key(one, metric)
  return table.concat({ one.suite, one.judge, one.model or "", one.persona or "", metric }, "\0")
end

-- Of a persona, over all models or of one: such lines alone have them.
local function difference_fields(out, row, at, category)
  local whole = category == "" and row.persona and not row.subcategory
  for _, metric in ipairs(at.differences) do
    local d = whole and at.difference[difference_key(row, metric)] or {}
    table.move({ decimal(d.value, 6), d.n and ("%d"):format(d.n) or "", decimal(d.low, 6), decimal(d.high, 6),
      decimal(d.p_holm, 6) }, 1, 5, #out + 1, out)
  end
end

local function header(at)
  local out = { "model_id", "n" }
  local function add(list) table.move(list, 1, #list, #out + 1, out) end
  if #at.sides > 0 then add(seed_header(at.sides)) end
  add { "suite", "persona", "judge", "category" }
  if at.cells then add { "subcategory", "by" } end
  add { "judged" }
  add(COUNTS)
  for _, name in ipairs(at.metrics) do add { name, name .. "_n", name .. "_low", name .. "_high" } end
  for _, name in ipairs(at.differences) do
    name = name .. "_less_control"
    add { name, name .. "_n", name .. "_low", name .. "_high", name .. "_p_holm" }
  end
  for _, name in ipairs(at.contrasts) do
    add { name, name .. "_n", name .. "_incomplete", name .. "_low", name .. "_high", name .. "_boot_low",
      name .. "_boot_high", name .. "_p_holm" }
  end
  return out
end

local function line(at, row, category, part, mine)
  local out = { row.model or "", ("%d"):format(part.total) }
  local function add(list) table.move(list, 1, #list, #out + 1, out) end
  if #at.sides > 0 then add(seed_fields(row, at.sides, mine)) end
  add { row.suite, row.persona or "", row.judge, category }
  if at.cells then add { row.subcategory or "", row.by and table.concat(row.by, " ") or "" } end
  add { ("%d"):format(row.judged or judged(part)) }
  for _, name in ipairs(COUNTS) do out[#out + 1] = part[name] and ("%d"):format(part[name]) or "" end
  metric_fields(out, part, at.metrics)
  difference_fields(out, row, at, category)
  contrast_fields(out, mine, at.contrasts)
  for i, field in ipairs(out) do out[i] = report.plain(field) end
  return csv.format(out)
end

---The text of summary.csv. The columns are those of docs/files.md.
---@param data table results
---@return string
function summary.csv(data)
  local at = { sides = sides_of(data), metrics = names_of(data.rows, report.metrics),
    contrasts = names_of(data.contrasts or {}, function(one) return { not one.by and one.name or nil } end) }
  at.cells, at.difference = data.cells, {}
  at.differences = names_of(data.differences or {}, function(one) return { one.metric } end)
  for _, one in ipairs(data.differences or {}) do at.difference[difference_key(one, one.metric)] = one end
  local contrasts, lines = by_row(data), { csv.format(header(at)) }
  local rows = table.move(data.rows, 1, #data.rows, 1, {})
  table.sort(rows, function(a, b)
    for _, field in ipairs { "model", "suite", "persona", "judge" } do
      if a[field] ~= b[field] then return a[field] < b[field] end
    end
    return false
  end)
  for _, row in ipairs(rows) do
    local mine = contrasts[key_of(row)] or {}
    lines[#lines + 1] = line(at, row, "", row, mine)
    for _, category in ipairs(next(mine) and {} or report.categories(row)) do
      lines[#lines + 1] = line(at, row, category, row.categories[category], {})
    end
  end
  for _, cell in ipairs(data.cells or {}) do
    lines[#lines + 1] = line(at, cell, cell.category or "", cell, {})
  end
  return table.concat(lines)
end

return summary
