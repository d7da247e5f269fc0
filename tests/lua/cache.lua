-- lre.cache: answers on disk, and when they are used.
local cache = require "lre.cache"
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local model = require "lre.model"
local param = require "lre.params"
local persona = require "lre.persona"
local platform = require "lre.platform"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local n = 0

local function folder()
  n = n + 1
  return ("%s/cache%d"):format(test.folder(), n)
end

local function token()
  n = n + 1
  return ("cache%d-%d"):format(n, platform.pid())
end

local function count(name)
  return math.tointeger(tonumber(assert(http.request { method = "GET", url = test.nginx() .. "/count/" .. name }).body))
end

local question = { { role = "user", content = "What is a lark?" } }

-- A model behind a fault, with a cache; how many requests came.
local function behind(fault, kept, spec)
  local name = token()
  local base = fault == "" and "" or "/faults/" .. fault .. "/" .. name
  return model.resolve(param.merged({ name = "openai/mock", backoff = 0.001, retries = 1, cache = kept,
    base_url = test.nginx() .. base .. "/v1" }, spec or {})), function() return count(name) end
end

local function files(kept)
  local out = {}
  for path, kind in kept:files() do
    if kind == "json" then out[#out + 1] = path end
  end
  return out
end

test("a_hit_gives_what_the_first_answer_gave_and_sends_nothing", function()
  local kept = cache.open(folder())
  local m, requests = behind("reasoning", kept)
  local first, second = assert(m:chat(question)), assert(m:chat(question))
  test.eq(requests(), 1)
  for _, field in ipairs { "text", "finish_reason", "usage", "model", "request_id", "reasoning", "request_hash",
    "sent_params" } do
    test.eq(second[field], first[field], field)
  end
  test.eq({ first.cached, second.cached, second.attempts }, { nil, true, 0 })
  test.eq({ kept.hits, kept.misses, kept.writes }, { 1, 1, 1 })
end)

test("errors_and_empty_and_cut_and_filtered_answers_are_never_kept", function()
  for _, fault in ipairs { "500", "400", "truncated-json", "200-error", "length", "length-empty", "null-content",
    "content-filter", "invalid-utf8", "html" } do
    local kept = cache.open(folder())
    local m = behind(fault, kept)
    m:chat(question)
    m:chat(question)
    test.eq({ kept.hits, kept.writes, #files(kept) }, { 0, 0, 0 }, fault)
  end
end)

test("an_answer_that_came_after_retries_is_kept", function()
  local kept = cache.open(folder())
  local m, requests = behind("500-then-ok", kept)
  assert(m:chat(question))
  assert(m:chat(question))
  test.eq({ requests(), kept.hits, kept.writes }, { 2, 1, 1 })
end)

test("what_a_400_taught_is_in_the_entry", function()
  local kept = cache.open(folder())
  local m = behind("400-temperature", kept)
  local first = assert(m:chat(question))
  test.eq(first.sent_params.temperature, nil)
  test.eq(assert(m:chat(question)).sent_params, first.sent_params)
end)

test("no_false_hit_whatever_differs", function()
  local kept, asked, texts = cache.open(folder()), 0, {}
  local base = test.nginx()
  local dan = persona.open(persona and require("lre").persona { name = "p", system = "Be a pirate." })
  local messages = { question, persona.apply(dan, question), { { role = "user", content = "What is a lark? " } } }
  local endpoints = { openai = { base .. "/v1", base .. "/faults/echo/v1" },
    anthropic = { base .. "/v1", base .. "/faults/echo/v1" } }
  local specs = {}
  for _, params in ipairs { {}, { temperature = 1 }, { max_tokens = 9 }, { seed = 7 }, { top_p = 0.5 } } do
    for _, adapter in ipairs { "openai", "anthropic" } do
      for _, url in ipairs(endpoints[adapter]) do
        for _, id in ipairs { "mock", "mock-2" } do
          specs[#specs + 1] = { name = adapter .. "/" .. id, base_url = url, params = params }
        end
      end
    end
    for _, rate in ipairs { 0, 1 } do
      specs[#specs + 1] = { name = "fake/fake-1b", options = { refusal_rate = rate }, params = params }
    end
  end
  local hashes, distinct = {}, 0
  for round = 1, 2 do
    local k = 0
    for _, spec in ipairs(specs) do
      local m = model.resolve(param.merged({ cache = kept }, spec))
      for i, list in ipairs(messages) do
        for repeat_n = 1, 2 do
          k = k + 1
          local response = assert(m:chat(list, nil, { ["repeat"] = repeat_n }))
          -- anthropic takes no seed: those with another one are the same request, and may be hits.
          local first = not hashes[response.request_hash]
          if round == 1 and first then distinct = distinct + 1 end
          test.eq(response.cached == nil, first, ("%s %d %d"):format(spec.name, i, repeat_n))
          hashes[response.request_hash] = true
          asked = asked + 1
          if round == 1 then texts[k] = response.text else test.eq(response.text, texts[k]) end
          local plain = assert(model.resolve(spec):chat(list, nil, { ["repeat"] = repeat_n }))
          test.eq(response.text, plain.text)
        end
      end
    end
  end
  test.eq(kept.misses, distinct)
  test.eq(#files(kept), distinct)
  test.eq(asked, 2 * #specs * 3 * 2)
  test.ok(distinct >= #specs * 3 * 2 * 0.8)
end)

test("identical_requests_in_flight_share_one", function()
  local kept = cache.open(folder())
  local name = token()
  local m = model.resolve { name = "openai/mock", cache = kept, base_url = ("%s/delay/500/%s/v1"):format(test.nginx(),
    name) }
  local tasks, texts = {}, {}
  for i = 1, 5 do tasks[i] = sched.spawn(function() return assert(m:chat(question)).text end) end
  for i = 1, 5 do texts[i] = tasks[i]:wait() end
  test.eq(count(name), 1)
  for i = 2, 5 do test.eq(texts[i], texts[1]) end
  test.eq({ kept.hits, kept.misses }, { 4, 1 })
end)

test("one_that_waits_asks_itself_where_the_first_failed", function()
  local kept = cache.open(folder())
  local m, requests = behind("400", kept)
  local tasks = {}
  for i = 1, 3 do tasks[i] = sched.spawn(function() return (select(2, m:chat(question))).code end) end
  for i = 1, 3 do test.eq(tasks[i]:wait(), "bad_request") end
  test.eq(requests(), 3)
end)

test("torn_foreign_and_edited_entries_are_misses_and_are_replaced", function()
  local spoilt = {
    function(text) return text:sub(1, #text // 2) end,
    function() return "" end,
    function() return '{"some":"other tool"}' end,
    function(text) return (text:gsub("What is a lark", "What is a wren")) end,
    function(text) return (text:gsub('"lre_cache":1', '"lre_cache":9')) end,
    function() return "\0\255" end,
  }
  for i, spoil in ipairs(spoilt) do
    local kept = cache.open(folder())
    local m, requests = behind("ok", kept)
    local first = assert(m:chat(question))
    local path = files(kept)[1]
    assert(fs.write(path, spoil(assert(fs.read(path)))))
    test.eq(assert(m:chat(question)).text, first.text)
    test.eq({ requests(), kept.hits, kept.broken, kept.writes }, { 2, 0, 1, 2 }, "case " .. i)
    assert(m:chat(question))
    test.eq(kept.hits, 1)
  end
end)

test("an_edited_adapter_reads_the_stored_reply_anew", function()
  local kept, path = cache.open(folder()), test.folder() .. "/own.lua"
  local source = [[
return require("lre").adapter { name = "own", options = { base_url = { "http://x", "" } },
  request = function(_, messages)
    return { path = "/chat/completions", json = { model = "m", messages = messages } }
  end,
  response = function(_, _, body)
    return { text = "%s" .. require("lre.json").decode(body).choices[1].message.content, finish_reason = "stop" }
  end }]]
  local base = test.nginx() .. "/faults/echo/" .. token() .. "/v1"
  local texts = {}
  for i, word in ipairs { "one: ", "two: " } do
    assert(fs.write(path, (source:format(word))))
    local m = model.resolve { name = "own/m", adapter = path, base_url = base, cache = kept }
    texts[i] = assert(m:chat(question)).text
  end
  test.eq(texts, { "one: What is a lark?", "two: What is a lark?" })
  test.eq({ kept.hits, kept.misses }, { 1, 1 })
end)

test("two_processes_may_share_a_cache", function()
  local where, script = folder(), test.folder() .. "/two.lua"
  assert(fs.write(script, ([[
    local kept = require("lre.cache").open(%q)
    local m = require("lre.model").resolve { name = "openai/mock", cache = kept, base_url = %q }
    for i = 1, 40 do assert(m:chat { { role = "user", content = "q" .. i } }) end
    print(kept.hits + kept.misses, kept.broken)]]):format(where, test.nginx() .. "/v1")))
  local tasks = {}
  local function start() return sched.spawn(process.run, { test.program, "script", script }) end
  for i = 1, 2 do tasks[i] = start() end
  for i = 1, 2 do test.eq(tasks[i]:wait().out, "40\t0\n") end
  local kept = cache.open(where)
  test.eq({ #files(kept), kept:info().broken }, { 40, 0 })
  local m = model.resolve { name = "openai/mock", cache = kept, base_url = test.nginx() .. "/v1" }
  for i = 1, 40 do assert(m:chat { { role = "user", content = "q" .. i } }) end
  test.eq(kept.hits, 40)
end)

test("offline_a_miss_is_an_error_and_nothing_is_sent_and_no_key_is_needed", function()
  local where = folder()
  local m, requests = behind("ok", cache.open(where))
  local first = assert(m:chat(question))
  local offline = cache.open(where, true)
  local again = model.resolve { name = "openai/mock", cache = offline, dry = true, base_url = m.base_url }
  test.eq(assert(again:chat(question)).text, first.text)
  local response, err = again:chat { { role = "user", content = "other" } }
  test.eq({ response, err.code, requests() }, { nil, "offline", 1 })
  local told = offline:explain(err.request_hash)
  test.eq({ told.state, #told.differs, told.differs[1].field }, { "miss", 1, "body.messages[1].content" })
end)

test("explain_names_the_field_that_differs_from_the_nearest_entry", function()
  local kept = cache.open(folder())
  local hashes = {}
  for i, spec in ipairs { {}, { params = { temperature = 0.5, top_p = 0.5 } }, { params = { temperature = 0.25 } } } do
    hashes[i] = assert(behind("", kept, spec):chat(question)).request_hash
  end
  local told = kept:explain(hashes[3])
  test.eq({ told.state, told.nearest, #told.differs }, { "entry", hashes[1], 1 })
  test.eq(told.differs[1], { field = "body.temperature", wanted = "0.25", there = "0" })
  test.eq(kept:explain(("0"):rep(64)).state, "unknown")
end)

test("clear_takes_what_is_old_enough_and_only_from_a_cache", function()
  local kept = cache.open(folder())
  assert(behind("ok", kept):chat(question))
  test.eq(kept:clear(3600), 0)
  test.eq(kept:clear(nil, true), 1)
  test.eq(#files(kept), 1)
  test.eq(kept:clear(), 1)
  test.eq(#files(kept), 0)
  test.eq(test.raises(function() cache.existing(test.folder()) end, "is not a cache").exit, 3)
end)

test("no_key_is_in_an_entry", function()
  local kept = cache.open(folder())
  local m = behind("echo-key", kept, { api_key_env = "PATH" }) -- some variable that is set
  assert(m:chat(question))
  local text = assert(fs.read(files(kept)[1]))
  test.ok(not text:lower():find "authorization")
  test.has(text, "You sent")
  test.ok(not text:find("/usr/bin:", 1, true), "the key is in the cache")
end)

test("a_cached_run_over_http_gives_the_same_results_bytes", function()
  local parent, base = test.folder(), test.nginx()
  local where = parent .. "/kept"
  local function run(id, words)
    return assert(process.run { "bash", "-c", ("%s run --model openai/mock --base-url %s/v1 --suite harmful_helpful "
      .. "--run-dir %s --run-id %s --cache %s %s"):format(test.program, base, parent, id, where, words) })
  end
  test.has(run("a", "").err, "cache    0 hits, 15 misses, 15 writes; 0 retries")
  test.has(run("b", "--offline").err, "cache    15 hits, 0 misses, 0 writes; 0 retries")
  test.eq(assert(fs.read(parent .. "/b/results.json")), assert(fs.read(parent .. "/a/results.json")))
  local timing = assert(json.decode(assert(fs.read(parent .. "/b/timing.json"))))
  test.eq(timing.last_session.cache, { hits = 15, misses = 0, writes = 0 })
end)
