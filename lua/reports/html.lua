-- html: a run as one page: tables, pictures, what is behind them. No script, nothing from elsewhere; it can be read
-- with a keyboard and a screen reader, on a phone, in light and dark.
local lre = require "lre"
local json = require "lre.json"
local picture = require "lre.picture"
local report = require "lre.report"
local svg = require "lre.svg"

local esc = svg.escape

-- A longer table is folded away: the pictures come first.
local LONGEST_OPEN = 24

local STYLE = [[
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:76rem;background:#fff;color:#1a1a1a;line-height:1.5;
  font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.3rem;margin-top:2.5rem}h3{font-size:1.05rem;margin:0}
.panels{columns:21rem 3;column-gap:2rem}
figure{margin:0 0 2.5rem;min-width:0;break-inside:avoid}figure p{margin:.2rem 0 .5rem}
p.note,figcaption p,footer{color:#555}
figure svg{display:block;width:100%;max-width:34rem;height:auto}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.4rem 0}
th,td{padding:.35rem .7rem .35rem 0;border-bottom:1px solid #c8c8c8;text-align:right;white-space:nowrap;
  vertical-align:top}
th:first-child,.text{text-align:left}
tbody th{font-weight:400;white-space:normal;min-width:9rem}
details{margin-top:.4rem}
summary{padding:.6rem 0;cursor:pointer}
code{font-size:.9em}
:focus-visible{outline:3px solid #0b5cad;outline-offset:2px}
@media (prefers-color-scheme:dark){
  body{background:#14161a;color:#f0f0f0}p.note,figcaption p,footer{color:#b4b8be}
  th,td{border-color:#4a4e55}:focus-visible{outline-color:#6cb2ff}
}
@media print{details>*{display:block}}
]]

-- ---- tables ----

-- A table that scrolls by itself where the page is narrow; then it must be reachable with the keyboard. The first
-- column names the row.
-- `texts`: how many columns after the first are words, not numbers.
local function html_table(caption, head, body, id, texts)
  local out = { ('<div class="scroll" role="region" tabindex="0" aria-labelledby="%s">\n<table>'):format(id),
    ('<caption id="%s">%s</caption>'):format(id, esc(caption)), "<thead><tr>" }
  local function class(k) return k <= 1 + (texts or 0) and ' class="text"' or "" end
  for k, name in ipairs(head) do
    out[#out + 1] = name == "" and "<td></td>" or ('<th scope="col"%s>%s</th>'):format(class(k), esc(name))
  end
  out[#out + 1] = "</tr></thead>\n<tbody>"
  for _, row in ipairs(body) do
    local cells = { ('<th scope="row">%s</th>'):format(esc(row[1])) }
    for k = 2, #head do cells[k] = ("<td%s>%s</td>"):format(class(k), esc(row[k] or "")) end
    out[#out + 1] = "<tr>" .. table.concat(cells) .. "</tr>"
  end
  out[#out + 1] = "</tbody></table></div>"
  return table.concat(out, "\n")
end

local function word(name)
  return (name:gsub("_", " "):gsub("^%l", string.upper))
end

-- Every row of a judge: what was counted, what was left out, the primary figure.
local function main_table(results, section, id)
  local rows, labels = section.rows, report.labels(results, section.rows, section.judge)
  local metric = rows[1].primary
  local head = { "Model", "Suite", "Persona", metric and word(metric) or "Rate", "95% interval", "n", "Total" }
  for _, label in ipairs(labels) do head[#head + 1] = word(label) end
  table.move({ "Undecided", "Unscored", "Filtered", "Errors" }, 1, 4, #head + 1, head)
  local body = {}
  for i, row in ipairs(rows) do
    local m = metric and row.metrics[metric]
    local value = not m and "—" or m.n == 0 and "no data" or report.number(m.value)
    local line = { row.model, row.suite, row.persona, value, m and report.interval(m) or "—", m and m.n or 0,
      row.total }
    for _, label in ipairs(labels) do line[#line + 1] = row.counts[label] or 0 end
    table.move({ row.undecided, row.unscored, row.filtered, row.generation_errors + row.judge_errors }, 1, 4, #line + 1,
      line)
    body[i] = line
  end
  local caption = ("Results by judge %s"):format(section.judge)
  local out = html_table(caption, head, body, id, 2)
  if #rows <= LONGEST_OPEN then return out end
  return ("<details><summary>Table: %s, %d rows</summary>\n%s\n</details>"):format(esc(caption), #rows, out)
end

-- ---- figures ----

local function figure(panel, id)
  local drawing, height = svg.draw(panel, id)
  return ([[
<figure>
<figcaption><h3>%s</h3><p>%s</p></figcaption>
<svg class="lre" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t" aria-describedby="%s-d">
<title id="%s-t">%s</title><desc id="%s-d">%s</desc>
<g aria-hidden="true">
%s
</g>
</svg>
<details><summary>Table: %s</summary>
%s
</details>
</figure>]]):format(esc(panel.title), esc(panel.note), svg.WIDTH, math.ceil(height), id, id, id, esc(panel.title), id,
    esc(svg.describe(panel)), drawing, esc(panel.title), html_table(panel.title, panel.head, panel.body, id .. "-c"))
end

local function section_html(results, section, number)
  local heading = ('<section aria-labelledby="s%d">\n<h2 id="s%d">Judge %s</h2>'):format(number, number,
    esc(section.judge))
  local out = { heading, main_table(results, section, ("s%d-c"):format(number)),
    '<p class="note">A rate is of the answers that the judge could label; undecided, unscored, filtered and failed '
      .. "ones are left out and counted beside it. Intervals are 95%.</p>", '<div class="panels">' }
  for i, panel in ipairs(section.panels) do out[#out + 1] = figure(panel, ("s%dp%d"):format(number, i)) end
  out[#out + 1] = "</div>\n</section>"
  return table.concat(out, "\n")
end

-- ---- what is behind the figures ----

local function behind(results)
  local body = {}
  local function add(what, name, detail) body[#body + 1] = { what, name, detail } end
  for _, one in ipairs(results.inputs.models) do
    add("Model", one.label, ("%s, id %s, %s"):format(one.adapter and "adapter " .. one.adapter or "imported",
      one.id or one.label, assert(json.encode(one.params or {}))))
  end
  for _, one in ipairs(results.inputs.suites) do
    add("Suite", one.name, ("%d samples, sha256 %s"):format(one.count or 0, tostring(one.hash or "—"):sub(1, 16)))
  end
  for _, one in ipairs(results.inputs.personas or {}) do add("Persona", one.name, "") end
  for _, one in ipairs(results.inputs.judges) do
    local asks = one.asks and one.asks.model and ", asks " .. tostring(one.asks.model.label) or ""
    add("Judge", one.name, ("%s, sha256 %s%s"):format(one.kind or "?", tostring(one.hash or "—"):sub(1, 16), asks))
  end
  return html_table("Inputs", { "What", "Name", "Details" }, body, "inputs-c", 2)
end

local function answered(results)
  local t = results.trials
  if not t then return "" end
  local missing = t.planned - t.recorded
  return ("<p>%d of %d trials have an answer%s.</p>"):format(t.recorded, t.planned,
    missing > 0 and (", %d are missing"):format(missing) or "")
end

return lre.report {
  name = "html",
  summary = "one page: tables, pictures, inputs; no script, nothing from elsewhere (HTML)",
  render = function(results, opt)
    local title, sections = opt.title or "Results", {}
    for i, section in ipairs(picture.sections(results)) do sections[i] = section_html(results, section, i) end
    if #sections == 0 then sections[1] = "<p>No data: no answer was judged.</p>" end
    return ([[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>%s</title>
<link rel="icon" href="data:,">
<style>
%s%s
</style>
</head>
<body>
<header><h1>%s</h1>%s</header>
<main>
%s
<section aria-labelledby="inputs"><h2 id="inputs">What is behind these figures</h2>
%s
</section>
</main>
<footer><p>Made by lre%s. The same results give the same page.</p></footer>
</body>
</html>
]]):format(esc(title), STYLE, svg.style(), esc(title), answered(results), table.concat(sections, "\n"), behind(results),
      results.inputs.version and " " .. esc(results.inputs.version) or "")
  end,
}
