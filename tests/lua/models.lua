-- Rosters: which models, in which order, and what is wrong with a file.
local experiment = require "lre.experiment"
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local test = require "lre.unit"

local folder = test.folder()

local function roster(text, name)
  local path = folder .. "/" .. (name or "models.json")
  assert(fs.write(path, type(text) == "table" and assert(json.encode(text)) or text))
  return path
end

local function models(given)
  return experiment.new(given):models()
end

local function labels(given)
  local out = {}
  for i, m in ipairs(models(given)) do out[i] = m.label end
  return out
end

local function refused(text, ...)
  local path = roster(text)
  local err = test.raises(function() models { models = { path } } end, path)
  test.eq(err.exit, 3)
  for _, word in ipairs { ... } do test.has(err.message, word) end
end

-- What is logged while fn runs.
local function logged(fn)
  local path = folder .. "/log"
  os.remove(path)
  assert(log.open(path))
  local ok, err = pcall(fn)
  log.close()
  assert(ok, type(err) == "table" and err.message or err)
  return assert(fs.read(path))
end

test("order_is_kept_and_the_preferred_ones_come_first", function()
  local path = roster '["a/1",{"id":"a/2"},{"id":"a/3","preferred":true},"a/4",{"id":"a/5","preferred":true}]'
  test.eq(labels { models = { path } }, { "a/3", "a/5", "a/1", "a/2", "a/4" })
  test.eq(labels { models = { path }, models_limit = 3 }, { "a/3", "a/5", "a/1" })
  test.eq(labels { models = { path }, models_limit = 99 }, { "a/3", "a/5", "a/1", "a/2", "a/4" })
  test.eq(labels { models = { "fake/f", path }, models_limit = 1 }, { "a/3" })
end)

test("a_model_that_is_named_twice_is_asked_once_and_said", function()
  local path = roster '["a/1",{"id":"a/2","label":"two"},"a/1",{"id":"a/2","label":"two"}]'
  local said = logged(function() test.eq(labels { models = { path } }, { "a/1", "two" }) end)
  test.has(said, path .. "[3]: a/1 is named already (" .. path .. "[1]) and asked once")
  test.has(said, path .. "[4]: two is named already")
  test.has(logged(function() test.eq(labels { models = { "fake/f", "fake/f" } }, { "fake/f" }) end), "fake/f")
end)

test("two_models_under_one_label_are_refused", function()
  refused('[{"id":"a/1","label":"x"},{"id":"a/2","label":"x"}]', '[2]: the label "x" is that of', "[1]", "a/1")
end)

test("a_wrong_type_is_named_by_file_index_and_field", function()
  refused('[{"id":"a/1"},{"id":5}]', "[2].id: expected non-empty string, got integer 5")
  refused('[{"id":"a/1","rate_limit":{"rps":"fast"}}]', '[1].rate_limit.rps: expected number', '"fast"')
  refused('[{"id":"a/1","rate_limit":{"rps":-1}}]', "[1].rate_limit.rps: expected")
  refused('[{"id":"a/1","concurrency":0}]', "[1].concurrency: expected")
  refused('[{"id":"a/1","preferred":"yes"}]', "[1].preferred: expected boolean")
  refused('["a/1",7]', "[2]: expected non-empty string, got integer 7")
  refused('[{"label":"x"}]', "[1].id: expected non-empty string, got nil")
  refused('[{"id":"a/1","consurrency":1}]', '[1].consurrency: unknown key. Did you mean "concurrency"')
  refused('{"id":"a/1"}', "expected")
  refused("[]", "expected")
  refused('["a/1",', "end of the text at byte 7")
end)

test("an_entrys_own_error_names_its_place", function()
  refused('["a/1",{"id":"a/2","provider":"opnrouter"}]', "[2]: unknown adapter \"opnrouter\"")
  refused('[{"id":"x","provider":"http"}]', "[1]: x: adapter \"http\": base_url is not given")
end)

