-- svg: every picture of a run in one file. Light and dark, no script, nothing from elsewhere.
local lre = require "lre"
local picture = require "lre.picture"
local svg = require "lre.svg"
local text = require "lre.text"

local GAP, LINE = 24, 15

-- Words on lines of at most `columns`.
local function wrapped(s, columns)
  local lines, current = {}, ""
  for word in text.terminal(s):gmatch "%S+" do
    if current ~= "" and text.columns(current) + 1 + text.columns(word) > columns then
      lines[#lines + 1], current = current, word
    else
      current = current == "" and word or current .. " " .. word
    end
  end
  lines[#lines + 1] = current
  return lines
end

-- A panel with its heading and note: a group at (0, 0), and its height.
local function framed(panel, prefix)
  local out, y = {}, 18
  out[1] = ('<text x="14" y="%d" class="ink b">%s</text>'):format(y, svg.escape(wrapped(panel.title, 46)[1]))
  for _, line in ipairs(wrapped(panel.note, 54)) do
    y = y + LINE
    out[#out + 1] = ('<text x="14" y="%d" class="soft s">%s</text>'):format(y, svg.escape(line))
  end
  local drawing, height = svg.draw(panel, prefix)
  out[#out + 1] = ('<g transform="translate(0,%d)">\n%s\n</g>'):format(y + 6, drawing)
  return table.concat(out, "\n"), y + 6 + height
end

local function all_panels(results)
  local out = {}
  for _, section in ipairs(picture.sections(results)) do
    for _, panel in ipairs(section.panels) do out[#out + 1] = panel end
  end
  return out
end

local function nothing(results)
  return ('<text x="14" y="18" class="ink">%d answers, none judged.</text>'):format(
    results.trials and results.trials.recorded or 0)
end

-- Two columns, each panel under the shorter one.
local function placed(panels, top)
  local out, heights = {}, { top, top }
  for i, panel in ipairs(panels) do
    local column = heights[2] < heights[1] and 2 or 1
    local drawing, height = framed(panel, "p" .. i)
    local place = ("translate(%d,%d)"):format((column - 1) * (svg.WIDTH + GAP), heights[column])
    local text_of = '<%s id="p%d-%s">%s</%s>'
    out[#out + 1] = table.concat({
      ('<g role="img" aria-labelledby="p%d-t" aria-describedby="p%d-d" transform="%s">'):format(i, i, place),
      text_of:format("title", i, "t", svg.escape(panel.title), "title"),
      text_of:format("desc", i, "d", svg.escape(svg.describe(panel)), "desc"),
      '<g aria-hidden="true">', drawing, "</g>\n</g>",
    }, "\n")
    heights[column] = math.ceil(heights[column] + height + GAP)
  end
  return table.concat(out, "\n"), math.max(heights[1], heights[2])
end

return lre.report {
  name = "svg",
  summary = "pictures: rates and effects with intervals, what the answers were, heat maps (SVG)",
  render = function(results, opt)
    local panels, title = all_panels(results), opt.title or "Results"
    local columns = #panels > 1 and 2 or 1
    local width = columns * svg.WIDTH + (columns - 1) * GAP
    local body, height = placed(panels, 40)
    if #panels == 0 then body, height = '<g transform="translate(0,40)">' .. nothing(results) .. "</g>", 80 end
    return ('<svg xmlns="http://www.w3.org/2000/svg" class="lre" viewBox="0 0 %d %d" width="%d" height="%d" '
      .. 'role="document" aria-labelledby="title">\n<title id="title">%s</title>\n<style>%s</style>\n'
      .. '<rect width="%d" height="%d" class="bg"/>\n<text x="14" y="26" class="ink b" style="font-size:16px">%s'
      .. "</text>\n%s\n</svg>\n"):format(width, height, width, height, svg.escape(title), svg.style(), width, height,
      svg.escape(title), body)
  end,
}
