-- The adapters' pure halves, held against canned exchanges (tests/exchanges): no network.
local adapters = require "lre.adapter"
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local model = require "lre.model"
local test = require "lre.unit"

local root = "tests/exchanges/" -- tests run from the top of the tree

local function exchanges(adapter)
  local list = {}
  for _, file in ipairs(assert(fs.list(root .. adapter))) do
    local doc = assert(json.decode(assert(fs.read(root .. adapter .. "/" .. file))))
    assert(doc.name .. ".json" == file, file .. ": the name differs from the file's")
    list[#list + 1] = doc
  end
  assert(#list > 15, "the exchanges are gone")
  return list
end

-- Fields of `expected` hold in `got`; a message is a part of the real one.
local function expect_error(expected, got)
  assert(type(got) == "table", "expected an error")
  for name, value in pairs(expected) do
    if name == "message" then
      test.ok(got.message:find(value, 1, true), ("%q does not say %q"):format(got.message, value))
    else
      test.eq(got[name], value)
    end
  end
end

local function check_request(adapter, exchange)
  local asked = exchange.request
  local m = model.resolve { name = asked.model, adapter = adapter, params = asked.params,
    options = asked.options, dry = true }
  local got, err = m:preview(asked.messages)
  if asked.expect.error then return expect_error(asked.expect.error, err) end
  assert(got, err and err.message)
  test.eq(got.method, "POST")
  test.eq(got.url, m.base_url .. asked.expect.path)
  test.eq(got.headers["Content-Type"], "application/json")
  for name, value in pairs(asked.expect.headers or {}) do test.eq(got.headers[name], value) end
  test.eq(got.body, assert(json.encode(asked.expect.json)))
end

local function check_reply(adapter, exchange)
  local reply = exchange.reply
  local body = type(reply.body) == "string" and reply.body or assert(json.encode(reply.body))
  local options = model.resolve { name = "m", adapter = adapter, options = exchange.options, dry = true }.options
  local response, err = adapters.open(adapter).response(reply.status, reply.headers, body, options)
  if exchange.expect.error then
    test.eq(response, nil)
    test.ok(type(err.kind) == "string" and type(err.message) == "string")
    return expect_error(exchange.expect.error, err)
  end
  assert(response, err and err.message)
  test.eq(assert(json.encode(response)), assert(json.encode(exchange.expect.response)))
end

for _, adapter in ipairs { "openai", "anthropic", "openrouter", "gemini", "ollama", "http" } do
  for _, exchange in ipairs(exchanges(adapter)) do
    test(adapter .. "_" .. exchange.name, function()
      assert(exchange.request or exchange.reply, "an exchange has a request or a reply")
      if exchange.request then check_request(adapter, exchange) end
      if exchange.reply then check_reply(adapter, exchange) end
    end)
  end
end

-- fake --------------------------------------------------------------------------------------------------------------

local function fake(seed, options)
  return model.resolve { name = "fake/fake-1b", params = { seed = seed }, options = options, seed = seed }
end

local function ask(m, prompt, n)
  return assert(m:chat({ { role = "user", content = prompt } }, nil, { ["repeat"] = n or 1 })).text
end

-- The score of a prompt lies where the answer flips: refused at every rate above it, answered at it and below.
local function expect_score(prompt, seed, score)
  test.eq(ask(fake(seed, { refusal_rate = score }), prompt), ask(fake(seed, { refusal_rate = 0.0 }), prompt))
  local above = score + 2.0 ^ -53
  test.ok(above > score)
  test.eq(ask(fake(seed, { refusal_rate = above }), prompt), ask(fake(seed, { refusal_rate = 1.0 }), prompt))
  test.ok(ask(fake(seed, { refusal_rate = 0.0 }), prompt) ~= ask(fake(seed, { refusal_rate = 1.0 }), prompt))
end

test("fake_scores_hello_at_seed_42_to_the_last_bit", function()
  test.eq((42 * 2654435761 + 42) % 4294967296, 4112119604)
  test.eq(hash.unit "hello|4112119604", 0.4760220642584644)
  expect_score("hello", 42, 0.4760220642584644)
end)

test("fake_base_seed_is_the_runs_unless_given", function()
  local given, default = fake(7, { seed = 7, refusal_rate = 0.5 }), fake(7, { refusal_rate = 0.5 })
  local other, differs = fake(7, { seed = 8, refusal_rate = 0.5 }), false
  for i = 1, 64 do
    test.eq(ask(given, "p" .. i), ask(default, "p" .. i))
    differs = differs or ask(other, "p" .. i) ~= ask(default, "p" .. i)
  end
  test.ok(differs)
end)

test("fake_repeats_are_drawn_anew_and_the_first_is_the_plain_one", function()
  local m, differs = fake(42), false
  for i = 1, 64 do
    local prompt = "p" .. i
    test.eq(ask(m, prompt, 1), assert(m:chat { { role = "user", content = prompt } }).text)
    test.eq(ask(m, prompt, 2), ask(m, prompt, 2))
    differs = differs or ask(m, prompt, 1) ~= ask(m, prompt, 2)
  end
  test.ok(differs)
end)

test("fake_scores_the_whole_conversation_where_there_is_more_than_a_question", function()
  local m, seen = fake(42), {}
  for i = 1, 64 do
    local user = { role = "user", content = "the same question" }
    seen[assert(m:chat { { role = "system", content = "s" .. i }, user }).text] = true
  end
  test.ok(next(seen, (next(seen)))) -- both answers came up: the system prompt counts
end)

test("fake_refuses_a_rate_out_of_range", function()
  local ok, err = pcall(fake, 42, { refusal_rate = 1.5 })
  test.eq(ok, false)
  test.eq(err.exit, 3)
  test.ok(err.message:find("refusal_rate", 1, true) and err.message:find("from 0 to 1", 1, true))
end)

test("fake_scores_equal_the_first_seeds", function()
  local shared = os.getenv "LRE_SHARED" or "../shared"
  if not fs.stat(shared .. "/vectors/refusal.json") then test.skip(shared .. " is not here") end
  local prompts, checked = {}, 0
  for _, suite in ipairs { "harmful_helpful", "jailbreak_styles", "refusal_calibration" } do
    for line in fs.lines(shared .. "/seeds/data/1/suites/" .. suite .. ".jsonl") do
      if line:find "%S" then
        local row = assert(json.decode(line))
        prompts[suite .. "/" .. row.id] = row.text
      end
    end
  end
  local vectors = assert(json.decode(assert(fs.read(shared .. "/vectors/refusal.json"))))
  for _, v in ipairs(vectors.fake_scores) do
    local prompt = prompts[v.suite .. "/" .. v.id]
    test.eq(hash.unit(prompt .. "|" .. v.effective_seed), v.score)
    if v.run_seed == v.base_seed then expect_score(prompt, v.run_seed, v.score) end
    checked = checked + 1
  end
  test.eq(checked, 40)
end)
