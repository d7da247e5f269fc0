-- The adapters over real sockets, each with a key of its own; rosters and their limits.
local clock = require "lre.clock"
local experiment = require "lre.experiment"
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local model = require "lre.model"
local param = require "lre.params"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local question = { { role = "user", content = "What is a lark?" } }
local tokens = 0

local function get(path)
  return assert(json.decode(assert(http.request { method = "GET", url = test.nginx() .. path }).body))
end

local function token_of()
  tokens = tokens + 1
  return ("a%d"):format(tokens)
end

local function behind(adapter, fault, spec)
  local token = token_of()
  local m = model.resolve(param.merged({ name = adapter .. "/mock", backoff = 0.001,
    base_url = ("%s/faults/%s/%s/v1"):format(test.nginx(), fault, token) }, spec or {}))
  return m, function() return get("/requests/" .. token) end
end

local PLAIN = { options = { path = "/generate", body = '{"q":"{{prompt}}"}', text = "/answer" } }

test("every_adapter_gets_an_answer", function()
  for _, adapter in ipairs { "openai", "anthropic", "openrouter", "gemini", "ollama", "http" } do
    local m = behind(adapter, "echo", adapter == "http" and PLAIN or nil)
    local r, err = m:chat(question)
    test.ok(r, err and err.message)
    test.eq(r.text, "What is a lark?", adapter)
    if adapter ~= "http" then test.eq({ r.finish_reason, r.model }, { "stop", "mock" }, adapter) end
  end
end)

test("openrouter_tells_who_answered_and_what_it_cost", function()
  local m = behind("openrouter", "routed")
  local r = assert(m:chat(question))
  test.eq({ r.provider, r.usage.cost_usd }, { "Groq", 0.0025 })
end)

