-- lre.model without a network: which adapter, which key, what is hashed, and what a failure leads to. The adapters here
-- are `call` adapters that answer from a list.
local adapters = require "lre.adapter"
local hash = require "lre.hash"
local json = require "lre.json"
local model = require "lre.model"
local param = require "lre.params"
local providers = require "lre.providers"
local sched = require "lre.sched"
local test = require "lre.unit"

local question = { { role = "user", content = "What is a lark?" } }

local function resolve(spec)
  return model.resolve(param.merged({ dry = true }, spec))
end

local function refused(exit, text, spec)
  local err = test.raises(function() model.resolve(spec) end, text)
  test.eq(err.exit, exit)
  return err.message
end

-- Which adapter -------------------------------------------------------------------------------------------------------

test("a_first_part_that_is_an_adapters_name_decides", function()
  local m = resolve { name = "openai/org/model:free" }
  test.eq({ m.adapter, m.id, m.label }, { "openai", "org/model:free", "openai/org/model:free" })
end)

test("a_names_pattern_decides_where_no_part_does", function()
  local cases = {
    ["gpt-4o-mini"] = "openai", ["chatgpt-4o-latest"] = "openai", o1 = "openai", ["o3-mini"] = "openai",
    ["o4-mini-2025"] = "openai", ["claude-sonnet-4-0"] = "anthropic", ["fake-1b"] = "fake",
  }
  for name, adapter in pairs(cases) do
    local m = resolve { name = name }
    test.eq({ m.adapter, m.id, m.label }, { adapter, name, name })
  end
end)

test("the_flag_wins_over_the_name", function()
  local m = resolve { name = "claude-sonnet-4-0", adapter = "openai" }
  test.eq({ m.adapter, m.id }, { "openai", "claude-sonnet-4-0" })
  test.eq(resolve({ name = "openai/mock", adapter = "openai" }).id, "mock")
end)

test("model_id_is_asked_and_the_name_is_the_label", function()
  local m = resolve { name = "tiny", adapter = "openai", model_id = "org/Tiny-7B" }
  test.eq({ m.label, m.id }, { "tiny", "org/Tiny-7B" })
  test.has(m:preview(question).body, '"model":"org/Tiny-7B"')
end)

test("an_unknown_name_is_refused_with_the_candidates", function()
  local message = refused(3, "no adapter is known", { name = "mystery" })
  test.has(message, "anthropic, fake, gemini, hf, http, ollama, openai, openrouter")
  test.has(refused(3, "no adapter is known", { name = "opnai/gpt-4o" }), 'Did you mean "openai"')
  refused(3, "unknown adapter", { name = "x", adapter = "opnai" })
  refused(3, "needs a name", {})
end)

test("a_rosters_provider_label_and_rates_are_used", function()
  local m = resolve { roster = { id = "m-1", label = "Mine", provider = "OpenAI", rate_limit = { rps = 2, burst = 3 },
    params = { temperature = 1, top_k = 3 } }, params = { top_k = 5 },
    far = { params = { temperature = 0, top_p = 1 } } }
  test.eq({ m.adapter, m.id, m.label }, { "openai", "m-1", "Mine" })
  test.eq(m.params.top_k, 5)
  test.eq({ m.params.temperature, m.params.top_p }, { 1, 1 })
  test.eq({ m._bucket.rps, m._bucket.burst }, { 2, 3 })
end)

test("a_rosters_entry_without_a_provider_is_openrouters", function()
  local m = resolve { roster = { id = "qwen/qwen-2.5-7b-instruct" } }
  test.eq({ m.adapter, m.id, m.label }, { "openrouter", "qwen/qwen-2.5-7b-instruct", "qwen/qwen-2.5-7b-instruct" })
  test.has(m.choice, "a roster's default")
end)

test("every_pattern_leads_to_an_adapter", function()
  for _, row in ipairs(providers.patterns) do
    test.eq(adapters.open(row[2]).name, row[2])
  end
end)

-- Base URLs and keys --------------------------------------------------------------------------------------------------

test("a_base_url_without_its_last_slashes", function()
  test.eq(model.base_url("http://127.0.0.1:8000/v1//", "x"), "http://127.0.0.1:8000/v1")
  test.eq(model.base_url("HTTPS://host", "x"), "https://host")
end)

