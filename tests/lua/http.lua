-- lre.http, against the nginx of tests/nginx on loopback.
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local body = [[{"model":"m","messages":[{"role":"user","content":"hello"}]}]]

local function ask(path, change)
  local request = {
    method = "POST", url = test.nginx() .. path .. "/v1/chat/completions", body = body,
    headers = { ["Content-Type"] = "application/json" }, timeouts = { connect = 5, total = 30 },
  }
  for key, value in pairs(change or {}) do request[key] = value end
  return http.request(request)
end

local function fails(code, path, change)
  local response, err = ask(path, change)
  test.eq(response, nil)
  test.eq({ err.kind, err.code }, { "http", code })
  return err
end

test("a_response_comes_whole", function()
  local response = assert(ask "")
  test.eq(response.status, 200)
  test.has(response.headers["content-type"], "application/json")
  test.eq(json.decode(response.body).choices[1].message.role, "assistant")
  test.eq(response.sent, true)
  test.ok(response.seconds.total >= response.seconds.first_byte)
end)

test("what_is_sent_is_what_was_asked", function()
  assert(ask("/faults/ok/sent", { headers = { ["Content-Type"] = "application/json", ["X-B"] = "2", ["X-A"] = "1" } }))
  local seen = json.decode(assert(http.request { url = test.nginx() .. "/requests/sent" }).body)
  test.eq({ #seen, seen[1].method, seen[1].body }, { 1, "POST", body })
  local headers = {}
  for name, value in pairs(seen[1].headers) do headers[name:lower()] = value end
  test.eq({ headers["x-a"], headers["x-b"], headers["content-type"] }, { "1", "2", "application/json" })
end)

test("any_status_is_a_response", function()
  test.eq({ ask("/faults/404-html").status, ask("/faults/500-then-ok/status").status }, { 404, 500 })
end)

test("redirects_are_not_followed", function()
  test.eq(assert(ask "/faults/302").status, 302)
end)

test("a_connection_is_used_again", function()
  assert(ask "")
  test.eq(assert(ask "").reused, true)
end)

test("requests_of_several_tasks_are_in_flight_together", function()
  local gone, tasks = 0, {}
  for i = 1, 20 do
    tasks[i] = sched.spawn(function()
      assert(ask "/delay/1000")
      gone = gone + 1
    end)
  end
  local _, err = sched.deadline(19.5, function() -- 20 times 1 s one after the other would not fit
    for _, task in ipairs(tasks) do task:wait() end
  end)
  test.eq({ gone, err }, { 20 })
end)

test("a_request_inside_a_generator_waits_for_its_owner", function()
  local statuses = {}
  for status in coroutine.wrap(function()
    for _ = 1, 2 do coroutine.yield(assert(ask "").status) end
  end) do statuses[#statuses + 1] = status end
  test.eq(statuses, { 200, 200 })
end)

test("failures_of_the_wire_say_what_happened_and_whether_the_request_was_sent", function()
  test.eq(fails("partial", "/faults/close-mid-body").sent, true)
  test.eq(fails("reset", "/faults/reset-before-headers").sent, true)
  local closed = fails("connect", "", { url = "http://127.0.0.1:1/" })
  test.eq(closed.sent, false)
end)

test("every_wait_has_a_limit_and_a_name", function()
  fails("timeout_first_byte", "/faults/slow-headers", { timeouts = { first_byte = 0.2 } })
  fails("timeout_stall", "/faults/hang-last-byte", { timeouts = { stall = 0.2 } })
  fails("timeout_total", "/faults/drip", { timeouts = { total = 0.3 } })
end)

test("a_response_is_bounded", function()
  fails("too_large", "/faults/huge")
  fails("too_large", "", { max_bytes = 10 })
end)

test("bad_requests_are_refused_before_anything_is_sent", function()
  for _, change in ipairs { { url = "ftp://127.0.0.1/" }, { url = "not a url" }, { headers = { A = "b\r\nC: d" } },
    { auth = { env = "LRE_NOT_LOADED" } } } do
    local response, err = ask("/faults/ok/never", change)
    test.eq({ response, err.sent }, { nil, false })
  end
  test.eq(assert(http.request { url = test.nginx() .. "/count/never" }).body:match("%d+"), "0")
  test.raises(function() http.request {} end, "url: expected a string")
  test.raises(function() http.request { url = "http://x/", timeouts = { total = -1 } } end, "timeouts.total")
  test.raises(function() http.request { url = "http://x/", headers = { 1 } } end, "headers")
end)

test("a_cancelled_request_is_gone_and_the_rest_goes_on", function()
  local task = sched.spawn(ask, "/faults/slow-headers")
  sched.sleep(0.02)
  task:cancel()
  pcall(task.wait, task)
  test.eq(task:status(), "cancelled")
  test.eq(assert(ask "").status, 200)
end)

test("a_deadline_ends_a_request", function()
  local response, err = sched.deadline(0.1, ask, "/faults/hang-body")
  test.eq({ response, err.code }, { nil, "deadline" })
end)

test("a_request_where_lua_cannot_wait_is_not_sent", function()
  test.raises(function()
    table.sort({ 2, 1 }, function() return ask "/faults/ok/sorted" end)
  end, "http.request: a script cannot wait")
  sched.sleep(0.02)
  test.eq(assert(http.request { url = test.nginx() .. "/count/sorted" }).body:match("%d+"), "0")
end)

test("options_come_before_the_first_request", function()
  assert(ask "")
  test.raises(function() http.configure { user_agent = "late" } end, "before the first request")
end)

test("escape_leaves_only_unreserved_characters", function()
  test.eq(http.escape "a b/é~-._", "a%20b%2F%C3%A9~-._")
end)

test("a_key_is_sent_but_never_seen", function()
  local path = test.folder() .. "/x.lua"
  assert(fs.write(path, [[
    local http, fs = require "lre.http", require "lre.fs"
    assert(http.load_key "LRE_TEST_KEY")
    assert(http.load_key "LRE_TEST_UNSET" == false)
    local response, err = http.request { method = "POST", url = arg[1], body = arg[2],
      headers = { ["Content-Type"] = "application/json" },
      auth = { env = "LRE_TEST_KEY", header = "Authorization", prefix = "Bearer " } }
    print(response.status, response.body)
    for name, value in pairs(response.headers) do print(name, value) end
    error("with " .. response.body)
  ]]))
  local url = test.nginx() .. "/faults/401/keyed/v1/chat/completions"
  local out = assert(process.run {
    "env", "LRE_TEST_KEY=sk-very-secret-12345", test.program, "script", path, "--", url, body,
  })
  test.has(out.out, "401")
  test.has(out.out, "[redacted]")
  test.ok(not (out.out .. out.err):find("very-secret", 1, true), "the key was shown")
  local seen = json.decode(assert(http.request { url = test.nginx() .. "/requests/keyed" }).body)
  local sent
  for name, value in pairs(seen[1].headers) do
    if name:lower() == "authorization" then sent = value end
  end
  test.eq(sent, "Bearer sk-very-secret-12345")
end)