test("an_error_inside_a_200_is_asked_again", function()
  local m, requests = behind("openrouter", "200-error-then-ok")
  test.eq(assert(m:chat(question)).attempts, 2)
  test.eq(#requests(), 2)
end)

test("a_flagged_prompt_is_an_outcome_and_stops_nobody", function()
  local m, requests = behind("openrouter", "moderated")
  for _ = 1, 2 do test.eq(assert(m:chat(question)).finish_reason, "content_filter") end
  test.eq(#requests(), 2)
end)

test("a_wait_that_the_body_asks_for_is_waited", function()
  local m = behind("gemini", "gemini-429-then-ok")
  local begun = clock.mono()
  test.eq(assert(m:chat(question)).attempts, 2)
  test.ok(clock.mono() - begun >= 0.049, "asked again too soon")
end)

-- Keys: children of this process, so that each has an environment of its own ----------------------------------------

local KEYS = { OPENAI_API_KEY = "sk-openai-0001", ANTHROPIC_API_KEY = "sk-anthropic-0002",
  OPENROUTER_API_KEY = "sk-openrouter-0003", GEMINI_API_KEY = "sk-gemini-0004", MY_KEY = "sk-mine-0005" }

local function environment(names)
  local out = {}
  for i, name in ipairs(names) do out[i] = name .. "=" .. KEYS[name] end
  return table.concat(out, " ")
end

local function lre(path, env, words)
  local command = ("cd %s && exec env -i PATH=\"$PATH\" HOME=%s %s %s %s"):format(path, path, env, test.program, words)
  return assert(process.run { "sh", "-c", command, timeout = 60 })
end

local function project(roster)
  local path = test.folder()
  assert(fs.write(path .. "/suite.jsonl", '{"id":"a","text":"one"}\n{"id":"b","text":"two"}\n'))
  if roster then assert(fs.write(path .. "/models.json", assert(json.encode(roster)))) end
  return path
end

local function keys_in(request)
  local found = {}
  for name, key in pairs(KEYS) do
    if json.encode(request):find(key, 1, true) then found[#found + 1] = name end
  end
  table.sort(found)
  return table.concat(found, " ")
end

test("each_provider_gets_its_own_key_and_no_other", function()
  local roster, token = json.array {}, {}
  local where = { openai = "OPENAI_API_KEY", anthropic = "ANTHROPIC_API_KEY", openrouter = "OPENROUTER_API_KEY",
    gemini = "GEMINI_API_KEY", http = "MY_KEY", ollama = "" }
  for adapter, name in pairs(where) do
    token[adapter] = token_of()
    roster[#roster + 1] = { id = "m", label = adapter, provider = adapter,
      base_url = ("%s/faults/ok/%s/v1"):format(test.nginx(), token[adapter]),
      api_key_env = name == "MY_KEY" and name or nil, options = adapter == "http" and PLAIN.options or nil }
  end
  local path = project(roster)
  local result = lre(path, environment { "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY",
    "MY_KEY" }, "run --models models.json --suite suite.jsonl --run-id r --log-level DEBUG")
  test.eq(result.exit, 0, result.err)
  for adapter, name in pairs(where) do
    local requests = get("/requests/" .. token[adapter])
    test.eq(#requests, 2, adapter)
    for _, request in ipairs(requests) do test.eq(keys_in(request), name, adapter) end
  end
  for _, key in pairs(KEYS) do
    test.ok(not (result.out .. result.err):find(key, 1, true), "a key is shown")
    test.eq(assert(process.run { "grep", "-rl", "-e", key, path }).out, "", "a key is in a file")
  end
end)

test("only_openrouters_key_makes_a_vendors_name_its_own", function()
  local path, token = project(), token_of()
  local url = ("OPENROUTER_BASE_URL=%s/faults/routed/%s/v1 "):format(test.nginx(), token)
  local words = "run --model x-ai/grok-4-fast --suite suite.jsonl --run-id r"
  local result = lre(path, url .. environment { "OPENROUTER_API_KEY" }, words)
  test.eq(result.exit, 0, result.err)
  test.has(result.err, "model    x-ai/grok-4-fast: adapter openrouter (only its key is set), id x-ai/grok-4-fast")
  for _, request in ipairs(get("/requests/" .. token)) do test.eq(keys_in(request), "OPENROUTER_API_KEY") end
  local journal = assert(fs.read(path .. "/runs/r/partials.jsonl"))
  test.has(journal, '"provider":"Groq"')
  test.has(journal, '"cost_usd":0.0025')
  local two = lre(path, url .. environment { "OPENROUTER_API_KEY", "OPENAI_API_KEY" }, words)
  test.eq(two.exit, 3)
  test.has(two.err, "write openrouter/x-ai/grok-4-fast")
  local other = lre(path, environment { "OPENROUTER_API_KEY" }, "run --model openai/gpt-4o --suite suite.jsonl")
  test.eq(other.exit, 4)
  test.has(other.err, "OPENROUTER_API_KEY is set: openrouter/openai/gpt-4o would be asked there")
end)

test("a_key_from_the_env_file_is_sent_and_is_in_no_other_file", function()
  local path, token = project(), token_of()
  assert(fs.write(path .. "/.env", ("OPENROUTER_API_KEY=%s\nOPENROUTER_BASE_URL=%s/faults/ok/%s/v1\n"):format(
    KEYS.OPENROUTER_API_KEY, test.nginx(), token)))
  local result = lre(path, "", "run --model x-ai/grok-4-fast --suite suite.jsonl --run-id r --limit 1")
  test.eq(result.exit, 0, result.err)
  test.eq(keys_in(get("/requests/" .. token)[1]), "OPENROUTER_API_KEY")
  test.eq(assert(process.run { "grep", "-rl", "--exclude=.env", "-e", KEYS.OPENROUTER_API_KEY, path }).out, "")
end)

test("the_seeds_retries_are_extra_attempts_and_its_timeout_is_for_the_whole_request", function()
  local path, failing, slow = project(), token_of(), token_of()
  local function run(fault, token, env)
    local url = ("OPENROUTER_BASE_URL=%s/faults/%s/%s/v1 "):format(test.nginx(), fault, token)
    local result = lre(path, url .. env .. " " .. environment { "OPENROUTER_API_KEY" },
      "run --no-judge --model a/b --suite suite.jsonl --limit 1 --run-id " .. token)
    test.eq(result.exit, 1, result.err)
    return assert(json.decode((assert(fs.read(path .. "/runs/" .. token .. "/partials.jsonl")))))
  end
  test.eq(run("429", failing, "BENCH_MAX_RETRIES=2").response.error.code, "rate_limited")
  test.eq(#get("/requests/" .. failing), 3)
  test.eq(run("drip", slow, "BENCH_TIMEOUT_S=0.3 BENCH_MAX_RETRIES=0").response.error.code, "timeout_total")
  test.eq(#get("/requests/" .. slow), 1)
end)

test("the_seeds_scorer_judges_through_openrouter_with_its_key", function()
  local path, token = project(), token_of()
  local url = ("OPENROUTER_BASE_URL=%s/faults/score/%s/v1 "):format(test.nginx(), token)
  local result = lre(path, url .. "OPENROUTER_SCORER_MODEL=x/scorer " .. environment { "OPENROUTER_API_KEY" },
    "run --model fake/a --suite rent --limit 3 --run-id r")
  test.eq(result.exit, 0, result.err)
  test.has(result.err, "asks openrouter/x/scorer: adapter openrouter (by the name's first part), id x/scorer, "
    .. "named by OPENROUTER_SCORER_MODEL")
  local requests = get("/requests/" .. token)
  test.eq(#requests, 3)
  for _, request in ipairs(requests) do test.eq(keys_in(request), "OPENROUTER_API_KEY") end
end)

-- Limits of a roster --------------------------------------------------------------------------------------------------

local function entry(more)
  local token = token_of()
  local url = ("%s/delay/40/%s/v1"):format(test.nginx(), token)
  return param.merged({ id = "m", label = token, provider = "openai", base_url = url }, more)
end

test("a_rosters_concurrency_bounds_the_requests_in_flight", function()
  local path = project()
  assert(fs.write(path .. "/models.json", assert(json.encode(json.array { entry { concurrency = 2 } }))))
  local m = experiment.new { models = { path .. "/models.json" }, max_connections = 64 }:models()[1]
  local most, now = 0, 0
  local send = m._send
  m._send = function(job)
    now = now + 1
    most = math.max(most, now)
    local a, b, c = send(job)
    now = now - 1
    return a, b, c
  end
  local tasks = {}
  for i = 1, 10 do tasks[i] = sched.spawn(function() assert(m:chat(question)) end) end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(most, 2)
end)

test("a_rosters_rate_holds_requests_back", function()
  local path = project()
  local limited = entry { rate_limit = { rps = 20, burst = 2 } }
  assert(fs.write(path .. "/models.json", assert(json.encode(json.array { limited }))))
  local m = experiment.new { models = { path .. "/models.json" } }:models()[1]
  local begun, tasks = clock.mono(), {}
  for i = 1, 6 do tasks[i] = sched.spawn(function() assert(m:chat(question)) end) end
  for _, task in ipairs(tasks) do task:wait() end
  test.ok(clock.mono() - begun >= 0.19, "four requests beyond the burst at 20 a second take 0.2 s") -- never less
end)
