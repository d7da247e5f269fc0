-- Where a setting comes from, and what a bad one says: by the tool itself, each time in a folder and environment of its
-- own.
local fs = require "lre.fs"
local json = require "lre.json"
local process = require "lre.process"
local defaults = require "lre.defaults"
local settings = require "lre.settings"
local test = require "lre.unit"

local function folder(files)
  local path = test.folder()
  for name, text in pairs(files) do assert(fs.write(path .. "/" .. name, text)) end
  return path
end

-- `env`: "A=1 B=2" for a shell; nothing of ours is inherited.
local function lre(path, env, words)
  local command = ("cd %s && exec env -i PATH=\"$PATH\" HOME=%s %s %s %s"):format(path, path, env, test.program, words)
  return assert(process.run { "sh", "-c", command, timeout = 60 })
end

local function config(path, env, words)
  local result = lre(path, env, "config --json " .. (words or ""))
  test.eq(result.exit, 0, result.err)
  return assert(json.decode(result.out)), result
end

local function refused(path, env, message)
  local result = lre(path, env, "config")
  test.eq(result.exit, 3, result.out)
  test.has(result.err, message)
  return result
end

local PROJECT = 'return {\n  concurrency = 5,\n  retries = 7, models = { "fake/p" },\n  params = { top_p = 0.5 },\n}\n'

test("the_nearest_says_it_flag_variable_seeds_variable_project_default", function()
  local path = folder { ["lre.project.lua"] = PROJECT }
  local steps = {
    { "", "", 5, "lre.project.lua" },
    { "BENCH_CONCURRENCY=6", "", 6, "BENCH_CONCURRENCY" },
    { "BENCH_CONCURRENCY=6 LRE_CONCURRENCY=7", "", 7, "LRE_CONCURRENCY" },
    { "BENCH_CONCURRENCY=6 LRE_CONCURRENCY=7", "--concurrency 8", 8, "flag" },
  }
  for _, step in ipairs(steps) do
    test.eq(config(path, step[1], step[2]).settings.concurrency, { value = step[3], from = step[4] })
  end
  test.eq(config(folder {}, "").settings.concurrency, { value = 16, from = "default" })
end)

test("a_rosters_value_is_nearer_than_the_projects_and_farther_than_a_variable", function()
  local path = folder {
    ["lre.project.lua"] = 'return { rate_limit_rps = 1, temperature = 0.1, models = { "m.json" } }',
    ["m.json"] = '[{"id":"a/b","rate_limit":{"rps":2,"burst":3},"params":{"temperature":0.2}}]',
  }
  local function model(env, words)
    local m = config(path, env, "--models m.json " .. (words or "")).models[1]
    return { m.settings.rate_limit_rps.value, m.settings.rate_limit_rps.from, m.params.temperature }
  end
  test.eq(model "", { 2, "m.json[1]", 0.2 })
  test.eq(model "OPENROUTER_MODEL_RPS=3", { 3, "OPENROUTER_MODEL_RPS", 0.2 })
  test.eq(model "OPENROUTER_MODEL_RPS=3 LRE_RATE_LIMIT_RPS=4 LRE_TEMPERATURE=0.4", { 4, "LRE_RATE_LIMIT_RPS", 0.4 })
  test.eq(model("LRE_RATE_LIMIT_RPS=4", "--rate-limit-rps 5 --temperature 0.5"), { 5, "flag", 0.5 })
end)

local SAMPLE = { integer = "3", number = "0.5", flag = "true", words = "x,y", specs = "x", list = "k=1", string = "x" }
local NAMES_A_MODEL = { model = true, models = true, suite = true } -- these are looked up

