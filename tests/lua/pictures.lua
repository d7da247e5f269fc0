-- Reports that are pictures: what is in them, that they say no more than the figures, and that names do nothing.
local json = require "lre.json"
local picture = require "lre.picture"
local report = require "lre.report"
local svg = require "lre.svg"
local test = require "lre.unit"
local fixture = dofile(test.root .. "/tests/fixtures/pictures.lua")

local function rendered(format, labels, change)
  local results = fixture.results(labels or { "one/model", "two/model" })
  if change then change(results) end
  return report.render(format, results, {})
end

-- Tags in pairs, quoted attributes, known entities, no control characters: what an XML parser would say.
local VOID = { meta = true, link = true }
local function check_markup(text, is_html)
  test.ok(not text:find "[%z\1-\8\11\12\14-\31]", "a control character")
  test.ok(not text:find("\xEF\xBF\xBE", 1, true), "a character that XML does not allow")
  local bare = text:gsub("^<!doctype html>", ""):gsub("<style>.-</style>", "")
  local open = {}
  local rest = bare:gsub("<(/?)([%a][%w]*)([^<>]*)>", function(slash, name, attributes)
    local own = attributes:gsub('%s[%w:-]+="[^"<]*"', "")
    test.ok(own == "" or own == "/", "attributes: " .. attributes)
    if slash == "/" then
      test.eq(table.remove(open), name)
    elseif own ~= "/" and not (is_html and VOID[name]) then
      open[#open + 1] = name
    end
    return ""
  end)
  test.eq(#open, 0)
  test.ok(not rest:find "[<>]", "a lone angle bracket: " .. (rest:match ".?.?.?[<>].?.?.?" or ""))
  for entity in rest:gmatch "&[^;]*;?" do
    test.ok(("&lt; &gt; &amp; &quot; &#39;"):find(entity, 1, true), "an entity: " .. entity)
  end
end

test("pictures_are_well_formed_whatever_a_model_is_called", function()
  for _, labels in ipairs { { "a/b" }, { fixture.HOSTILE, "a/b" }, { ("wide "):rep(40), "日本語のモデル" } } do
    local function hostile(results)
      if labels[1] ~= fixture.HOSTILE then return end
      results.inputs.suites[1].name, results.rows[1].suite, results.rows[1].judge = labels[1], labels[1], "stance"
      results.rows[1].counts[labels[1]], results.rows[1].categories[labels[1]] = 2, results.rows[1].categories.landlord
      results.contrasts[5].level = { 50, labels[1] }
    end
    check_markup(rendered("svg", labels, hostile))
    local html = rendered("html", labels, hostile)
    check_markup(html, true)
    test.ok(not html:find "<script" and not html:find "<b ", "markup of a model's name")
  end
end)

test("a_terminal_gets_no_escape_of_a_models_name", function()
  local text = rendered("plot", { fixture.HOSTILE, "a/b" })
  test.ok(not text:find "\27" and not text:find("\u{202e}", 1, true))
  test.has(text, "<script>")
end)

test("the_page_needs_nothing_from_elsewhere", function()
  local html = rendered("html")
  for _, word in ipairs { "http:", "https:", "<script", "<img", "<iframe", "@import", "javascript:", " on%a+=" } do
    test.ok(not html:find(word), word)
  end
  test.has(html, "default-src 'none'")
  for url in html:gmatch "url%((.-)%)" do test.ok(url:find "^#", url) end
  local drawing = rendered("svg"):gsub('xmlns="http://www.w3.org/2000/svg"', "")
  test.ok(not drawing:find "http" and not drawing:find "<script" and not drawing:find "<image")
end)

test("no_data_is_said_and_never_drawn_as_0", function()
  local results = fixture.results { "one/model", "two/model" }
  local panel = picture.sections(results)[1].panels[1]
  test.eq(panel.body[2], { "two/model", "no data", "—", "0" })
  local drawing = svg.draw(panel, "x")
  test.eq(select(2, drawing:gsub("<circle", "")), 1)
  for _, format in ipairs { "html", "svg", "plot" } do test.has(rendered(format), "no data") end
  local function no_contrast(r)
    for _, c in ipairs(r.contrasts) do c.value, c.low, c.high, c.n = json.null, json.null, json.null, 0 end
  end
  for _, format in ipairs { "html", "svg", "plot" } do
    local text = rendered(format, nil, no_contrast)
    test.ok(not text:find "%f[%w]nan%f[%W]" and not text:find "%f[%w]inf%f[%W]", format)
  end
  local function judged_by_nobody(r) r.rows, r.contrasts, r.inputs.judges = {}, {}, {} end
  test.has(rendered("html", nil, judged_by_nobody), "No data: no answer was judged")
  test.has(rendered("svg", nil, judged_by_nobody), "none judged")
  test.has(rendered("plot", nil, judged_by_nobody), "No data")
end)

test("a_pictures_table_has_every_figure_of_it", function()
  local by_title = {}
  for _, panel in ipairs(picture.sections(fixture.results { "m" })[1].panels) do by_title[panel.title] = panel end
  test.eq(by_title["Pos rate"].body, { { "m", "0.600", "[0.313, 0.832]", "10" } })
  test.eq(by_title.Effects.body, { { "Effect: m", "-0.197", "[-0.310, -0.080]", "5", "<0.001" } })
  test.has(by_title.Effects.note, "Up to 1 are incomplete and left out")
  test.eq(by_title["Shares and uplifts"].body[1], { "Uplift: m", "0.250", "[-0.125, 0.500]", "5", "1.000" })
  test.eq(by_title["What the answers were"].body[1], { "grid, m: all", "4", "6", "1", "1", "0", "1" })
  local heat = by_title["Uplift: m"]
  test.eq(heat.head, { "Relationship quality", "Amount 50", "Amount 200", "Amount 500" })
  test.eq(heat.body[2][1], "one sided positive")
  test.has(heat.body[2][2], "-0.250")
  test.eq(by_title["Effect by factor"].body[3][2], "0.500")
  local html = rendered("html", { "m" })
  for _, panel in pairs(by_title) do
    for _, line in ipairs(panel.body) do
      for _, cell in ipairs(line) do test.has(html, ">" .. svg.escape(cell) .. "<") end
    end
  end
end)

test("many_personas_are_a_map_for_each_model", function()
  local labels = {}
  for i = 1, 45 do labels[i] = "m" end
  local results = fixture.results(labels)
  results.contrasts = {}
  for i, row in ipairs(results.rows) do
    row.persona = ("p%02d"):format(i)
    results.inputs.personas[i] = { name = row.persona }
  end
  local panels = picture.sections(results)[1].panels
  test.eq({ #panels, panels[1].kind, panels[2].kind, panels[3].kind }, { 3, "intervals", "bars", "heat" })
  test.eq({ #panels[2].groups, #panels[2].groups[1].rows }, { 1, 45 })
  test.eq({ #panels[3].rows, panels[3].head }, { 45, { "Persona", "landlord", "tenant" } })
  test.eq(panels[3].body[45], { "p45", "0.600 [0.231, 0.882], n = 5", "no data" })
  local html = report.render("html", results, {})
  test.has(html, "<details><summary>Table: Results by judge stance, 45 rows</summary>")
  check_markup(html, true)
end)

test("every_drawing_has_a_name_a_description_and_a_table", function()
  local html, ids = rendered "html", {}
  for id in html:gmatch 'id="(.-)"' do
    test.ok(not ids[id], "an id twice: " .. id)
    ids[id] = true
  end
  local drawings = 0
  for tag in html:gmatch "<svg.->" do
    drawings = drawings + 1
    test.has(tag, 'role="img"')
    for _, by in ipairs { "labelledby", "describedby" } do test.ok(ids[tag:match("aria%-" .. by .. '="(.-)"')], by) end
  end
  test.eq(select(2, html:gsub("<caption", "")), drawings + 2)
  test.eq(select(2, html:gsub("<table", "")), drawings + 2)
  for region in html:gmatch '<div class="scroll".->' do test.has(region, 'tabindex="0"') end
  local level = 0
  for h in html:gmatch "<h(%d)" do
    test.ok(tonumber(h) <= level + 1, "a heading's level is skipped")
    level = tonumber(h)
  end
  test.has(html, '<html lang="en">')
  test.has(html, "width=device-width")
end)

-- ---- colours ----

-- https://www.w3.org/TR/WCAG21/#dfn-relative-luminance
local function luminance(hex)
  local function channel(i)
    local c = tonumber(hex:sub(i, i + 1), 16) / 255
    return c <= 0.03928 and c / 12.92 or ((c + 0.055) / 1.055) ^ 2.4
  end
  return 0.2126 * channel(2) + 0.7152 * channel(4) + 0.0722 * channel(6)
end

local function contrast(a, b)
  local x, y = luminance(a), luminance(b)
  return (math.max(x, y) + 0.05) / (math.min(x, y) + 0.05)
end

test("colours_have_the_contrast_that_reading_needs_in_light_and_dark", function()
  for column, name in pairs { [3] = "light", [4] = "dark" } do
    local c = {}
    for _, one in ipairs(svg.COLOURS) do c[one[1]] = one[column] end
    local function at_least(wanted, a, b)
      local got = contrast(c[a], c[b])
      test.ok(got >= wanted, ("%s: %s on %s has %.2f, wanted %.1f"):format(name, a, b, got, wanted))
    end
    for _, ink in ipairs { "ink", "soft" } do at_least(4.5, ink, "bg") end
    for _, mark in ipairs { "axis", "mark", "dot", "hatch" } do at_least(3, mark, "bg") end
    for i = 1, 8 do
      at_least(4.5, "on", "p" .. i)
      at_least(3, "p" .. i, "bg")
    end
    for _, step in ipairs { "hm3", "hm2", "hm1", "h0", "hp1", "hp2", "hp3" } do at_least(4.5, "ink", step) end
    for _, step in ipairs { "hm4", "hp4" } do at_least(4.5, "on", step) end
  end
end)

test("the_same_results_give_the_same_bytes_and_the_terminals_lines_fit_80_columns", function()
  for _, format in ipairs { "html", "svg", "plot" } do test.eq(rendered(format), rendered(format)) end
  for line in rendered("plot"):gmatch "[^\n]+" do test.ok(#line <= 80, line) end
end)

test("results_of_other_judges_and_suites_are_drawn_too", function()
  local fs = require "lre.fs"
  local path = test.root .. "/examples/data/fake-7b/results.json"
  local results = assert(json.decode(assert(fs.read(path))))
  for _, format in ipairs { "html", "svg" } do check_markup(report.render(format, results, {}), format == "html") end
  test.has(report.render("plot", results, {}), "Refusal rate")
end)