test("the_seeds_roster_is_read_as_it_is", function()
  local path = (os.getenv "LRE_SHARED" or "../shared") .. "/seeds/data/2/data/models.json"
  if not fs.stat(path) then test.skip(path .. " is not here") end
  local list = models { models = { path } }
  test.eq({ list[1].label, list[1].id, list[1].adapter },
    { "GPT-OSS-20B (free)", "openai/gpt-oss-20b:free", "openrouter" })
  test.eq({ list[1]._bucket.rps, list[1]._bucket.burst, list[1].concurrency }, { 0.367, 5, 3 })
end)

test("an_api_is_described_by_a_rosters_options_alone", function()
  local path = roster { { id = "mine", provider = "http", base_url = "https://api.example/v1",
    options = { body = { q = "{{prompt}}", n = "{{max_tokens}}" }, text = "/answer", headers = { "X-A: b" } } } }
  local m = models { models = { path } }[1]
  local sent = assert(m:preview { { role = "user", content = "What?" } })
  test.eq({ sent.url, sent.body, sent.headers["X-A"] }, { "https://api.example/v1", '{"n":512,"q":"What?"}', "b" })
end)

test("an_api_is_described_by_flags_alone", function()
  local m = models { models = { "http/mine" }, base_url = "https://api.example/v1",
    adapter_option = { 'body={"q":"{{prompt}}","m":"{{model}}"}', "text=/answer" } }[1]
  test.eq(assert(m:preview { { role = "user", content = "What?" } }).body, '{"m":"mine","q":"What?"}')
end)

test("options_of_the_http_adapter_are_checked_before_anything_is_sent", function()
  local function wrong(options, message)
    local entry = { id = "x", provider = "http", base_url = "https://api.example/v1", options = options }
    local err = test.raises(function() models { models = { roster { entry } } } end, message)
    test.eq(err.exit, 3)
  end
  wrong({ text = "answer" }, "text: expected a JSON Pointer")
  wrong({ body = "{q" }, "body: expected a JSON object")
  wrong({ body = "5" }, "body: expected a JSON object")
  wrong({ headers = { "X-A" } }, "headers: expected NAME: VALUE")
  wrong({ headers = { "Authorization: Bearer sk-planted" } }, "name its variable with api_key_env")
  wrong({ headers = { "X-Acme-Token: planted" } }, "name its variable with api_key_env")
  wrong({ path = "?version=2&api_key=planted" }, "path: api_key would hold a key")
  wrong({ txt = "/a" }, "unknown option")
end)

test("a_flag_is_nearer_than_a_rosters_option_which_is_nearer_than_a_default", function()
  local path = roster '[{"id":"x","provider":"fake","options":{"refusal_rate":1}}]'
  test.eq(models({ models = { path } })[1].options.refusal_rate, 1.0)
  test.eq(models({ models = { path }, fake_refusal_rate = 0.25 })[1].options.refusal_rate, 0.25)
  test.eq(models({ models = { "fake/x" } })[1].options.refusal_rate, 0.5)
end)

test("one_key_or_endpoint_for_two_providers_is_refused", function()
  local url = "https://x.example"
  local err = test.raises(function() models { models = { "openai/a", "anthropic/b" }, base_url = url } end,
    "--base-url names one endpoint, and openai/a and anthropic/b have different providers")
  test.eq(err.exit, 2)
  test.raises(function() models { models = { "openai/a", "openrouter/b" }, api_key_env = "MY_KEY" } end,
    "--api-key-env names one key")
  test.eq(labels { models = { "openai/a", "openai/b" }, base_url = url, api_key_env = "MY_KEY" },
    { "openai/a", "openai/b" })
end)

test("a_suites_roster_is_read_where_no_model_is_named", function()
  local lre = require "lre"
  local function suite(path)
    return lre.suite { name = "s", roster = path, samples = { { id = "a", text = "one" } } }
  end
  local path = roster('["a/1","a/2"]', "theirs.json")
  test.eq(labels { suites = { suite(path) } }, { "a/1", "a/2" })
  test.eq(labels { suites = { suite(path) }, models = { "fake/f" } }, { "fake/f" })
  local e = experiment.new { suites = { suite(path) } }
  e:models()
  test.eq(e.settings.models, { path }) -- what run.json shows, and reproduce takes
  test.raises(function() models { suites = { suite(folder .. "/none.json") } } end,
    "none.json, which the suite s reads")
  test.raises(function() models { suites = { "harmful_helpful" } } end, "no model: give one with --model")
end)