test("every_flag_has_a_variable_that_sets_it", function()
  local words, flags = {}, {}
  for _, e in ipairs(defaults.list "run") do
    local name, text = settings.variable(e), e.choices and e.choices[1] or SAMPLE[e.type]
    if e.min and e.min > 3 then text = tostring(e.min) end
    if name and e.name ~= "json" and not NAMES_A_MODEL[e.name] then
      words[#words + 1] = name .. "=" .. text
      flags[e.flag:sub(3)] = name
    end
  end
  test.ok(#words > 50, "the flags are gone")
  local got = config(folder {}, table.concat(words, " ")).settings
  for flag, name in pairs(flags) do test.eq(got[flag].from, name) end
  got = config(folder { ["r.json"] = '["a/b"]' }, "LRE_MODELS=r.json LRE_SUITE=harmful_helpful").settings
  test.eq({ got.models.from, got.suite.from }, { "LRE_MODELS", "LRE_SUITE" })
end)

test("nearer_models_replace_farther_ones_however_they_are_said", function()
  local path = folder { ["lre.project.lua"] = 'return { models = { "fake/p" } }', ["r.json"] = '["a/b"]' }
  local function labels(env, words)
    local out = {}
    for i, m in ipairs(config(path, env, words).models) do out[i] = m.label end
    return out
  end
  test.eq(labels("", ""), { "fake/p" })
  test.eq(labels("LRE_MODELS=r.json", ""), { "a/b" })
  test.eq(labels("LRE_MODELS=r.json", "--model fake/f"), { "fake/f" })
  test.eq(labels("LRE_MODEL=fake/e", "--models r.json --model fake/f"), { "fake/f", "a/b" })
end)

test("env_file_fills_in_and_overrides_nothing", function()
  local path = folder { [".env"] = "export LRE_CONCURRENCY=3 # three\nLRE_RETRIES='2'\nLRE_SEED=\"9\"\nLRE_LIMIT=\n" }
  local got = config(path, "LRE_SEED=8").settings
  test.eq(got.concurrency, { value = 3, from = "LRE_CONCURRENCY in .env" })
  test.eq(got.retries, { value = 2, from = "LRE_RETRIES in .env" })
  test.eq(got.seed, { value = 8, from = "LRE_SEED" })
  test.eq(got.limit, { value = json.null, from = "default" })
end)

test("a_key_in_the_env_file_is_used_and_shown_nowhere", function()
  local secret = "sk-planted-0123456789"
  local path = folder { [".env"] = "OPENROUTER_API_KEY=" .. secret .. "\n" }
  local got, result = config(path, "", "--model x-ai/grok-4-fast")
  test.eq({ got.models[1].adapter, got.models[1].key_is_set }, { "openrouter", true })
  local dry = lre(path, "LRE_LOG_LEVEL=DEBUG LRE_LIMIT=1", "run --model a/b --suite harmful_helpful --dry-run")
  test.eq(dry.exit, 0, dry.err)
  for _, text in ipairs { result.out, result.err, dry.out, dry.err } do
    test.ok(not text:find(secret, 1, true), "the key is shown")
  end
end)

test("a_broken_env_file_names_its_line_and_not_what_is_in_it", function()
  local result = refused(folder { [".env"] = "A=1\nsk-planted\n" }, "", ".env:2: expected NAME=value")
  test.ok(not result.err:find("planted", 1, true))
end)

test("a_bad_number_is_an_error_that_names_where_it_stands", function()
  local path = folder {}
  refused(path, "LRE_CONCURRENCY=many", 'LRE_CONCURRENCY: expected an integer from 1 to 10000, got "many"')
  refused(path, "BENCH_TIMEOUT_S=60s", 'BENCH_TIMEOUT_S: expected a number from 0.001 to 86400, got "60s"')
  refused(path, "BENCH_MAX_RETRIES=-1", "BENCH_MAX_RETRIES: expected an integer from 0 to 100")
  refused(path, "BENCH_CONCURRENCY=1.5", "BENCH_CONCURRENCY: expected an integer")
  refused(path, "LOG_LEVEL=loud", "LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR")
  refused(path, "LRE_OFFLINE=perhaps", "LRE_OFFLINE: expected true or false")
  refused(folder { [".env"] = "LRE_SEED=x\n" }, "", 'LRE_SEED in .env: expected an integer from 0')
  refused(folder { ["lre.project.lua"] = "return {\n  seed = 1,\n  retries = 'x',\n}" }, "",
    'lre.project.lua:3: retries: expected an integer from 0 to 100, got string "x"')
  refused(folder { ["lre.project.lua"] = "return {\n  retrise = 1 }" }, "",
    'lre.project.lua:2: unknown setting "retrise"')
  refused(folder { ["lre.project.lua"] = "return 5" }, "", "lre.project.lua: expected a table of settings")
  refused(folder { ["lre.project.lua"] = "return {" }, "", "lre.project.lua:1:")
  refused(path, "OPENROUTER_MODEL_RPS=fast", "OPENROUTER_MODEL_RPS: expected a number")
  refused(path, "OPENROUTER_MODEL_BURST=0", "OPENROUTER_MODEL_BURST: expected an integer from 1")
end)

test("a_variable_that_is_no_setting_is_said", function()
  local result = lre(folder {}, "LRE_CONCURENCY=3", "config")
  test.has(result.err, "no setting is called LRE_CONCURENCY. Did you mean \"LRE_CONCURRENCY\"")
end)

test("the_seeds_words_for_levels_are_taken", function()
  for word, level in pairs { WARN = "WARNING", critical = "ERROR", info = "INFO" } do
    test.eq(config(folder {}, "LOG_LEVEL=" .. word).settings["log-level"], { value = level, from = "LOG_LEVEL" })
  end
end)

test("the_seeds_scorer_is_asked_through_openrouter", function()
  local got = config(folder {}, "OPENROUTER_SCORER_MODEL=openai/gpt-oss-20b:free").settings["judge-model"]
  test.eq(got, { value = "openrouter/openai/gpt-oss-20b:free", from = "OPENROUTER_SCORER_MODEL" })
end)

test("lists_in_variables_take_commas_and_parameters_a_line_each", function()
  local got = config(folder {}, "LRE_MODEL=fake/a,fake/b LRE_PARAM='top_p=0.5\ntop_k=3'")
  test.eq(got.settings.model.value, { "fake/a", "fake/b" })
  test.eq({ got.models[2].label, got.models[1].label }, { "fake/b", "fake/a" })
  test.eq(got.settings.param.value, { "top_p=0.5", "top_k=3" })
end)

test("a_scripts_experiment_reads_them_too_and_the_demo_does_not", function()
  local path = folder { ["x.lua"] = 'local e = require "lre".experiment { models = { "fake/a" }, suites = '
    .. '{ "harmful_helpful" }, retries = 3 }\nprint(e.settings.concurrency, e.settings.retries, e.settings.seed)\n',
    ["lre.project.lua"] = "return { seed = 11 }" }
  local env = "LRE_CONCURRENCY=4 LRE_RETRIES=9"
  test.eq(lre(path, env, "script x.lua").out, "4\t3\t11\n")
  local plain = lre(folder {}, "", "demo --sample 2")
  test.eq(plain.exit, 0)
  test.eq(lre(path, "LRE_LIMIT=1 LRE_REPEATS=3", "demo --sample 2 --seed 42").out, plain.out)
end)
