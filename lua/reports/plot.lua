-- plot: the pictures of a run in a terminal: 80 columns of plain ASCII, the same everywhere.
local lre = require "lre"
local picture = require "lre.picture"
local report = require "lre.report"
local text = require "lre.text"

local WIDTH, LABEL, NUMBERS = 80, 24, 32
local CANVAS = WIDTH - LABEL - NUMBERS - 2
local BAR = WIDTH - LABEL - 11
local FILLS = { "#", "=", "+", "o", "x", "%", "@", "*" }

local function fitted(s, width)
  s = report.plain(s)
  if text.columns(s) > width then
    local out = ""
    for _, code in utf8.codes(s) do
      if text.columns(out .. utf8.char(code)) > width - 1 then break end
      out = out .. utf8.char(code)
    end
    s = out .. "~"
  end
  return s .. (" "):rep(width - text.columns(s))
end

-- ---- intervals ----

local function column(axis, value)
  local share = (math.max(axis.low, math.min(axis.high, value)) - axis.low) / (axis.high - axis.low)
  return 1 + math.floor(share * (CANVAS - 1) + 0.5)
end

-- ":" is 0 where there are values on both sides of it.
local function whisker(axis, f)
  local cells = {}
  for i = 1, CANVAS do cells[i] = " " end
  if f.value and f.low then
    for i = column(axis, f.low), column(axis, f.high) do cells[i] = "-" end
  end
  if axis.low < 0 then cells[column(axis, 0)] = ":" end
  if f.value and f.low then cells[column(axis, f.low)], cells[column(axis, f.high)] = "|", "|" end
  if f.value then cells[column(axis, f.value)] = "o" end
  return table.concat(cells)
end

-- A name that does not fit has a line of its own.
local function named(out, name)
  name = "  " .. report.plain(name)
  if text.columns(name) <= LABEL then return name .. (" "):rep(LABEL - text.columns(name)) end
  out[#out + 1] = name
  return (" "):rep(LABEL)
end

local function axis_line(axis)
  local low, high = ("%g"):format(axis.low), ("%g"):format(axis.high)
  local line = (" "):rep(LABEL + 1) .. low .. (" "):rep(CANVAS - #low - #high) .. high
  local zero = LABEL + 1 + column(axis, 0)
  if axis.low >= 0 or axis.high <= 0 or line:sub(zero, zero) ~= " " then return line end
  return line:sub(1, zero - 1) .. "0" .. line:sub(zero + 1)
end

local function intervals(out, panel)
  for _, group in ipairs(panel.groups) do
    if group.name then out[#out + 1] = report.plain(group.name) end
    for _, f in ipairs(group.rows) do
      local name = named(out, f.label)
      out[#out + 1] = ("%s %s %s n=%d"):format(name, whisker(panel.axis, f), picture.said(f, panel.axis.signed), f.n)
    end
  end
  out[#out + 1] = axis_line(panel.axis)
end

-- ---- bars ----

-- Whole characters that add up to the bar: each piece ends where its share ends.
local function bar_of(panel, row)
  local pieces, sum, done = {}, 0, 0
  for i, part in ipairs(panel.parts) do
    sum = sum + row.counts[i]
    local to = math.floor(sum / math.max(1, row.total) * BAR + 0.5)
    pieces[i] = (part.left_out and "." or FILLS[(part.index - 1) % #FILLS + 1]):rep(to - done)
    done = to
  end
  return table.concat(pieces)
end

local function bars(out, panel)
  local legend = {}
  for _, part in ipairs(panel.parts) do
    if not part.left_out then
      legend[#legend + 1] = FILLS[(part.index - 1) % #FILLS + 1] .. " " .. report.plain(part.name)
    end
  end
  out[#out + 1] = table.concat(legend, "  ") .. "  . left out"
  for _, group in ipairs(panel.groups) do
    out[#out + 1] = report.plain(group.name)
    for _, row in ipairs(group.rows) do
      local bar, name = bar_of(panel, row), named(out, row.label)
      out[#out + 1] = ("%s [%s%s] n=%d"):format(name, bar, (" "):rep(BAR - #bar), row.total)
    end
  end
end

-- ---- heat maps ----

local function heat(out, panel)
  local width = math.max(9, (WIDTH - LABEL) // #panel.columns - 1)
  local function line(label, cells)
    local parts = { named(out, label) }
    for i, cell in ipairs(cells) do parts[i + 1] = fitted(cell, width) end
    out[#out + 1] = (table.concat(parts, " "):gsub("%s+$", ""))
  end
  out[#out + 1] = ("%s down, %s across"):format(report.plain(panel.down), report.plain(panel.across))
  line("", panel.columns)
  for _, row in ipairs(panel.rows) do
    local cells = {}
    local spec = panel.share and "%.2f n=%d" or "%+.2f n=%d"
    for k, f in ipairs(row.cells) do cells[k] = f.value and spec:format(f.value, f.n) or "no data" end
    line(row.label, cells)
  end
end

local DRAW = { intervals = intervals, bars = bars, heat = heat }

return lre.report {
  name = "plot",
  summary = "the pictures in a terminal: intervals, shares, heat maps (text)",
  render = function(results, opt)
    local out = opt.title and { report.plain(opt.title), "" } or {}
    local sections = picture.sections(results)
    for _, section in ipairs(sections) do
      if #sections > 1 then out[#out + 1] = ("== Judge %s =="):format(report.plain(section.judge)) end
      for _, panel in ipairs(section.panels) do
        out[#out + 1] = report.plain(panel.title)
        out[#out + 1] = ("-"):rep(math.min(WIDTH, text.columns(report.plain(panel.title))))
        DRAW[panel.kind](out, panel)
        if panel.left_out then out[#out + 1] = report.plain(panel.left_out) end
        out[#out + 1] = ""
      end
    end
    if #sections == 0 then out[#out + 1] = "No data: no answer was judged." end
    return (table.concat(out, "\n"):gsub("\n+$", "")) .. "\n"
  end,
}
