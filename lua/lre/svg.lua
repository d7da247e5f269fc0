-- svg: draws the panels of lre.picture. 360 units wide, so that a phone shows the letters at their size; what is beside
-- the drawing (heading, note, table) is the caller's. Text comes from models and judges: everything is escaped here.
local picture = require "lre.picture"
local text = require "lre.text"

local svg = {}

svg.WIDTH = 360
local MARGIN = 14
local RIGHT = svg.WIDTH - MARGIN
local PARTS, STEPS = 8, 4

-- ---- colours ----

-- Class, property, light, dark. Text on its ground has a contrast of 4.5 and more, marks of 3 (WCAG 2.1 AA); a test
-- holds them to it.
svg.COLOURS = {
  { "bg", "fill", "#ffffff", "#14161a" }, { "ink", "fill", "#1a1a1a", "#f0f0f0" },
  { "soft", "fill", "#555555", "#b4b8be" }, { "axis", "stroke", "#767676", "#8b9098" },
  { "mark", "stroke", "#0b5cad", "#6cb2ff" }, { "dot", "fill", "#0b5cad", "#6cb2ff" },
  { "p1", "fill", "#0b5cad", "#6cb2ff" }, { "p2", "fill", "#a84300", "#ff9d5c" },
  { "p3", "fill", "#2b6b3a", "#7fd08f" }, { "p4", "fill", "#7a3e9d", "#d0a0f0" },
  { "p5", "fill", "#7a6000", "#e0c050" }, { "p6", "fill", "#8c2f5f", "#f09ac0" },
  { "p7", "fill", "#00676b", "#5fc9cd" }, { "p8", "fill", "#5f5f5f", "#b8b8b8" },
  { "on", "fill", "#ffffff", "#14161a" }, -- text on p1 to p8 and on the strongest cells
  { "hatch", "stroke", "#767676", "#8b9098" },
  { "hm4", "fill", "#a84300", "#ff9d5c" }, { "hm3", "fill", "#f0994a", "#7d4510" },
  { "hm2", "fill", "#f9c28e", "#5e3d1f" }, { "hm1", "fill", "#fde3c8", "#3d2f22" },
  { "h0", "fill", "#f2f2f2", "#2a2d33" },
  { "hp1", "fill", "#d7e6f7", "#1f3348" }, { "hp2", "fill", "#a9cbef", "#23486f" },
  { "hp3", "fill", "#6aa8e6", "#24588c" }, { "hp4", "fill", "#0b5cad", "#6cb2ff" },
}

local function rules(column)
  local out = {}
  for i, c in ipairs(svg.COLOURS) do out[i] = (".lre .%s{%s:%s}"):format(c[1], c[2], c[column]) end
  return table.concat(out)
end

---The style of every drawing: put it once into a page, or into an SVG file.
function svg.style()
  return ".lre{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px}"
    .. ".lre .b{font-weight:600}.lre .s{font-size:11px}.lre .axis,.lre .mark{fill:none}"
    .. ".lre .none{fill:none}" .. rules(3) .. "@media (prefers-color-scheme:dark){" .. rules(4) .. "}"
end

-- ---- pieces ----

---Foreign text inside XML or HTML: no markup, no control characters, nothing that XML does not allow.
function svg.escape(s)
  return (text.html(text.terminal(tostring(s))):gsub("\xEF\xBF[\xBE\xBF]", "\u{FFFD}"))
end

-- A coordinate: one decimal, the same on every machine.
local function at(x)
  return (("%.1f"):format(x):gsub("%.0$", ""))
end

-- About how wide a text is: letters of a sans-serif are seldom wider than this share of their size.
local function width_of(s, size)
  return text.columns(text.terminal(s)) * size * 0.58
end

local function clipped(s, size, room)
  s = text.terminal(s)
  if width_of(s, size) <= room then return s end
  local out = ""
  for _, code in utf8.codes(s) do
    local longer = out .. utf8.char(code)
    if width_of(longer .. "…", size) > room then break end
    out = longer
  end
  return out .. "…"
end

local function label(x, y, class, s, room, anchor)
  local size = class:find "%f[%w]s%f[%W]" and 11 or class:find "%f[%w]b%f[%W]" and 13 or 12 -- bold letters are wider
  local short = room and clipped(s, size, room) or text.terminal(s)
  local whole = short ~= text.terminal(s) and "<title>" .. svg.escape(s) .. "</title>" or ""
  return ('<text x="%s" y="%s" class="%s"%s>%s%s</text>'):format(at(x), at(y), class,
    anchor and (' text-anchor="%s"'):format(anchor) or "", svg.escape(short), whole)
end

local function line(x1, y1, x2, y2, class, stroke)
  return ('<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s" stroke-width="%s"/>'):format(at(x1), at(y1), at(x2), at(y2),
    class, at(stroke or 1))
end

local function rect(x, y, w, h, class)
  return ('<rect x="%s" y="%s" width="%s" height="%s" class="%s"/>'):format(at(x), at(y), at(w), at(h), class)
end

