-- lre.model over real sockets: every fault of tests/nginx, and what comes of it.
local adapters = require "lre.adapter"
local clock = require "lre.clock"
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local log = require "lre.log"
local model = require "lre.model"
local param = require "lre.params"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local folder = os.tmpname()
os.remove(folder)
local started = assert(process.run { "sh", "tests/nginx/start.sh", folder, timeout = 60 })
local port = started.exit == 0 and started.out:match "%d+"
if not port then
  return test("nginx_starts", function()
    if started.exit == 77 then test.skip(started.err) end
    error(started.err)
  end)
end

-- Any variable can hold a key; this one is set everywhere. Read before it is loaded: afterwards nobody can.
local key_env, key = "PATH", os.getenv "PATH"
local question = { { role = "user", content = "What is a lark?" } }
local tokens = 0

local function get(path)
  local reply = assert(http.request { method = "GET", url = ("http://127.0.0.1:%s%s"):format(port, path) })
  return assert(json.decode(reply.body))
end

-- A model behind a fault of its own, and a function that tells how many requests came there.
local function behind(fault, spec, adapter)
  tokens = tokens + 1
  local token = ("t%d"):format(tokens)
  local m = model.resolve(param.merged({
    name = (adapter or "openai") .. "/mock", backoff = 0.001,
    base_url = ("http://127.0.0.1:%s/faults/%s/%s/v1"):format(port, fault, token),
  }, spec or {}))
  return m, function() return get("/count/" .. token) end, function() return get("/requests/" .. token) end
end