test("a_base_url_that_could_carry_a_secret_is_refused_and_not_shown", function()
  for _, url in ipairs { "https://me:hunter2@host/v1", "https://host/v1?key=hunter2", "https://host/v1#hunter2" } do
    local err = test.raises(function() model.base_url(url, "openai/x") end, "openai/x")
    test.eq(err.exit, 3)
    test.ok(not err.message:find("hunter2", 1, true), "the secret is shown")
  end
end)

test("a_base_url_must_be_one", function()
  for _, url in ipairs { "", "host:80/v1", "ftp://host/v1", "file:///etc/passwd", "http://", "http:///v1",
    "http://ho st/", "http://host/\r\nX: y" } do
    test.eq(test.raises(function() model.base_url(url, "x") end, "base URL").exit, 3)
  end
end)

test("only_https_and_loopback_are_safe_for_a_key", function()
  local safe = { "https://host/v1", "http://127.0.0.1:1/v1", "http://127.8.9.1", "http://localhost:80",
    "http://[::1]:8/" }
  for _, url in ipairs(safe) do test.eq(select(2, model.base_url(url, "x")), true, url) end
  local unsafe = { "http://host/v1", "http://127.0.0.1.example/v1", "http://localhost.example", "http://10.0.0.1",
    "http://127.evil.example", "http://127.0.0.999" }
  for _, url in ipairs(unsafe) do test.eq(select(2, model.base_url(url, "x")), false, url) end
end)

local unset = "LRE_TEST_NO_SUCH_VARIABLE"

local function keyed(env)
  return adapters.declare {
    name = "keyed", key_env = env, auth = { header = "X-Key", prefix = "" },
    options = { base_url = { "https://api.keyed.example/v1", "endpoint" } },
    request = function(m) return { path = "/ask", json = { model = m.id } } end,
    response = function() return { text = "", finish_reason = "stop" } end,
  }
end

test("a_missing_key_is_named_and_nothing_is_sent", function()
  refused(4, unset .. " is not set", { name = "m", adapter = keyed(unset) })
  refused(4, unset .. " is not set", { name = "m", adapter = "openai", base_url = "http://127.0.0.1:1/v1",
    api_key_env = unset })
end)

test("with_a_base_url_of_ones_own_the_key_is_optional", function()
  local m = model.resolve { name = "m", adapter = keyed(unset), base_url = "http://127.0.0.1:1/v1" }
  test.eq(m._auth, nil)
end)

test("a_key_goes_to_https_and_loopback_or_where_it_is_named_for", function()
  local adapter = keyed "PATH" -- any variable can hold a key
  local function auth(base_url, env)
    return model.resolve({ name = "m", adapter = adapter, base_url = base_url, api_key_env = env })._auth
  end
  local sent = { env = "PATH", header = "X-Key", prefix = "" }
  test.eq(auth(nil), sent)
  test.eq(auth "https://elsewhere.example/v1", sent)
  test.eq(auth "http://127.0.0.1:1/v1", sent)
  test.eq(auth "http://elsewhere.example/v1", nil)
  test.eq(auth("http://elsewhere.example/v1", "PATH"), sent)
end)

-- Parameters ----------------------------------------------------------------------------------------------------------

test("whole_numbers_are_one_request_however_they_are_written", function()
  local a, b = resolve { name = "gpt-4o", params = { temperature = 0 } }, resolve { name = "gpt-4o",
    params = { temperature = 0.0 } }
  test.eq(a:preview(question).request_hash, b:preview(question).request_hash)
end)

test("a_parameter_out_of_range_is_told_its_range", function()
  local cases = {
    { { temperature = 6 }, "from 0 to 2" }, { { temperature = "hot" }, "a number" },
    { { max_tokens = 0 }, "at least 1" },
    { { max_tokens = 1.5 }, "an integer" }, { { top_p = 0 / 0 }, "from 0 to 1" }, { { stop = { 1 } }, "strings" },
    { { reasoning_effort = "huge" }, "one of none, minimal" }, { { temprature = 1 }, 'Did you mean "temperature"' },
  }
  for _, case in ipairs(cases) do
    local err = test.raises(function() resolve { name = "gpt-4o", params = case[1] } end, case[2])
    test.eq(err.exit, 2)
    test.has(err.message, "gpt-4o")
  end
end)

