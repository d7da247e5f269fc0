-- plan: which trials there are, in which order, under which keys.
local fs = require "lre.fs"
local hash = require "lre.hash"
local plan = require "lre.plan"
local suite = require "lre.suite"
local test = require "lre.unit"

-- A suite without a file: `n` samples.
local function suite_of(name, n)
  local list = {}
  for i = 1, n do
    list[i] = { id = "s" .. i, messages = { { role = "user", content = "q" .. i } }, category = "harmful" }
  end
  return {
    name = name,
    check = function()
      return { count = n, hash = "hash of " .. name, problems = {}, categories = { "harmful" } }
    end,
    samples = function()
      local i = 0
      return function()
        i = i + 1
        return list[i]
      end
    end,
  }
end

local judge = { name = "refusal", hash = "j" }
local none = { name = "none", hash = "p0" }
local shy = { name = "shy", hash = "p1", system = "Be shy." }
local small, large = { label = "fake/a", id = "a", adapter = "fake" }, { label = "fake/b", id = "b", adapter = "fake" }

local function make(change)
  local spec = { suites = { { suite = suite_of("x", 3), judges = { judge } } }, personas = { none },
    models = { small } }
  for name, value in pairs(change or {}) do spec[name] = value end
  return plan.new(spec)
end

local function keys(p)
  local out = {}
  for trial in p:trials() do out[#out + 1] = trial.key end
  return out
end

test("a_key_is_suite_sample_persona_model_and_repeat", function()
  test.eq(plan.key("x", "s1", "none", "openai/gpt-4o-mini", 1), "x/s1|none|openai/gpt-4o-mini")
  test.eq(plan.key("x", "s1", "none", "fake/a", 3), "x/s1|none|fake/a#3")
end)

test("what_separates_parts_is_percent_encoded_inside_them", function()
  test.eq(plan.key("a/b", "i|d#1%\n", "p", "m#2", 1), "a%2Fb/i%7Cd%231%25%0A|p|m%232")
end)

-- Workers that find nothing to do ask once each.
test("a_plan_that_is_asked_again_after_its_last_trial_has_none", function()
  local real = suite.open(test.root .. "/suites/harmful_helpful.jsonl")
  local pull = make { suites = { { suite = real, judges = { judge } } } }:trials()
  local n = 0
  while pull() do n = n + 1 end
  test.eq({ n, pull(), pull() }, { 15 })
end)

test("a_key_gives_its_parts_back", function()
  for _, parts in ipairs { { "a/b", "i|d#1%\n", "p", "m#2", 1 }, { "x", "a/b/c", "none", "hf/Qwen/Qwen2", 12 } } do
    test.eq({ plan.parse_key(plan.key(table.unpack(parts))) }, parts)
  end
end)

test("trials_come_by_suite_sample_persona_model_repeat", function()
  local p = make { personas = { none, shy }, models = { small, large }, repeats = 2, limit = 2 }
  local got = keys(p)
  test.eq(p:count(), 16)
  test.eq(#got, 16)
  test.eq({ got[1], got[2], got[3], got[5], got[9] }, { "x/s1|none|fake/a", "x/s1|none|fake/a#2", "x/s1|none|fake/b",
    "x/s1|shy|fake/a", "x/s2|none|fake/a" })
end)

test("keys_are_those_of_plan_key", function()
  for trial in make({ personas = { shy }, repeats = 2 }):trials() do
    test.eq(trial.key, plan.key("x", trial.sample.id, "shy", "fake/a", trial.n))
  end
end)

test("a_persona_reaches_the_messages_and_the_control_arm_does_not_change_them", function()
  local seen = {}
  for trial in make({ personas = { none, shy }, limit = 1 }):trials() do seen[trial.persona.name] = trial.messages end
  test.eq(#seen.none, 1)
  test.eq(seen.shy[1].content, "Be shy.")
  test.eq(seen.shy[2].content, "q1")
end)

test("a_sampled_suite_streams_only_the_chosen_samples", function()
  local p = make { suites = { { suite = suite_of("x", 15), judges = { judge } } }, sample = 5, seed = 42 }
  test.eq(keys(p), { "x/s1|none|fake/a", "x/s2|none|fake/a", "x/s5|none|fake/a", "x/s11|none|fake/a",
    "x/s12|none|fake/a" })
  test.eq(p.suites[1].title, "x[sampled 5/15, seed=42]")
end)

local function file_of(lines)
  local path = test.folder() .. "/file.jsonl"
  assert(fs.write(path, table.concat(lines, "\n") .. "\n"))
  return path
end

local function plan_of_file(path, change)
  local spec = { suites = { { suite = suite.open(path), judges = { judge } } } }
  for name, value in pairs(change or {}) do spec[name] = value end
  return make(spec)
end

test("a_small_file_is_read_once_and_gives_the_samples_that_were_checked", function()
  local lines = {}
  for i = 1, 600 do lines[i] = ('{"id":"s%d","text":"q%d"}'):format(i, i) end
  local path = file_of(lines)
  local whole, some = plan_of_file(path), plan_of_file(path, { sample = 2, seed = 42 })
  assert(fs.write(path, '{"id":"other","text":"other"}\n'))
  local got = keys(whole)
  test.eq(#got, 600)
  for i = 1, 600 do test.eq(got[i], ("file/s%d|none|fake/a"):format(i)) end
  test.eq(#keys(some), 2)
  local sum = hash.new()
  for line in whole:lines(whole.suites[1]) do sum:update(line):update "\n" end
  test.eq(sum:hex(), whole.suites[1].hash)
end)

test("a_large_file_is_not_kept_and_a_change_while_it_is_read_is_an_error", function()
  local text, lines = ("x"):rep(1 << 20), {}
  for i = 1, 17 do lines[i] = ('{"id":"s%d","text":"%s"}'):format(i, text) end
  local path = file_of(lines)
  local p = plan_of_file(path)
  test.eq(#keys(p), 17)
  lines[17] = '{"id":"s17","text":"other"}'
  assert(fs.write(path, table.concat(lines, "\n") .. "\n"))
  test.raises(function() keys(p) end, "the file was changed while it was read")
end)

test("limit_and_sample_together_are_refused", function()
  test.eq(test.raises(function() make { limit = 1, sample = 1 } end, "choose one").exit, 2)
end)

test("two_models_of_one_label_are_refused", function()
  test.eq(test.raises(function() make { models = { small, small } } end, 'called "fake/a"').exit, 2)
end)

test("two_judges_of_one_name_are_refused_with_the_way_out", function()
  local suites = { { suite = suite_of("x", 1), judges = { judge, { name = "refusal", hash = "k" } } } }
  test.raises(function() make { suites = suites } end, ":as=NAME")
end)

test("problems_of_a_suite_end_the_plan_with_exit_3", function()
  local bad = suite_of("bad", 1)
  bad.check = function() return { count = 1, hash = "h", problems = { { message = "bad.jsonl:3: id: expected" } } } end
  local err = test.raises(function() make { suites = { { suite = bad, judges = {} } } } end, "bad.jsonl:3: id")
  test.eq(err.exit, 3)
end)

test("the_hash_follows_what_is_asked_and_how_it_is_judged_not_the_limit", function()
  local base = make():hash()
  test.eq(make({ limit = 1 }):hash(), base)
  for what, change in pairs { repeats = { repeats = 2 }, seed = { seed = 7 }, sample = { sample = 2 },
    personas = { personas = { shy } }, models = { models = { large } }, params = { params = { temperature = 1 } } } do
    test.ok(make(change):hash() ~= base, what)
  end
end)

-- ---- --filter ----

test("a_filter_leaves_samples_out_says_so_and_is_part_of_the_plan", function()
  local p = make { filter = { "s[13]", "s2" } }
  test.eq(keys(p), { "x/s2|none|fake/a" })
  test.eq({ p:count(), p.suites[1].title, p.suites[1].total }, { 1, "x[filtered 1/3]", 3 })
  test.ok(p:hash() ~= make():hash())
  test.eq(keys(make { filter = { "s?" }, limit = 2 }), { "x/s1|none|fake/a", "x/s2|none|fake/a" })
  test.eq(make { filter = { "s?" }, sample = 2 }.suites[1].title, "x[filtered 3/3][sampled 2/3, seed=42]")
end)

test("a_filter_that_nothing_passes_is_refused_with_the_categories", function()
  local err = test.raises(function() make { filter = { "category=helpful" } } end, "none of the 3 samples of suite x")
  test.eq(err.exit, 2)
  test.has(err.message, "its categories are harmful")
end)
