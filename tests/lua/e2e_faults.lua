-- e2e_faults: everything that a provider can do, through `lre run`: the counts, the exit code, and that they add up.
local fs, json, lre, process = require "lre.fs", require "lre.json", require "lre", require "lre.process"
local http = require "lre.http"
local test = require "lre.unit"

local SAMPLES = 2
local folder

local function parent()
  if not folder then
    folder = test.folder()
    assert(fs.write(folder .. "/suite.jsonl", '{"id":"a","text":"first invented question","category":"harmful"}\n'
      .. '{"id":"b","text":"second invented question","category":"helpful"}\n'))
  end
  return folder
end

local function count(base, token)
  return math.tointeger(tonumber(assert(http.request { method = "GET", url = base .. "/count/" .. token }).body))
end

-- One run against a fault: the exit code, the first row of its results, and what was printed.
local function run(base, fault, shape, more)
  local id = fault .. "-" .. shape
  local adapter = shape == "messages" and "anthropic" or "openai"
  local command = ("exec %s run --adapter %s --model m --base-url %s/faults/%s/%s/v1 --suite %s/suite.jsonl "
    .. "--run-dir %s --run-id %s --concurrency 1 --retries 1 --max-retry-after 5 -q %s"):format(test.program, adapter,
    base, fault, id, parent(), parent(), id, more or "")
  local result = assert(process.run { "bash", "-c", command, timeout = 240 })
  local data = json.decode((fs.read(("%s/%s/results.json"):format(parent(), id))) or "{}")
  return result.exit, data.rows and data.rows[1], result, id
end

local function adds_up(row, note)
  local parts = row.filtered + row.undecided + row.unscored + row.generation_errors + row.judge_errors
  for _, n in pairs(row.counts) do parts = parts + n end
  test.eq(parts, row.total, note .. ": the parts are the total")
  local total = 0
  for _, category in pairs(row.categories) do total = total + category.total end
  test.eq(total, row.total, note .. ": the categories are the total")
  test.eq(row.metrics.refusal_rate.n, row.refused + row.complied, note .. ": the rate's denominator")
  if row.refused + row.complied == 0 then
    test.eq(row.refusal_rate == nil or row.refusal_rate == json.null, true, note .. ": no data is no rate")
  end
end

-- fault = { exit, what every trial is counted as, more words, requests a trial where that is certain }
local FAILED, SCORED = { "generation_errors" }, { "refused", "complied" }
local EXPECTED = {
  ok = { 0, SCORED, "", 1 }, delay = false,
  ["302"] = { 1, FAILED, "", 1 }, ["400"] = { 1, FAILED, "", 1 }, ["404-html"] = { 1, FAILED, "", 1 },
  ["500"] = { 1, FAILED, "", 2 }, ["503"] = { 1, FAILED, "", 2 }, ["529"] = { 1, FAILED, "", 2 },
  ["403-rate-limit"] = { 1, FAILED, "", 2 }, ["429"] = { 1, FAILED, "", 2 }, ["429-long"] = { 1, FAILED },
  ["429-then-ok"] = { 0, SCORED }, ["429-0-then-ok"] = { 0, SCORED }, ["429-ms-then-ok"] = { 0, SCORED },
  ["429-date-then-ok"] = { 0, SCORED }, ["429-bare-then-ok"] = { 0, SCORED }, ["500-then-ok"] = { 0, SCORED },
  ["503-then-ok"] = { 0, SCORED }, ["529-then-ok"] = { 0, SCORED }, ["reset-then-ok"] = { 0, SCORED },
  ["400-max-tokens"] = { 0, SCORED }, ["400-temperature"] = { 0, SCORED }, ["400-both"] = { 0, SCORED },
  ["200-error"] = { 1, FAILED, "", 2 }, ["200-error-then-ok"] = { 0, SCORED }, ["200-fatal"] = { 1, FAILED },
  ["truncated-json"] = { 1, FAILED }, ["invalid-utf8"] = { 1, FAILED }, ["nul"] = { 1, FAILED },
  ["surrogate"] = { 1, FAILED }, ["deep-json"] = { 1, FAILED }, ["duplicate-key"] = { 1, FAILED },
  ["empty-body"] = { 1, FAILED }, html = { 1, FAILED }, ["no-choices"] = { 1, FAILED }, huge = { 1, FAILED },
  ["big-integer"] = { 0, SCORED, "", 1 },
  ["content-filter"] = { 0, { "filtered" }, "", 1 }, length = { 0, SCORED, "", 1 },
  ["length-empty"] = { 1, { "unscored" }, "", 1 }, tool = { 1, { "unscored" }, "", 1 },
  ["unknown-finish"] = { 0, SCORED, "", 1 }, ["null-content"] = { 1, { "unscored" }, "", 1 },
  refusal = { 0, { "refused" }, "", 1 }, reasoning = { 0, SCORED, "", 1 },
  ["reset-mid-body"] = { 1, FAILED, "", 2 }, ["reset-before-headers"] = { 1, FAILED },
  ["close-mid-body"] = { 1, FAILED, "", 2 },
  ["slow-headers"] = { 1, FAILED, "--timeout-first-byte 0.2" }, ["slow-body"] = { 0, SCORED, "", 1 },
  ["hang-body"] = { 1, FAILED, "--timeout-stall 0.2" }, ["hang-last-byte"] = { 1, FAILED, "--timeout-stall 0.2" },
  drip = { 1, FAILED, "--timeout-total 0.4" },
}