test("a_param_flag_is_read_by_its_type", function()
  test.eq({ param.parse("top_p=0.5", "--param") }, { "top_p", 0.5 })
  test.eq({ param.parse("top_k=5", "--param") }, { "top_k", 5 })
  test.eq({ param.parse("stop=END", "--param") }, { "stop", { "END" } })
  test.raises(function() param.parse("top_p", "--param") end, "expected name=value")
end)

test("what_chat_is_given_differs_from_the_models_own_for_that_call", function()
  local m = resolve { name = "gpt-4o" }
  test.has(m:preview(question, { temperature = 1, max_tokens = 9 }).body, '"max_tokens":9')
  test.has(m:preview(question).body, '"max_tokens":512')
end)

-- Hashes --------------------------------------------------------------------------------------------------------------

local function http_adapter(change)
  return adapters.declare(param.merged({
    name = "plain",
    options = { base_url = { "https://api.plain.example/v1", "endpoint" }, template = { "chat", "never sent" } },
    request = function(m, messages, params)
      return { path = "/ask/" .. m.id, headers = { ["X-Version"] = "2", ["Api-Key"] = "hunter2" },
        json = { messages = messages, params = params } }
    end,
    response = function() return { text = "", finish_reason = "stop" } end,
  }, change or {}))
end

test("the_request_hash_is_that_of_the_canonical_json_of_what_is_sent", function()
  local m = resolve { name = "m", adapter = http_adapter() }
  local sent = {
    endpoint = "https://api.plain.example/v1", method = "POST", path = "/ask/m", headers = { ["x-version"] = "2" },
    body = { messages = question, params = { temperature = 0, max_tokens = 512, seed = 44 } },
    options = { template = "chat" }, ["repeat"] = 3,
  }
  test.eq(m:preview(question, nil, { ["repeat"] = 3 }).request_hash, hash.sha256(assert(json.encode(sent))))
end)

test("a_raw_body_is_hashed_as_the_text_it_is", function()
  local m = resolve { name = "m", adapter = http_adapter {
    request = function() return { method = "PUT", path = "/raw", body = "a=1&b=2" } end,
  } }
  local sent = {
    endpoint = "https://api.plain.example/v1", method = "PUT", path = "/raw", headers = {}, body = "a=1&b=2",
    options = { template = "chat" }, ["repeat"] = 1,
  }
  test.eq(m:preview(question).request_hash, hash.sha256(assert(json.encode(sent))))
end)

test("a_call_adapters_question_stands_for_the_body", function()
  local m = resolve { name = "fake/fake-1b", options = { refusal_rate = 0.25 } }
  local sent = {
    endpoint = "call:fake:" .. m.adapter_hash, method = "CALL", path = "", headers = {},
    body = { messages = question, model = "fake-1b", params = { temperature = 0, max_tokens = 512, seed = 42 } },
    options = { refusal_rate = 0.25, seed = -1 }, ["repeat"] = 1,
  }
  test.eq(m:preview(question).request_hash, hash.sha256(assert(json.encode(sent))))
end)

test("the_hash_differs_with_everything_that_can_change_the_answer", function()
  local seen = {}
  local function add(what, spec, messages, opts)
    local m = resolve(param.merged({ name = "m", adapter = http_adapter() }, spec))
    local digest = m:preview(messages or question, nil, opts).request_hash
    test.ok(not seen[digest], what .. " does not change the hash")
    seen[digest] = true
  end
  add("nothing", {})
  add("the model", { model_id = "n" })
  add("the endpoint", { base_url = "https://other.example/v1" })
  add("a parameter", { params = { temperature = 1 } })
  add("an option that is not sent", { options = { template = "none" } })
  add("the repeat", {}, nil, { ["repeat"] = 2 })
  add("the question", {}, { { role = "user", content = "What is a wren?" } })
  add("the role", {}, { { role = "assistant", content = "What is a lark?" } })
end)

