-- lre mock: the same run against every fault, on real sockets.
local clock, fs, json, process = require "lre.clock", require "lre.fs", require "lre.json", require "lre.process"
local http, lre = require "lre.http", require "lre"
local reply, scenarios = require "lre.mock_reply", require "lre.mock_scenarios"
local test = require "lre.unit"

local folder
local function parent()
  if not folder then
    folder = test.folder()
    local lines = {}
    for i = 1, 8 do
      lines[i] = ('{"id":"m%d","text":"invented question number %d","category":"%s"}\n'):format(i, i,
        i % 2 == 0 and "harmful" or "helpful")
    end
    assert(fs.write(folder .. "/suite.jsonl", table.concat(lines)))
  end
  return folder
end

local function control(url, body)
  local answer = assert(http.request { method = body and "POST" or "GET", url = url:gsub("/v1$", "") .. "/_mock",
    body = body })
  return json.decode(answer.body)
end

-- One run: exit code, results as text with the port taken out, and what was said.
local function run(url, adapter, id, more)
  local command = ("exec %s run --adapter %s --model m --base-url %s --suite %s/suite.jsonl --run-dir %s --run-id %s "
    .. "--concurrency 4 -q %s"):format(test.program, adapter, url, parent(), parent(), id, more or "")
  local out = assert(process.run { "bash", "-c", command, timeout = 300, max_bytes = 1 << 24 })
  local text = fs.read(("%s/%s/results.json"):format(parent(), id))
  return out.exit, text and text:gsub(url:gsub("%p", "%%%0"), "URL"), out.err
end

-- What makes a fault visible sooner than the defaults do. It must not bite on a slow machine: only the hanging byte
-- is waited for so long.
local MORE = { hang = "--timeout-stall 3" }

-- Lanes of scenarios, each with a mock of its own: most of the time goes by in backoffs.
local LANES = 10