local function check(base, fault, shape)
  local want = EXPECTED[fault]
  local note = fault .. " (" .. shape .. ")"
  local exit, row, result, token = run(base, fault, shape, want[3])
  test.eq(exit, want[1], note .. ": exit; " .. result.err)
  test.ok(row, note .. ": a row of results")
  adds_up(row, note)
  local n = 0
  for _, field in ipairs(want[2]) do n = n + row[field] end
  test.eq(n, SAMPLES, note .. ": " .. table.concat(want[2], " + "))
  if want[4] then test.eq(count(base, token), SAMPLES * want[4], note .. ": requests") end
  return row
end

local function sorted_faults()
  local names = {}
  for name, want in pairs(EXPECTED) do
    if want then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

test("every_fault_ends_in_its_own_count_and_exit_code_and_the_counts_add_up", function()
  local base = test.nginx()
  parent()
  lre.map(sorted_faults(), function(fault) return check(base, fault, "chat") end, { limit = 4 })
end)

test("anthropics_own_shapes_are_counted_alike", function()
  local base = test.nginx()
  parent()
  local names = { "ok", "refusal", "length", "length-empty", "tool", "null-content", "reasoning", "200-error", "529",
    "truncated-json", "500-then-ok", "close-mid-body", "no-choices" }
  EXPECTED["no-choices"] = { 1, { "unscored" } } -- a message without blocks is an empty answer there
  lre.map(names, function(fault) return check(base, fault, "messages") end, { limit = 4 })
end)

test("a_cut_answer_is_judged_flagged_and_the_rate_is_given_without_it_too", function()
  local row = select(2, run(test.nginx(), "length", "chat"))
  test.eq(row.truncated, SAMPLES)
  test.eq(row.metrics.refusal_rate.n, SAMPLES)
  test.eq(row.metrics.refusal_rate.without_truncated.n, 0)
end)

test("a_providers_refusal_is_refused_by_the_provider", function()
  local _, _, _, id = run(test.nginx(), "refusal", "chat")
  test.has(fs.read(("%s/%s/partials.jsonl"):format(parent(), id)), '"provider":"refusal"')
end)

test("a_key_that_is_refused_or_unpaid_stops_at_once_with_exit_4", function()
  local base = test.nginx()
  for _, fault in ipairs { "401", "402", "403" } do
    local exit, row, result, token = run(base, fault, "chat")
    test.eq(exit, 4, fault)
    test.eq(count(base, token), 1, fault .. ": one request, then silence")
    adds_up(row, fault)
    test.eq({ row.total, row.generation_errors }, { 1, 1 }, fault)
    test.has(result.err, "status " .. fault)
  end
end)

test("another_provider_goes_on_when_one_refuses_the_key", function()
  local base = test.nginx()
  assert(fs.write(parent() .. "/roster.json", assert(json.encode {
    { id = "bad", label = "bad", provider = "openai", base_url = base .. "/faults/401/mix/v1" },
    { id = "good", label = "good", provider = "anthropic", base_url = base .. "/v1" },
  })))
  local result = test.lre("run", "--models", parent() .. "/roster.json", "--suite", parent() .. "/suite.jsonl",
    "--run-dir", parent(), "--run-id", "mix", "-q", "--concurrency", "1")
  test.eq(result.exit, 4)
  local rows = json.decode(fs.read(parent() .. "/mix/results.json")).rows
  for _, row in ipairs(rows) do
    if row.model == "good" then test.eq(row.refused + row.complied, SAMPLES) end
  end
  test.eq(#rows, 2)
end)

test("a_failed_trial_tells_where_and_why_in_one_line_without_control_bytes", function()
  local _, _, result = run(test.nginx(), "404-html", "chat", "--run-id x404 --log-level WARNING")
  test.has(result.err, "suite/a|none|m")
  test.has(result.err, "404")
  test.ok(not result.err:find "[\1-\9\11-\31\127]", result.err)
end)
