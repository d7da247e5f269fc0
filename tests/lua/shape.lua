-- shape and suggest: what is said of a script's mistakes.
local json = require "lre.json"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local test = require "lre.unit"

local function messages(schema, value)
  local _, problems = shape.check(schema, value, "suites/x.lua")
  local list = {}
  for i, problem in ipairs(problems or {}) do
    list[i] = problem.message
  end
  return table.concat(list, "\n")
end

local samples = shape.record {
  samples = shape.list(shape.record { id = shape.string(), n = shape.optional(shape.integer { min = 1, max = 5 }) }),
}

test("a_message_names_file_path_expected_and_found", function()
  local value = { samples = { { id = "a" }, { id = "b" }, {} } }
  test.eq(messages(samples, value), "suites/x.lua: samples[3].id: expected string, got nil")
end)

test("all_problems_are_told_in_a_fixed_order", function()
  local value = { samples = { { id = 1, n = 9 }, "x" } }
  test.eq(messages(samples, value), table.concat({
    "suites/x.lua: samples[1].id: expected string, got integer 1",
    "suites/x.lua: samples[1].n: expected integer, 1 to 5, got integer 9",
    'suites/x.lua: samples[2]: expected table, got string "x"',
  }, "\n"))
end)

test("an_unknown_key_gets_a_suggestion", function()
  test.eq(messages(samples, { smaples = {}, samples = {} }),
    'suites/x.lua: smaples: unknown key. Did you mean "samples"?')
  test.eq(messages(samples, { zzzz = 1, samples = {} }), "suites/x.lua: zzzz: unknown key. Known: samples")
end)

test("null_counts_as_absent", function()
  test.eq(messages(shape.optional(shape.string()), json.null), "")
  test.eq(messages(shape.string(), json.null), "suites/x.lua: expected string, got null")
  test.eq(messages(shape.map(shape.string()), { a = json.null }), "")
end)

test("numbers_must_be_finite_and_of_their_kind", function()
  test.eq(messages(shape.number(), 0 / 0):match "expected number" ~= nil, true)
  test.eq(messages(shape.number(), 1 / 0):match "expected number" ~= nil, true)
  test.eq(messages(shape.integer(), 1.0), "suites/x.lua: expected integer, got number 1.0")
  test.eq(messages(shape.number { min = 0 }, -1), "suites/x.lua: expected number, at least 0, got integer -1")
end)

test("a_list_has_no_holes_and_no_names", function()
  test.eq(messages(shape.list(shape.string()), { "a", x = "b" }),
    'suites/x.lua: expected list of string, got a table with the key "x"')
  test.eq(messages(shape.list(shape.string(), { min = 1 }), {}), "suites/x.lua: expected at least 1 elements, got 0")
end)

test("one_of_suggests_the_nearest_word", function()
  test.eq(messages(shape.one_of { "rule", "model" }, "rul"),
    'suites/x.lua: expected one of "rule", "model", got string "rul". Did you mean "rule"?')
end)

test("either_tells_the_problem_of_the_alternative_that_fits_best", function()
  local schema = shape.either(shape.string(), shape.list(shape.string()))
  test.eq(messages(schema, { "a" }), "")
  test.eq(messages(schema, { "a", 2 }), "suites/x.lua: [2]: expected string, got integer 2")
  test.eq(messages(schema, true), "suites/x.lua: expected string or list of string, got true")
end)

test("assert_raises_exit_3_with_every_problem", function()
  local ok, err = pcall(shape.assert, samples, { samples = { {}, {} } }, "f.lua")
  test.eq(ok, false)
  test.eq(err.exit, 3)
  test.eq(tostring(err),
    "f.lua: samples[1].id: expected string, got nil\nf.lua: samples[2].id: expected string, got nil")
end)

test("control_bytes_of_a_value_never_reach_the_terminal", function()
  test.eq(messages(shape.integer(), "\27[31mred"):find("\27", 1, true), nil)
end)

test("nearest_puts_case_and_prefix_before_wrong_letters", function()
  local list = { "refusals", "refusal", "brevity", "refuse" }
  test.eq(suggest.nearest("REFUSAL", list)[1], "refusal")
  test.eq(suggest.nearest("brev", list)[1], "brevity")
  test.eq(suggest.nearest("bervity", list)[1], "brevity")
  test.eq(#suggest.nearest("qqqqqqq", list), 0)
  test.eq(suggest.sentence("qqqqqqq", list), "")
  test.eq(suggest.sentence("berevity", list), ' Did you mean "brevity"?')
end)
