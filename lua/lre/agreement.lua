-- agreement: two raters on the same answers, from pairs of labels: kappa with its interval, the table, both marginals.
local json = require "lre.json"
local report = require "lre.report"
local stats = require "lre.stats"

local agreement = {}

-- Landis & Koch 1977, Biometrics 33:159, table on p. 165. A convention, not a test.
local BANDS = { { 0.2, "slight" }, { 0.4, "fair" }, { 0.6, "moderate" }, { 0.8, "substantial" },
  { math.huge, "almost perfect" } }
agreement.source = "Landis & Koch 1977"

---The band of a kappa.
---@param kappa number
---@return string
function agreement.band(kappa)
  if kappa < 0 then return "poor" end
  for _, band in ipairs(BANDS) do
    if kappa <= band[1] then return band[2] end
  end
end

---x of n as { value, low, high, n, x }; value nil where n is 0.
function agreement.share(x, n, confidence)
  if n == 0 then return { n = 0, x = 0 } end
  local i = assert(stats.wilson(x, n, confidence))
  return { value = i.value, low = i.low, high = i.high, n = n, x = x }
end

---An empty square table of counts.
function agreement.table(labels)
  local rows = {}
  for i = 1, #labels do
    rows[i] = {}
    for j = 1, #labels do rows[i][j] = 0 end
  end
  return rows
end

local function sums(rows)
  local by_row, by_column, n = {}, {}, 0
  for i, row in ipairs(rows) do
    for j, count in ipairs(row) do
      by_row[i], by_column[j], n = (by_row[i] or 0) + count, (by_column[j] or 0) + count, n + count
    end
  end
  return by_row, by_column, n
end

---What a table of counts says: { labels, table, n, agreed, kappa | undefined, band, a, b }. Rows are the first rater's.
---`kappa` has low, high, se; where it is undefined `undefined` says why. a, b: each label's share.
---@param labels string[]
---@param rows integer[][]
---@param confidence number
function agreement.of(labels, rows, confidence)
  local by_row, by_column, n = sums(rows)
  local out = { labels = json.array(labels), table = rows, n = n, a = {}, b = {} }
  local agreed = 0
  for i, label in ipairs(labels) do
    agreed = agreed + rows[i][i]
    out.a[label] = agreement.share(by_row[i], n, confidence)
    out.b[label] = agreement.share(by_column[i], n, confidence)
  end
  out.agreed = agreement.share(agreed, n, confidence)
  if n == 0 then
    out.undefined = "no data: no row has a label from both"
    return out
  end
  local kappa, err = stats.kappa(rows, confidence)
  if kappa then
    out.kappa, out.band = kappa, agreement.band(kappa.kappa)
  elseif err.code == "undefined" then
    out.undefined = "both give every row the same label, so that chance alone would agree always"
  else
    error(err, 0)
  end
  return out
end

---"0.484 [0.214, 0.755]".
function agreement.interval(x, digits)
  local form = ("%%.%df [%%.%df, %%.%df]"):format(digits or 4, digits or 4, digits or 4)
  return form:format(x.value or x.kappa, x.low, x.high)
end

---"0.600 [0.357, 0.802] (9/15)", "no data".
function agreement.share_text(share)
  if share.n == 0 then return "no data" end
  return ("%s (%d/%d)"):format(agreement.interval(share), share.x, share.n)
end

---One line on kappa.
function agreement.kappa_text(out, confidence)
  if not out.kappa then return "Kappa: undefined (" .. out.undefined .. ")" end
  local flat = ""
  if out.kappa.low == out.kappa.high then
    flat = ("; %s: the large-sample interval has no width"):format(out.agreed.x == out.n and "all agree" or
      "no spread in the table")
  end
  return ("Kappa: %s (%g%%, n = %d): %s (%s)%s"):format(agreement.interval(out.kappa), confidence * 100, out.n,
    out.band, agreement.source, flat)
end

---The table of counts in Markdown. `more`: further columns { name, counts by row's label }.
function agreement.table_text(out, corner, more)
  local head, body = { corner }, {}
  for _, label in ipairs(out.labels) do head[#head + 1] = label end
  for _, column in ipairs(more or {}) do head[#head + 1] = column.name end
  for i, label in ipairs(out.labels) do
    body[i] = table.move(out.table[i], 1, #out.labels, 2, { label })
    for _, column in ipairs(more or {}) do table.insert(body[i], column.counts[label] or 0) end
  end
  return report.table(head, body)
end

---A copy with every float at 12 significant digits, for canonical JSON.
function agreement.rounded(value)
  if math.type(value) == "float" then return json.round(value) end
  if type(value) ~= "table" then return value end
  local out = json.is_array(value) and json.array {} or {}
  for key, inner in pairs(value) do out[key] = agreement.rounded(inner) end
  return out
end

return agreement
