-- The HTML report in a real browser (Chromium, headless), at a phone's and a desktop's width, in light and dark. A copy
-- of the page gets a probe, which tells what it sees; the page itself has no script.
local fs = require "lre.fs"
local json = require "lre.json"
local process = require "lre.process"
local report = require "lre.report"
local test = require "lre.unit"
local fixture = dofile(test.root .. "/tests/fixtures/pictures.lua")

local function find_browser()
  for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
    local found = process.run { name, "--version", timeout = 60 }
    if found and found.exit == 0 then return name end
  end
end

local browser = find_browser()
if not browser then
  return test("the_page_is_read_in_a_browser", function()
    test.skip "no Chromium is installed (./dev deps --browser)"
  end)
end

local folder = test.folder()

local function dump(page, dark)
  return assert(process.run { browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--hide-scrollbars", "--disable-dev-shm-usage", "--window-size=1400,900", "--user-data-dir=" .. folder,
    "--blink-settings=preferredColorScheme=" .. (dark and 0 or 1), "--virtual-time-budget=10000", "--dump-dom",
    "file://" .. page, timeout = 120 })
end

-- A browser in a box of its own (a snap) does not see our files, and one may not start here at all.
assert(fs.write(folder .. "/try.html", "<!doctype html><p>It is here.</p>"))
local try = dump(folder .. "/try.html")
if not try.out:find("It is here.", 1, true) then
  return test("the_page_is_read_in_a_browser", function()
    test.skip(("%s cannot show a file of %s: %s"):format(browser, folder, try.err:sub(-300)))
  end)
end

local RESULTS = { { "openai/gpt-4o-mini", "vendor/a-model-with-quite-a-long-name-9b-v2:free" },
  { fixture.HOSTILE, ("longer than any line "):rep(12) } }

local PROBE = [[
<script>
window.addEventListener("load", function () {
  var all = [].slice.call(document.querySelectorAll("body *"));
  var seen = { width: innerWidth, scroll: document.documentElement.scrollWidth, dark:
    matchMedia("(prefers-color-scheme: dark)").matches, scripts: document.scripts.length,
    resources:
      performance.getEntriesByType("resource").length, ground: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color, outside: [], overlaps: [], unnamed: [], focus: [] };
  all.forEach(function (e) {
    if (e.tabIndex >= 0) seen.focus.push(e.tagName.toLowerCase());
  });
  [].forEach.call(document.querySelectorAll("svg"), function (s) {
    if (s.getAttribute("role") != "img" || !document.getElementById(s.getAttribute("aria-labelledby").split(" ")[0]))
      seen.unnamed.push(s.outerHTML.slice(0, 60));
    var boxes = [].map.call(s.querySelectorAll("text"), function (t) { return [t.getBBox(), t.textContent]; });
    boxes.forEach(function (a, i) {
      if (a[0].x < -0.5 || a[0].x + a[0].width > 360.5) seen.outside.push(a[1]);
      boxes.slice(i + 1).forEach(function (b) {
        var w = Math.min(a[0].x + a[0].width, b[0].x + b[0].width) - Math.max(a[0].x, b[0].x);
        var h = Math.min(a[0].y + a[0].height, b[0].y + b[0].height) - Math.max(a[0].y, b[0].y);
        if (w > 1 && h > 3) seen.overlaps.push(a[1] + " / " + b[1]);
      });
    });
  });
  parent.postMessage(encodeURIComponent(JSON.stringify(seen)), "*");
});
</script>
]]

-- A window is never narrower than 500 pixels there; a frame is.
local FRAME = [[
<!doctype html><body style="margin:0"><script>
window.addEventListener("message", function (m) { document.body.setAttribute("data-seen", m.data); });
</script><iframe src="page.html" width="%d" height="900" style="border:0"></iframe></body>
]]

local function percent_decoded(s)
  return (s:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- What the probe sees of a page at this width.
local function look(labels, width, dark)
  local page = report.render("html", fixture.results(labels), { title = labels[1] })
  page = page:gsub('<meta http%-equiv="Content%-Security%-Policy".->\n', "", 1)
  page = page:gsub("</head>", function() return PROBE .. "</head>" end, 1)
  assert(fs.write(folder .. "/page.html", page))
  assert(fs.write(folder .. "/frame.html", FRAME:format(width)))
  local result = dump(folder .. "/frame.html", dark)
  local data = result.out:match 'data%-seen="(.-)"'
  assert(data, "the browser gave no page: " .. result.err:sub(-500))
  return assert(json.decode(percent_decoded(data)))
end

local looked = {}
local function seen(labels, width, dark)
  local key = ("%s %d %s"):format(labels[1], width, dark)
  looked[key] = looked[key] or look(labels, width, dark)
  return looked[key]
end

for _, width in ipairs { 390, 1280 } do
  for _, scheme in ipairs { "light", "dark" } do
    test(("the_page_is_whole_at_%d_pixels_in_%s"):format(width, scheme), function()
      for _, labels in ipairs(RESULTS) do
        local got = seen(labels, width, scheme == "dark")
        test.eq({ got.width, got.dark }, { width, scheme == "dark" })
        test.ok(got.scroll <= width, ("the page is %d pixels wide"):format(got.scroll))
        test.eq(got.outside, json.array {}, "text beyond its drawing")
        test.eq(got.overlaps, json.array {}, "texts over each other")
        test.eq(got.unnamed, json.array {}, "drawings without a name")
        test.eq({ got.scripts, got.resources }, { 1, 0 }) -- the probe alone; nothing was fetched
        test.ok(got.ground ~= got.ink)
      end
    end)
  end
end

test("dark_is_dark_and_light_is_light", function()
  test.eq(seen(RESULTS[1], 1280, false).ground, "rgb(255, 255, 255)")
  test.eq(seen(RESULTS[1], 1280, true).ground, "rgb(20, 22, 26)")
end)

test("tables_and_their_folds_are_reached_with_the_keyboard", function()
  local focus = seen(RESULTS[1], 390, false).focus
  test.eq({ focus[1], focus[2], focus[3] }, { "div", "summary", "div" }) -- the main table, then each fold with its own
end)