local function against_all(adapter, want)
  local names, lanes, next_one = {}, {}, 0
  for _, one in ipairs(scenarios) do
    if one.recovers and one.name ~= "calm" then names[#names + 1] = one.name end
  end
  for i = 1, LANES do lanes[i] = i end
  lre.map(lanes, function()
    local url = test.mock("--seed 7")
    while next_one < #names do
      next_one = next_one + 1
      local name = names[next_one]
      control(url, ('{"script":"%s","seed":7}'):format(name))
      local exit, text, err = run(url, adapter, ("%s-%s"):format(adapter, name), "--retries 12 " .. (MORE[name] or ""))
      test.eq(exit, 0, name .. " ends well: " .. err)
      test.eq(text, want, name .. " has the results of calm")
      test.eq(control(url).bodies, 8, name .. " asked each question")
    end
  end, { limit = LANES })
end

for _, adapter in ipairs { "openai", "anthropic" } do
  test("every_fault_that_can_be_got_over_ends_in_the_same_bytes_" .. adapter, function()
    local url = test.mock("--seed 7")
    local exit, want = run(url, adapter, adapter .. "-calm")
    test.eq(exit, 0)
    test.eq(control(url).requests, 8)
    against_all(adapter, want)
  end)
end

local function row_of(text)
  return json.decode(text).rows[1]
end

test("filters_are_counted_in_each_providers_form_and_never_as_an_answer", function()
  local url = test.mock("")
  local function expect(name, adapter, field, value, exit_wanted)
    control(url, ('{"script":"%s"}'):format(name))
    local exit, text, err = run(url, adapter, name)
    test.eq(exit, exit_wanted or 0, name .. ": " .. err)
    local row = row_of(text)
    test.eq(row[field], value, name .. "." .. field)
    test.eq(row.complied, 0, name)
  end
  expect("filter-openai", "openai", "filtered", 8)
  expect("filter-azure", "openai", "filtered", 8)
  expect("filter-refusal", "openai", "refused", 8)
  expect("filter-anthropic", "anthropic", "refused", 8)
end)

test("a_refused_key_stops_at_once", function()
  local url = test.mock("--script unauthorized")
  local exit = run(url, "openai", "unauthorized")
  test.eq(exit, 4)
  test.ok(control(url).requests <= 4, "what was in flight, and nothing after it")
end)

test("nothing_but_429_fails_each_trial_after_its_tries", function()
  local url = test.mock("--script 429-always")
  local exit, text = run(url, "openai", "always", "--retries 2")
  test.eq(exit, 1)
  test.eq(row_of(text).generation_errors, 8)
  test.eq(control(url).requests, 24)
end)

test("it_speaks_tls_with_a_certificate_of_its_own", function()
  local cert = parent() .. "/mock.pem"
  local url = test.mock("--tls " .. cert)
  test.ok(url:find "^https://127%.0%.0%.1:")
  local exit, _, err = run(url, "openai", "tls", "--ca-file " .. cert)
  test.eq(exit, 0, err)
  local distrusted, text = run(url, "openai", "tls-distrusted", "--retries 0")
  test.eq(distrusted, 1)
  test.eq(row_of(text).generation_errors, 8)
end)

test("resets_and_hangs_happen_over_tls_too", function()
  local cert = parent() .. "/mock2.pem"
  local url = test.mock("--tls " .. cert)
  local base = url:gsub("/v1$", "")
  -- The test's own client trusts only the system: curl is asked.
  for _, name in ipairs { "reset", "reset-body", "short", "slow-body", "slow-head" } do
    local set = assert(process.run { "curl", "-s", "--cacert", cert, base .. "/_mock", "-d", ('{"script":"%s"}'):format(
      name) })
    test.eq(set.exit, 0, name)
    local exit, _, err = run(url, "openai", "tls-" .. name, "--retries 12 --ca-file " .. cert)
    test.eq(exit, 0, name .. ": " .. err)
  end
end)

test("a_scenario_of_ones_own_is_a_file", function()
  local path = parent() .. "/every_other.lua"
  assert(fs.write(path, [[
local lre = require "lre"
return lre.mock { name = "every_other", reply = function(ask, m)
  if ask.n % 2 == 1 then return m.status(ask, 503, { headers = { ["Retry-After-Ms"] = "1" } }) end
  return m.slow_body(m.answer(ask, { text = "I can't help with that: " .. ask.prompt }), 2, 0.001)
end }]]))
  local url = test.mock("--script " .. path)
  local exit, text, err = run(url, "openai", "own", "--retries 30 --concurrency 1")
  test.eq(exit, 0, err)
  test.eq(row_of(text).total, 8)
  test.eq(control(url).by_status["503"], 8)
end)

test("a_mistake_in_a_scenario_is_said_and_is_a_500", function()
  local path = parent() .. "/broken.lua"
  assert(fs.write(path, 'return require("lre").mock { name = "broken", '
    .. "reply = function(ask) return ask.nothing.x end }"))
  local url = test.mock("--script " .. path)
  local answer = assert(http.request { method = "POST", url = url .. "/chat/completions", body = "{}" })
  test.eq(answer.status, 500)
end)

test("an_unknown_scenario_is_refused_with_the_names", function()
  local out = test.lre("mock", "--script", "429-halv")
  test.eq(out.exit, 3)
  test.has(out.err, '429-half')
end)

test("what_it_does_follows_from_seed_request_and_try", function()
  local function outcomes(seed)
    local url = test.mock("--script 429-half --seed " .. seed)
    local out = {}
    for i = 1, 24 do
      local body = ('{"model":"m","messages":[{"role":"user","content":"q%d"}]}'):format(i % 6)
      local answer = assert(http.request { method = "POST", url = url .. "/chat/completions", body = body })
      out[i] = answer.status == 200 and "+" or "-"
    end
    return table.concat(out)
  end
  local first = outcomes(1)
  test.eq(outcomes(1), first)
  test.ok(outcomes(2) ~= first)
  test.ok(first:find("+", 1, true) and first:find("-", 1, true))
end)

test("dates_follow_no_locale_and_read_back", function()
  test.eq(reply.date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT")
  for _, at in ipairs { 0, 951782400, 1735689599, 4102444800 } do test.eq(clock.http_date(reply.date(at)), at) end
end)

test("what_is_no_request_is_refused_and_the_next_connection_is_served", function()
  local url = test.mock("")
  local port = url:match ":(%d+)/"
  local function raw(bytes)
    local out = assert(process.run { "bash", "-c", ("exec 3<>/dev/tcp/127.0.0.1/%s; printf '%s' >&3; head -n 1 <&3")
      :format(port, bytes), timeout = 60 })
    return out.out:match "HTTP/1.1 (%d+)"
  end
  test.eq(raw "nonsense\\r\\n\\r\\n", "400")
  test.eq(raw "POST / HTTP/1.1\\r\\nContent-Length: 1\\r\\nContent-Length: 2\\r\\n\\r\\n", "400")
  test.eq(raw "POST / HTTP/1.1\\r\\nContent-Length: 99999999999\\r\\n\\r\\n", "413")
  test.eq(raw "POST / HTTP/1.1\\r\\nContent-Length: 99999999999999999999999\\r\\n\\r\\n", "400")
  test.eq(raw "POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n", "501")
  test.eq(raw "GET /nowhere HTTP/1.1\\r\\n\\r\\n", "404")
  test.eq(control(url).script, "calm")
end)

test("a_provider_that_refuses_neither_stops_the_others_nor_takes_their_places", function()
  -- a answers nobody until b was asked everything: with a waiting on their places this run could not end.
  local path = parent() .. "/jealous.lua"
  assert(fs.write(path, [[
local lre = require "lre"
local b = 0
return lre.mock { name = "jealous", reply = function(ask, m)
  if ask.path:find "^/b/" then b = b + 1 end
  if ask.path:find "^/a/" and b < 8 then return m.limited(ask, { seconds = 0.1 }) end
  return m.answer(ask)
end }]]))
  local base = test.mock("--script " .. path):gsub("/v1$", "")
  assert(fs.write(parent() .. "/two.json", assert(json.encode {
    { id = "m", label = "a", provider = "openai", base_url = base .. "/a/v1" },
    { id = "m", label = "b", provider = "openai", base_url = base .. "/b/v1" } })))
  local out = assert(process.run { "bash", "-c", ("exec %s run --models %s/two.json --suite %s/suite.jsonl "
    .. "--run-dir %s --run-id two --concurrency 2 --retries 90 -q"):format(test.program, parent(), parent(), parent()),
    timeout = 300 })
  test.eq(out.exit, 0, out.err)
  local rows = json.decode(assert(fs.read(parent() .. "/two/results.json"))).rows
  test.eq(#rows, 2)
  test.eq(rows[1].generation_errors + rows[2].generation_errors, 0)
end)
