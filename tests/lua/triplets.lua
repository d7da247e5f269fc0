-- triplets: one story told three times. The builder, suites/rent.lua and examples/noise.lua.
local json = require "lre.json"
local suite = require "lre.suite"
local test = require "lre.unit"
local triplets = require "lre.triplets"

local function read(what, options)
  local opened, list = suite.open(what, { options = options }), {}
  local checked = opened:check { texts = true }
  test.eq(checked.problems, {})
  for one in opened:samples() do list[#list + 1] = one end
  return list, opened, checked
end

local function by_triplet(list)
  local out = {}
  for _, one in ipairs(list) do
    local id = one.metadata.triplet_id
    out[id] = out[id] or {}
    out[id][one.metadata.factors.perspective] = one
  end
  return out
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local function user_text(one)
  return one.messages[#one.messages].content
end

test("rent_is_36_cells_told_three_times_with_unique_ids", function()
  local list, opened, checked = read "rent"
  local ids, cells = {}, by_triplet(list)
  for _, one in ipairs(list) do ids[one.id] = true end
  test.eq({ #list, count(ids), count(cells), #checked.warnings }, { 108, 108, 36, 0 })
  for _, cell in pairs(cells) do test.eq(count(cell), 3) end
  test.eq(opened.clusters, "triplet_id")
  test.eq(#read("rent", { neutral = false }), 72)
end)

test("rents_tellings_have_one_background_and_one_set_of_factors", function()
  for id, cell in pairs(by_triplet(read "rent")) do
    local background, factors
    for who, one in pairs(cell) do
      test.eq({ one.messages[1].role, one.messages[2].role, #one.messages }, { "system", "user", 2 }, id)
      background = background or one.messages[1].content
      test.eq(one.messages[1].content, background, id)
      local mine = {}
      for name, value in pairs(one.metadata.factors) do mine[name] = name ~= "perspective" and value or nil end
      factors = factors or json.encode(mine)
      test.eq(json.encode(mine), factors, id)
      test.eq(one.metadata.factors.perspective, who)
    end
    test.ok(not background:find "%f[%w]I%f[%W]" and not background:find "%f[%w][Mm]y%f[%W]", background)
  end
end)

-- Who is who, and the verbs that go with it, by nobody's words: what is left must be the same text.
local NEUTRAL = {
  landlord = { { "I am the landlord", "This is about the landlord and the tenant" }, { "I want", "The landlord wants" },
    { "I answer at once", "The landlord answers at once" }, { "and have it", "and has it" },
    { "I seldom answer", "The landlord seldom answers" }, { "My tenant", "The tenant" } },
  tenant = { { "I am the tenant", "This is about the landlord and the tenant" }, { "My landlord", "The landlord" },
    { "My landlord", "The landlord" }, { "I pay", "The tenant pays" }, { "and look after", "and looks after" },
    { "I often pay", "The tenant often pays" }, { "and do not", "and does not" } },
}

local function replaced(text, pairs_)
  for _, pair in ipairs(pairs_) do
    local from, to = text:find(pair[1], 1, true)
    if from then text = text:sub(1, from - 1) .. pair[2] .. text:sub(to + 1) end
  end
  return text
end

test("rents_tellings_are_alike_but_for_who_tells_them", function()
  for _, cell in pairs(by_triplet(read "rent")) do
    for who, words in pairs(NEUTRAL) do test.eq(replaced(user_text(cell[who]), words), user_text(cell.neutral)) end
  end
end)

test("rent_declares_the_role_and_leaks_no_code_word", function()
  local roles = { landlord = "^I am the landlord of a flat%.", tenant = "^I am the tenant of a flat%.",
    neutral = "^This is about the landlord and the tenant of a flat%." }
  for _, one in ipairs(read "rent") do
    local all = one.messages[1].content .. "\n" .. user_text(one)
    test.ok(user_text(one):find(roles[one.metadata.factors.perspective]), all)
    for _, word in ipairs { "_", "good%-", "one.sided", "relationship is", "timing", "{", "%[", "  ", " ,", "%.%.",
      "nil" } do
      test.ok(not all:find(word), word .. ": " .. all)
    end
    test.ok(not user_text(one):lower():find "%f[%w]neutral%f[%W]", all)
  end
end)

test("every_sentence_of_rent_begins_with_a_capital_and_ends", function()
  for _, one in ipairs(read "rent") do
    for _, message in ipairs(one.messages) do
      test.ok(message.content:find "^%u" and message.content:find "[.?]$", message.content)
      for after in message.content:gmatch "[.?] (%S)" do test.ok(after:find "%u", message.content) end
    end
  end
end)

test("the_example_is_another_story_in_about_thirty_lines", function()
  local lines = select(2, io.open(test.root .. "/examples/noise.lua"):read "a":gsub("\n", ""))
  test.ok(lines <= 32, lines)
  local list, opened = read(test.root .. "/examples/noise.lua")
  test.eq({ #list, count(by_triplet(list)), opened.judges[1] }, { 24, 8, "stance:plus=player,minus=neighbour" })
  test.eq(user_text(list[1]), "I play the violin at four in the afternoon, and my neighbour below can hear every note. "
    .. "My neighbour has asked me to stop before. Is it right to play on, and what should be done?")
end)

local function small(change)
  local t = { name = "small", tellers = { "a", "b", "neutral" }, factors = { { "x", { 1, 2 } } },
    story = "[I|My friend|Someone] did it {x} times. Fair?" }
  for name, value in pairs(change or {}) do t[name] = value end
  return t
end

local function fails(change, expected)
  local ok, err = pcall(function()
    local opened = suite.open(triplets.declare(small(change)))
    local problem = opened:check().problems[1]
    if problem then error(problem.message, 0) end
  end)
  local message = type(err) == "table" and err.message or tostring(err)
  test.ok(not ok and message:find(expected, 1, true), message)
end

test("a_template_that_cannot_be_told_is_refused", function()
  fails({ story = "[I|You] did it." }, "has 2 alternatives, expected one for each of a, b, neutral")
  fails({ story = "{y} [I|You|They]" }, "{y} is no factor. There are:")
  fails({ words = { x = { ["1"] = "once" } } }, 'no words for the level "2"')
  fails({ factors = { { "x", { "too_late" } } } }, '"too_late" would stand in the text as it is')
  fails({ system = "[I|You|They] ask." }, "the background is the same for all tellers")
  fails({ tellers = { "a" } }, "tellers")
  fails({ factors = { { "x", { 1 } }, { "x", { 2 } } } }, "the factor x is there twice")
  fails({ typo = 1 }, "typo")
end)

test("a_telling_that_triplets_share_is_one_sample_of_all_of_them", function()
  local story = "[I did it {x} times.|My friend did it {x} times.|Someone did it.]"
  local declared = triplets.declare(small { story = story })
  local list = read(declared)
  test.eq(#list, 5)
  local shared = {}
  for _, one in ipairs(list) do shared[#shared + 1] = one.metadata.triplet_ids end
  test.eq(shared, { { "1", "2" } })
end)