local function expect_error(fault, code, requests, spec)
  local m, count = behind(fault, spec)
  local response, err = m:chat(question)
  test.eq(response, nil)
  test.eq(err.code, code, fault)
  test.eq(count(), requests, fault)
  test.eq(err.attempts, requests, fault)
  test.ok(#err.message < 700 and not err.message:find "[%c]", "a message that is not fit to show")
  return err
end

local function expect_answer(fault, requests, spec, adapter)
  local m, count = behind(fault, spec, adapter)
  local response, err = m:chat(question)
  test.ok(response, err and err.message)
  test.eq(count(), requests, fault)
  return response
end

-- Answers -------------------------------------------------------------------------------------------------------------

for _, adapter in ipairs { "openai", "anthropic" } do
  test("an_answer_comes_back_from_" .. adapter, function()
    local r = expect_answer("echo", 1, nil, adapter)
    test.eq({ r.text, r.finish_reason, r.model, r.attempts }, { "What is a lark?", "stop", "mock", 1 })
    test.ok(r.usage.input_tokens > 0 and r.usage.output_tokens > 0 and r.seconds >= 0)
    test.ok(r.request_id and #r.request_hash == 64)
  end)

  test("every_way_to_finish_is_recognised_from_" .. adapter, function()
    local openai = adapter == "openai"
    local cases = {
      length = "length", ["length-empty"] = "length", tool = "tool", ["unknown-finish"] = "other",
      ["null-content"] = "stop", refusal = "refusal", ["content-filter"] = openai and "content_filter" or "refusal",
    }
    for fault, finish in pairs(cases) do
      test.eq(expect_answer(fault, 1, nil, adapter).finish_reason, finish, fault)
    end
    test.eq(expect_answer("reasoning", 1, nil, adapter).reasoning, "The user asks; I think first.")
  end)
end

test("what_is_sent_is_the_canonical_body_with_its_type_and_no_key", function()
  local m, _, requests = behind "ok"
  local messages = { { role = "system", content = "Sé breve." }, { role = "user", content = "¿Qué es?" } }
  assert(m:chat(messages))
  local got = requests()[1]
  test.eq(assert(json.decode(got.body)),
    { model = "mock", messages = messages, temperature = 0, max_tokens = 512, seed = 42 })
  test.eq(got.body, m:preview(messages).body)
  test.eq(got.headers["content-type"], "application/json")
  test.eq({ got.headers.authorization, got.method }, { nil, "POST" })
end)

test("anthropic_gets_its_headers_and_its_system_prompt_apart", function()
  local m, _, requests = behind("ok", { api_key_env = key_env }, "anthropic")
  assert(m:chat { { role = "system", content = "Be brief." }, question[1] })
  local got = requests()[1]
  test.eq(got.headers["anthropic-version"], "2023-06-01")
  test.ok(got.headers["x-api-key"], "the key was not sent")
  test.eq(assert(json.decode(got.body)).system, "Be brief.")
end)

test("the_key_is_sent_as_a_bearer_token", function()
  local m, _, requests = behind("ok", { api_key_env = key_env })
  assert(m:chat(question))
  test.has(requests()[1].headers.authorization, "Bearer ")
end)

test("a_big_integer_in_a_reply_is_no_trouble", function()
  expect_answer("big-integer", 1)
end)

-- Retries -------------------------------------------------------------------------------------------------------------

test("a_passing_failure_is_asked_again", function()
  for _, fault in ipairs { "429-0-then-ok", "429-ms-then-ok", "429-bare-then-ok", "500-then-ok", "503-then-ok",
    "529-then-ok", "reset-then-ok", "200-error-then-ok" } do
    test.eq(expect_answer(fault, 2).attempts, 2, fault)
  end
end)

test("retry_after_is_obeyed", function()
  local begun = clock.mono()
  expect_answer("429-then-ok", 2)
  test.ok(clock.mono() - begun >= 0.99, "asked again too soon")
end)

test("a_pause_that_one_trial_was_told_holds_the_others_up", function()
  local m = behind "429-then-ok"
  local first = sched.spawn(function() assert(m:chat(question)) end)
  while not m._provider.paused_till and first:status() == "running" do sched.sleep(0.005) end
  local till = m._provider.paused_till
  local second = sched.spawn(function() assert(m:chat(question)) end)
  second:wait()
  test.ok(clock.mono() >= till, "asked during the pause")
  first:wait()
end)

test("what_does_not_pass_ends_after_five_tries", function()
  local cases = { ["429"] = "rate_limited", ["500"] = "server", ["529"] = "server", ["403-rate-limit"] = "rate_limited",
    ["200-error"] = "server", ["reset-before-headers"] = "reset" }
  for fault, code in pairs(cases) do expect_error(fault, code, 5) end
end)

test("a_connection_that_breaks_in_the_body_is_asked_again", function()
  for _, fault in ipairs { "reset-mid-body", "close-mid-body" } do
    local m, count = behind(fault, { retries = 2 })
    local _, err = m:chat(question)
    test.eq(err.kind, "http")
    test.ok(err.code == "reset" or err.code == "partial", err.code)
    test.eq(count(), 3)
  end
end)

test("nobody_listening_is_an_error_that_says_so", function()
  local m = model.resolve { name = "openai/mock", base_url = "http://127.0.0.1:1/v1", backoff = 0.001 }
  local _, err = m:chat(question)
  test.eq({ err.kind, err.code, err.attempts }, { "http", "connect", 5 })
end)

test("a_wait_over_the_cap_is_not_waited", function()
  local err = expect_error("429-long", "rate_limited", 1)
  test.has(err.message, "more than --max-retry-after (600 s)")
  test.eq(err.retry_after, 100000)
end)

test("a_provider_that_wants_too_long_a_wait_is_not_knocked_at_again", function()
  local m, count = behind "429-long"
  m:chat(question)
  for _ = 1, 3 do
    local _, err = m:chat(question)
    test.eq({ err.code, err.status, err.attempts, err.exit }, { "rate_limited", 429, 0, nil })
    test.has(err.message, "not asked")
  end
  test.eq(count(), 1)
end)

test("a_timeout_after_sending_is_asked_again_once", function()
  local cases = {
    ["slow-headers"] = { "timeout_first_byte", { first_byte = 0.5 } },
    ["hang-body"] = { "timeout_stall", { stall = 0.5 } },
    ["hang-last-byte"] = { "timeout_stall", { stall = 0.5 } },
    drip = { "timeout_total", { total = 0.5 } },
  }
  for fault, case in pairs(cases) do expect_error(fault, case[1], 2, { timeouts = case[2] }) end
end)

test("a_trial_that_runs_out_of_time_gives_its_connection_back", function()
  local m = behind("slow-headers", { max_connections = 1 })
  local waiting = sched.spawn(function() return select(2, sched.deadline(0.1, m.chat, m, question)) end)
  test.eq(select(2, sched.deadline(0.1, m.chat, m, question)).code, "deadline")
  test.eq(waiting:wait().code, "deadline")
  test.eq(m._provider.used, 0)
end)

-- Errors that stay ----------------------------------------------------------------------------------------------------

test("a_request_that_cannot_be_served_is_sent_once", function()
  expect_error("400", "bad_request", 1)
  test.has(expect_error("404-html", "not_found", 1).message, "404 Not Found")
  test.has(expect_error("302", "redirect", 1).message, "redirects are not followed")
  expect_error("200-fatal", "not_found", 1)
  expect_error("huge", "too_large", 1)
end)

test("a_reply_that_is_no_answer_is_asked_for_once_more", function()
  for _, fault in ipairs { "truncated-json", "invalid-utf8", "nul", "surrogate", "deep-json", "duplicate-key",
    "empty-body", "html", "no-choices" } do
    expect_error(fault, "bad_reply", 2)
  end
end)

test("401_402_and_403_stop_the_provider_at_once", function()
  for fault, code in pairs { ["401"] = "auth", ["402"] = "payment", ["403"] = "forbidden" } do
    local m, count = behind(fault)
    local _, err = m:chat(question)
    test.eq({ err.code, err.exit, err.status }, { code, 4, tonumber(fault) })
    test.has(err.message, "no key was sent; it would be read from OPENAI_API_KEY")
    _, err = m:chat(question)
    test.eq({ err.code, err.exit, count() }, { "provider_stopped", 4, 1 })
  end
end)

-- Every string that can be reached from a value.
local function strings(value, out)
  if type(value) == "string" then out[#out + 1] = value end
  if type(value) == "table" then
    for k, v in next, value do
      strings(k, out)
      strings(v, out)
    end
  end
  return out
end

test("a_key_that_the_server_echoes_is_in_no_error_and_no_answer", function()
  local m = behind("401", { api_key_env = key_env })
  local _, err = m:chat(question)
  test.eq(err.code, "auth")
  test.has(err.message, "the key is the one in PATH")
  local response = expect_answer("echo-key", 1, { api_key_env = key_env })
  test.has(response.text, "[redacted]")
  local shown = table.concat(strings({ err, response, tostring(err), m.choice, m.hash_inputs }, {}), "\n")
  test.ok(not shown:find(key, 1, true), "the key is shown")
end)

test("the_log_tells_each_retry_and_at_debug_the_exchange_without_the_key", function()
  local path = folder .. "/run.log"
  assert(log.open(path))
  expect_answer("429-ms-then-ok", 2)
  log.level "DEBUG"
  test.eq(behind("401", { api_key_env = key_env }):chat(question), nil)
  log.level "WARNING"
  log.close()
  local shown = assert(fs.read(path))
  test.has(shown, "retry in 0.020 s (retry-after-ms) after status 429: ")
  test.has(shown, "POST http://127.0.0.1:" .. port)
  test.has(shown, "What is a lark?")
  test.has(shown, "status 401")
  test.ok(not shown:find(key, 1, true), "the key is in the log")
end)

-- An adapter as docs/adapter.md shows it: it looks at no status and expects its own shape.
local minimal = adapters.declare {
  name = "minimal",
  options = { base_url = { "https://api.minimal.example/v1", "endpoint" } },
  request = function(m, messages)
    return { path = "/chat/completions", json = { model = m.id, messages = messages } }
  end,
  response = function(_, _, body)
    local reply, err = json.decode(body, { bigint = "string" })
    if not reply then return nil, err end
    return { text = reply.id or "", finish_reason = "stop" }
  end,
}

test("a_minimal_adapter_turns_no_error_into_an_answer", function()
  local cases = {
    ["401"] = { "auth", 1, "Incorrect API key" }, ["400"] = { "bad_request", 1, "cannot be served" },
    ["403-rate-limit"] = { "rate_limited", 5, "Rate limit exceeded" },
    ["404-html"] = { "not_found", 1, "404 Not Found" },
    ["500"] = { "server", 5, "The server had an error" }, ["truncated-json"] = { "bad_reply", 2, "not JSON" },
    ["302"] = { "redirect", 1, "moved" },
  }
  for fault, case in pairs(cases) do
    local err = expect_error(fault, case[1], case[2], { name = "mock", adapter = minimal })
    test.has(err.message, case[3])
  end
  test.has(expect_answer("ok", 1, { name = "mock", adapter = minimal }).text, "chatcmpl-")
end)

test("an_adapters_own_word_for_a_refused_key_stops_the_provider_too", function()
  local wordy = param.merged(minimal, {})
  wordy.response = function() return nil, { code = "go_away", message = "nope" } end
  local m = behind("401", { name = "mock", adapter = adapters.declare(wordy) })
  test.eq(select(2, m:chat(question)).exit, 4)
  test.eq(select(2, m:chat(question)).code, "provider_stopped")
end)

-- What a model does not take ------------------------------------------------------------------------------------------

test("a_400_teaches_what_the_model_takes_once", function()
  local cases = {
    ["400-max-tokens"] = { temperature = 0, seed = 42, max_completion_tokens = 512 },
    ["400-temperature"] = { max_tokens = 512, seed = 42 },
    ["400-both"] = { max_completion_tokens = 512, seed = 42 },
  }
  for fault, sent in pairs(cases) do
    local m, count, requests = behind(fault)
    local first = assert(m:chat(question))
    local lessons = fault == "400-both" and 2 or 1
    test.eq({ first.sent_params, first.attempts, count() }, { sent, 1, lessons + 1 }, fault)
    local second = assert(m:chat(question))
    test.eq({ second.sent_params, count() }, { sent, lessons + 2 }, fault)
    test.eq(second.request_hash, first.request_hash)
    local last = assert(json.decode(requests()[lessons + 2].body))
    test.eq({ last.max_completion_tokens, last.temperature },
      { sent.max_completion_tokens, sent.temperature }, fault)
  end
end)

test("a_lesson_is_learned_once_when_many_ask_together", function()
  local m, count = behind "400-temperature"
  local tasks = {}
  for i = 1, 8 do tasks[i] = sched.spawn(function() return assert(m:chat(question)).attempts end) end
  for i = 1, 8 do test.eq(tasks[i]:wait(), 1) end
  test.ok(count() <= 16)
  test.eq(m._provider.learned.mock.version, 1)
end)

-- A program instead of a server ---------------------------------------------------------------------------------------

test("the_example_adapter_asks_a_program", function()
  local m = model.resolve { name = "echo", adapter = "examples/adapter_program.lua" }
  local r = assert(m:chat(question))
  local asked = assert(json.encode { model = "echo", messages = question, params = m.params }) .. "\n"
  test.eq({ r.text, r.finish_reason }, { ("I was asked %d bytes."):format(#asked), "stop" })
end)

test("a_program_that_fails_is_an_error", function()
  local cases = { { "false", "exit" }, { "true", "empty" }, { "./no_such_program", "not_found" } }
  for _, case in ipairs(cases) do
    local m = model.resolve { name = "echo", adapter = "examples/adapter_program.lua", options = { program = case[1] } }
    local _, err = m:chat(question)
    test.eq(err.code, case[2], case[1])
    test.eq(err.attempts, 1)
  end
end)

process.run { "sh", "tests/nginx/stop.sh", folder, timeout = 60 }
local left = fs.list(folder) and process.run { "rm", "-rf", folder, timeout = 60 }
test("the_server_is_gone", function() test.eq(left and left.exit, 0) end)