-- A group's name, on as many lines as its parts need: "suite, model, persona".
local function heading(out, name, y)
  local current
  for part in (name .. ", "):gmatch "(.-), " do
    local longer = current and current .. ", " .. part or part
    if current and width_of(longer, 13) > RIGHT - MARGIN then
      out[#out + 1] = label(MARGIN, y + 16, "ink b", current, RIGHT - MARGIN)
      y, current = y + 15, part
    else
      current = longer
    end
  end
  out[#out + 1] = label(MARGIN, y + 16, "ink b", current, RIGHT - MARGIN)
  return y + 18
end

-- ---- intervals ----

local function x_of(axis, value)
  local share = (math.max(axis.low, math.min(axis.high, value)) - axis.low) / (axis.high - axis.low)
  return MARGIN + share * (RIGHT - MARGIN)
end

local function ticks_of(axis)
  local out, n = {}, axis.low < 0 and axis.high > 0 and 4 or axis.share and 4 or 2
  for i = 0, n do out[i + 1] = axis.low + (axis.high - axis.low) * i / n end
  return out
end

local function draw_figure(out, axis, f, y)
  local said = ("%s  n = %d"):format(picture.said(f, axis.signed), f.n)
  local both = width_of(f.label, 12) + width_of(said, 11) + 10 <= RIGHT - MARGIN
  out[#out + 1] = label(MARGIN, y + 14, "ink", f.label, RIGHT - MARGIN)
  if not both then y = y + 15 end
  out[#out + 1] = label(RIGHT, y + 14, "soft s", said, nil, "end")
  local middle = y + 24
  out[#out + 1] = line(MARGIN, middle, RIGHT, middle, "axis", 0.3)
  if axis.low < 0 then out[#out + 1] = line(x_of(axis, 0), middle - 6, x_of(axis, 0), middle + 6, "axis", 1.5) end
  if f.value then
    if f.low then
      local low, high = x_of(axis, f.low), x_of(axis, f.high)
      out[#out + 1] = line(low, middle, high, middle, "mark", 2.5)
      out[#out + 1] = line(low, middle - 4, low, middle + 4, "mark", 1.5)
      out[#out + 1] = line(high, middle - 4, high, middle + 4, "mark", 1.5)
    end
    out[#out + 1] = ('<circle cx="%s" cy="%s" r="4.5" class="dot"/>'):format(at(x_of(axis, f.value)), at(middle))
  end
  return middle + 8
end

local function draw_axis(out, axis, y)
  out[#out + 1] = line(MARGIN, y, RIGHT, y, "axis")
  for i, tick in ipairs(ticks_of(axis)) do
    local x = x_of(axis, tick)
    out[#out + 1] = line(x, y, x, y + 4, "axis")
    local anchor = tick == axis.low and i == 1 and "start" or tick == axis.high and "end" or "middle"
    out[#out + 1] = label(x, y + 16, "soft s", ("%g"):format(tick), nil, anchor)
  end
  return y + 22
end

local function draw_intervals(out, panel)
  local y = 2
  for _, group in ipairs(panel.groups) do
    if group.name then y = heading(out, group.name, y) end
    for _, f in ipairs(group.rows) do y = draw_figure(out, panel.axis, f, y) end
    y = y + 4
  end
  return draw_axis(out, panel.axis, y + 2)
end

-- ---- bars ----

local function part_class(index)
  return "p" .. ((index - 1) % PARTS + 1)
end

-- What no rate counts is one hatched piece: which kind it is, the table says.
local function pieces_of(panel, row)
  local out, left_out = {}, 0
  for i, part in ipairs(panel.parts) do
    if part.left_out then
      left_out = left_out + row.counts[i]
    else
      out[#out + 1] = { n = row.counts[i], class = part_class(part.index) }
    end
  end
  out[#out + 1] = { n = left_out, hatched = true }
  return out
end

local function hatched(out, id, x, y, w, h)
  out[#out + 1] = ('<rect x="%s" y="%s" width="%s" height="%s" style="fill:url(#%s)" class="axis"/>'):format(at(x),
    at(y), at(w), at(h), id)
end

local function draw_bar(out, panel, row, y, id)
  out[#out + 1] = label(MARGIN, y + 13, "ink", row.label, 240)
  local n = row.total == 0 and "no data" or ("n = %d"):format(row.total)
  out[#out + 1] = label(RIGHT, y + 13, "soft s", n, nil, "end")
  local x, scale = MARGIN, (RIGHT - MARGIN) / math.max(1, row.total)
  for _, piece in ipairs(pieces_of(panel, row)) do
    local w = piece.n * scale
    if piece.n > 0 and piece.hatched then hatched(out, id, x, y + 18, math.max(0.5, w - 1), 17) end
    if piece.n > 0 and not piece.hatched then out[#out + 1] = rect(x, y + 18, math.max(0.5, w - 1), 17, piece.class) end
    if piece.n > 0 and not piece.hatched and w > width_of(tostring(piece.n), 11) + 6 then
      out[#out + 1] = label(x + w / 2, y + 30.5, "on s", tostring(piece.n), nil, "middle")
    end
    x = x + w
  end
  return y + 42
end

local function any_left_out(panel)
  for _, group in ipairs(panel.groups) do
    for _, row in ipairs(group.rows) do
      for i, part in ipairs(panel.parts) do
        if part.left_out and row.counts[i] > 0 then return true end
      end
    end
  end
  return false
end

local function draw_legend(out, panel, id)
  local x, y, seen = MARGIN, 4, not any_left_out(panel)
  for _, part in ipairs(panel.parts) do
    local name = part.left_out and "left out" or part.name
    if not (part.left_out and seen) then
      local w = math.min(width_of(name, 11) + 26, RIGHT - MARGIN)
      if x + w > RIGHT then x, y = MARGIN, y + 18 end
      if part.left_out then
        hatched(out, id, x, y, 11, 11)
      else
        out[#out + 1] = rect(x, y, 11, 11, part_class(part.index))
      end
      out[#out + 1] = label(x + 16, y + 10, "ink s", name, RIGHT - MARGIN - 20)
      x, seen = x + w, seen or part.left_out
    end
  end
  return y + 20
end

local function draw_bars(out, panel, prefix)
  local id = prefix .. "-hatch"
  out[#out + 1] = ('<defs><pattern id="%s" width="5" height="5" patternUnits="userSpaceOnUse" '
    .. 'patternTransform="rotate(45)"><rect width="5" height="5" class="bg"/><line x1="0" y1="0" x2="0" y2="5" '
    .. 'class="hatch" stroke-width="2"/></pattern></defs>'):format(id)
  local y = draw_legend(out, panel, id)
  for _, group in ipairs(panel.groups) do
    y = heading(out, group.name, y)
    for _, row in ipairs(group.rows) do y = draw_bar(out, panel, row, y, id) end
  end
  return y
end

-- ---- heat maps ----

local function heat_class(value, limit)
  local step = math.floor(math.abs(value) / limit * STEPS + 0.5)
  if step == 0 then return "h0", "ink" end
  return (value < 0 and "hm" or "hp") .. math.min(step, STEPS), step >= STEPS and "on" or "ink"
end

local function draw_cell(out, panel, f, x, y, w)
  if not f.value then
    out[#out + 1] = rect(x, y, w - 2, 34, "axis")
    out[#out + 1] = label(x + w / 2 - 1, y + 21, "soft s", "no data", nil, "middle")
    return
  end
  local ground, ink = heat_class(f.value, panel.limit)
  out[#out + 1] = rect(x, y, w - 2, 34, ground)
  out[#out + 1] = label(x + w / 2 - 1, y + 15, ink, (panel.share and "%.2f" or "%+.2f"):format(f.value), nil, "middle")
  out[#out + 1] = label(x + w / 2 - 1, y + 29, ink .. " s", ("n = %d"):format(f.n), nil, "middle")
end

local function draw_heat(out, panel)
  local side = 0
  for _, row in ipairs(panel.rows) do side = math.max(side, width_of(row.label, 12)) end
  local most = math.max(130, RIGHT - MARGIN - 62 * #panel.columns) -- what the numbers leave
  side = math.min(most, math.max(side, width_of(panel.down, 11)) + 8)
  local w = (RIGHT - MARGIN - side) / #panel.columns
  out[#out + 1] = label(MARGIN + side, 14, "soft s", panel.across, RIGHT - MARGIN - side)
  out[#out + 1] = label(MARGIN, 30, "soft s", panel.down, side)
  for k, name in ipairs(panel.columns) do
    out[#out + 1] = label(MARGIN + side + (k - 0.5) * w - 1, 30, "ink", name, w - 4, "middle")
  end
  local y = 36
  for _, row in ipairs(panel.rows) do
    out[#out + 1] = label(MARGIN, y + 21, "ink", row.label, side - 4)
    for k, f in ipairs(row.cells) do draw_cell(out, panel, f, MARGIN + side + (k - 1) * w, y, w) end
    y = y + 36
  end
  local legend = panel.share and "The bluer, the nearer to 1."
    or ("Orange is below 0, blue above; the strongest is %g."):format(panel.limit)
  out[#out + 1] = label(MARGIN, y + 14, "soft s", legend)
  return y + 22
end

local DRAW = { intervals = draw_intervals, bars = draw_bars, heat = draw_heat }

---The inside of a panel's drawing, and its height. `prefix`: what ids in it begin with.
---@return string elements, number height
function svg.draw(panel, prefix)
  local out = {}
  local height = DRAW[panel.kind](out, panel, prefix)
  return table.concat(out, "\n"), height
end

---A panel's figures as one sentence a row, for those who do not see the drawing; the table has the rest.
function svg.describe(panel)
  local out = {}
  for i, row in ipairs(panel.body) do
    if i > 6 then
      out[#out + 1] = ("and %d more, in the table"):format(#panel.body - 6)
      break
    end
    local words = {}
    for k = 2, #panel.head do words[k - 1] = ("%s %s"):format(panel.head[k], row[k]) end
    out[#out + 1] = ("%s: %s"):format(row[1], table.concat(words, ", "))
  end
  return panel.note .. " " .. table.concat(out, "; ") .. "."
end

return svg