test("repeats_over_http_have_seeds_of_their_own", function()
  local m = resolve { name = "gpt-4o", params = { seed = 42 } }
  test.has(m:preview(question).body, '"seed":42')
  test.has(m:preview(question, nil, { ["repeat"] = 3 }).body, '"seed":44')
end)

test("text_that_is_not_utf8_is_an_error_not_a_request", function()
  for _, name in ipairs { "gpt-4o", "fake-1b" } do
    local response, err = resolve({ name = name }):chat { { role = "user", content = "bad \255 byte" } }
    test.eq(response, nil)
    test.eq(err.code, "bad_request")
    test.has(err.message, "UTF-8")
  end
end)

-- Failures ------------------------------------------------------------------------------------------------------------

local made = 0

-- A model that answers from `outcomes`: a text, a Response, an error, or a function; the last one for ever.
local function scripted(outcomes, spec)
  made = made + 1
  local asked = { n = 0, params = {} }
  local adapter = adapters.declare {
    name = "scripted" .. made,
    call = function(_, _, params)
      asked.n = asked.n + 1
      asked.params[asked.n] = params
      local outcome = outcomes[math.min(asked.n, #outcomes)]
      if type(outcome) == "function" then return outcome() end
      if type(outcome) == "string" then return { text = outcome, finish_reason = "stop" } end
      if outcome.text then return param.merged(outcome, {}) end
      return nil, param.merged(outcome, {})
    end,
  }
  return model.resolve(param.merged({ name = "m", adapter = adapter, backoff = 0.001 }, spec or {})), asked
end

local limited = { code = "rate_limited", status = 429, message = "slow down" }
local broken = { code = "server", status = 503, message = "down" }

test("an_answer_carries_what_the_journal_needs", function()
  local m = scripted { "A bird." }
  local r = assert(m:chat(question))
  test.eq({ r.text, r.finish_reason, r.attempts, r.usage }, { "A bird.", "stop", 1, {} })
  test.eq(r.sent_params, { temperature = 0, max_tokens = 512, seed = 42 })
  test.eq(r.request_hash, m:preview(question).request_hash)
end)

test("a_failure_is_tried_again_until_there_is_an_answer", function()
  local m, asked = scripted { limited, broken, "A bird." }
  local r = assert(m:chat(question))
  test.eq({ r.text, r.attempts, asked.n }, { "A bird.", 3, 3 })
end)

test("after_five_tries_the_error_stays", function()
  local m, asked = scripted { broken }
  local r, err = m:chat(question)
  test.eq(r, nil)
  test.eq({ asked.n, err.code, err.status, err.attempts }, { 5, "server", 503, 5 })
  test.has(err.message, "after 5 tries")
  test.eq(err.request_hash, m:preview(question).request_hash)
  test.eq(err.exit, nil)
end)

test("retries_0_asks_once", function()
  local m, asked = scripted({ broken }, { retries = 0 })
  test.eq(select(2, m:chat(question)).attempts, 1)
  test.eq(asked.n, 1)
end)

test("the_trials_place_is_left_while_a_retry_waits", function()
  local m = scripted { broken, broken, "A bird." }
  local seen = {}
  assert(m:chat(question, nil, {
    pause = function() seen[#seen + 1] = "pause" end,
    resume = function() seen[#seen + 1] = "resume" end,
  }))
  test.eq(table.concat(seen, " "), "pause resume pause resume")
end)

test("a_rosters_concurrency_bounds_the_requests_to_that_model", function()
  local now, most = 0, 0
  local m = scripted({ function()
    now = now + 1
    most = math.max(most, now)
    sched.sleep(0.002)
    now = now - 1
    return { text = "A bird." }
  end }, { roster = { id = "bounded", concurrency = 2 } })
  local tasks = {}
  for i = 1, 8 do tasks[i] = sched.spawn(function() assert(m:chat(question)) end) end
  for i = 1, 8 do tasks[i]:wait() end
  test.eq(most, 2)
end)

test("every_wait_has_a_limit_where_a_script_names_none", function()
  test.eq(resolve({ name = "gpt-4o" })._timeouts, { connect = 10, first_byte = 600, stall = 60, total = 900 })
  test.eq(resolve({ name = "gpt-4o", timeouts = { stall = 5 } })._timeouts.stall, 5)
end)

test("a_refused_key_stops_the_provider_at_once", function()
  local m, asked = scripted { { code = "auth", status = 401, message = "bad key" } }
  local _, err = m:chat(question)
  test.eq({ err.code, err.exit, err.attempts }, { "auth", 4, 1 })
  _, err = m:chat(question)
  test.eq({ err.code, err.exit, err.attempts, asked.n }, { "provider_stopped", 4, 0, 1 })
  test.has(err.message, "bad key")
end)

test("another_provider_goes_on_where_one_is_stopped", function()
  local bad = scripted { { code = "payment", status = 402, message = "no credit" } }
  bad:chat(question)
  test.eq(assert(scripted({ "A bird." }):chat(question)).text, "A bird.")
end)

test("a_stop_reaches_the_trials_that_wait_for_a_retry", function()
  local m, asked = scripted({ broken, { code = "auth", status = 401, message = "bad key" } }, { backoff = 3600 })
  local err
  local waiting = sched.spawn(function() err = select(2, m:chat(question)) end)
  sched.sleep(0.001)
  m:chat(question)
  sched.deadline(20, waiting.wait, waiting)
  test.eq({ err and err.code, asked.n }, { "provider_stopped", 2 })
end)

test("an_error_may_be_a_sentence", function()
  local m = scripted { function() return nil, "the line is dead" end }
  local _, err = m:chat(question)
  test.eq({ err.kind, err.code, err.message }, { "provider", "provider_error", "the line is dead" })
end)

test("an_adapter_without_an_answer_or_an_error_is_an_error", function()
  local _, err = scripted({ function() end }):chat(question)
  test.eq(err.code, "provider_error")
end)

test("a_bug_in_an_adapter_raises", function()
  test.raises(function() scripted({ function() error "oops" end }):chat(question) end, "oops")
  test.raises(function() scripted({ function() return {} end }):chat(question) end, "needs `text`")
end)

test("text_that_is_not_utf8_is_no_answer", function()
  local _, err = scripted({ "bad \255 byte" }):chat(question)
  test.eq(err.code, "bad_reply")
  test.eq(err.attempts, 2)
end)

test("an_unknown_finish_reason_is_other", function()
  test.eq(assert(scripted({ { text = "x", finish_reason = "sparkle" } }):chat(question)).finish_reason, "other")
  test.eq(assert(scripted({ { text = "x" } }):chat(question)).finish_reason, "other")
end)

test("a_parameter_that_the_model_does_not_take_is_dropped_once_and_that_is_recorded", function()
  local refusal = { code = "bad_request", status = 400, message = "Unsupported parameter: 'seed'" }
  local m, asked = scripted { refusal, "A bird." }
  local before = m:preview(question).request_hash
  local r = assert(m:chat(question))
  test.eq(r.sent_params, { temperature = 0, max_tokens = 512 })
  test.eq({ asked.params[1].seed, asked.params[2].seed }, { 42, nil })
  test.eq(r.request_hash, before)
  r = assert(m:chat(question))
  test.eq({ asked.n, r.sent_params.seed, r.request_hash == before }, { 3, nil, true })
end)

test("a_model_that_refuses_what_was_not_sent_is_not_asked_for_ever", function()
  local m, asked = scripted { { code = "bad_request", status = 400, message = "Unsupported parameter: 'seed'" } }
  local _, err = m:chat(question)
  test.eq({ err.code, asked.n, err.sent_params.seed }, { "bad_request", 2, nil })
end)

-- fake ----------------------------------------------------------------------------------------------------------------

test("the_fake_model_never_yields", function()
  local ran = false
  local other = sched.spawn(function() ran = true end)
  local m = resolve { name = "fake-1b" }
  for i = 1, 200 do assert(m:chat { { role = "user", content = "q" .. i } }) end
  test.eq(ran, false)
  other:wait()
  test.eq(ran, true)
end)

test("a_key_in_the_place_of_its_variable_is_not_echoed", function()
  for _, key in ipairs { "sk-abcdef", "gsk_abcdefghij0123456789xyz" } do
    local message = refused(2, "expected the name of an environment variable", { name = "openai/x", api_key_env = key })
    test.ok(not message:find(key, 1, true))
  end
end)
