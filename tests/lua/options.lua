-- options: what scripts, judges, suites and adapters let their users set.
local options = require "lre.options"
local test = require "lre.unit"

local declared = {
  max_words = { 60, "longest short answer", min = 1, max = 1000 },
  rate = { 0.5, "a share" },
  strict = { false, "be strict" },
  style = { "plain", "how", one_of = { "plain", "rich" } },
  names = { { "a", "b" }, "whom" },
}

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  test.eq(ok, false)
  return tostring(err), err.exit
end

-- lre.options{} as `lre script x.lua -- ...` sees it.
local function with_arguments(words, fn)
  local before = rawget(_G, "arg")
  words[0] = "x.lua"
  rawset(_G, "arg", words)
  local ok, err = pcall(fn)
  rawset(_G, "arg", before)
  if not ok then
    error(err, 0)
  end
end

test("a_default_is_the_type_and_is_copied", function()
  local values = options.resolve(declared, {}, "x")
  test.eq(values.max_words, 60)
  test.eq(values.strict, false)
  values.names[1] = "changed"
  test.eq(options.resolve(declared, {}, "x").names[1], "a")
end)

test("strings_are_read_as_the_options_type", function()
  local values = options.resolve(declared, { max_words = "30", rate = "1", strict = "true", names = "x,y,z" }, "x")
  test.eq(values.max_words, 30)
  test.eq(math.type(values.rate), "float")
  test.eq(values.strict, true)
  test.eq(#values.names, 3)
end)

test("a_wrong_type_or_range_is_refused_with_what_was_expected", function()
  test.eq((failure(options.resolve, declared, { max_words = "3.5" }, 'judge "b"')),
    'judge "b": option max_words: expected an integer, got string "3.5"')
  test.eq((failure(options.resolve, declared, { max_words = 0 }, "x")),
    "x: option max_words: expected from 1 to 1000, got integer 0")
  test.eq((failure(options.resolve, declared, { rate = "nan" }, "x")),
    'x: option rate: expected a number, got string "nan"')
  test.eq((failure(options.resolve, declared, { style = "rchi" }, "x")),
    'x: option style: expected one of plain, rich, got string "rchi"')
end)

test("an_unknown_option_gets_a_suggestion_and_exit_2", function()
  local message, exit = failure(options.resolve, declared, { max_word = "3" }, "x")
  test.eq(message, 'x: unknown option "max_word". Did you mean "max_words"?')
  test.eq(exit, 2)
  test.eq((failure(options.resolve, {}, { a = 1 }, "x")), 'x: unknown option "a". It has none')
end)

test("a_spec_is_a_name_and_its_options", function()
  local name, given = options.spec "brevity:max_words=30,as=b30"
  test.eq(name, "brevity")
  test.eq(given.max_words, "30")
  test.eq(given.as, "b30")
  test.eq(options.spec "./judges/a:b.lua", "./judges/a:b.lua")
  test.eq(failure(options.spec, "brevity:30"):match "expected NAME:option=value" ~= nil, true)
  test.eq(failure(options.spec, "brevity:a=1,a=2"):match "given twice" ~= nil, true)
end)

test("commas_split_specs_but_not_their_options", function()
  local list = options.split "refusal, brevity:max_words=30,as=b30,other"
  test.eq(table.concat(list, "|"), "refusal|brevity:max_words=30,as=b30|other")
end)

test("flags_of_a_script_are_read_in_every_form", function()
  with_arguments({ "--max-words", "5", "--rate=0.25", "--strict", "--names=q" }, function()
    local values = options.declare(declared)
    test.eq(values.max_words, 5)
    test.eq(values.rate, 0.25)
    test.eq(values.strict, true)
    test.eq(values.names[1], "q")
  end)
  with_arguments({ "--no-strict" }, function()
    test.eq(options.declare(declared).strict, false)
  end)
end)

test("a_wrong_flag_ends_the_script_with_exit_2", function()
  with_arguments({ "--max-word", "5" }, function()
    local message, exit = failure(options.declare, declared)
    test.eq(message, 'x.lua: unknown option "--max-word". Did you mean "--max-words"?')
    test.eq(exit, 2)
  end)
  with_arguments({ "--max-words" }, function()
    test.eq((failure(options.declare, declared)), "x.lua: --max-words needs a value")
  end)
  with_arguments({ "--no-strict=1" }, function()
    test.eq((failure(options.declare, declared)), "x.lua: --no-strict takes no value")
  end)
end)

test("help_shows_every_option_with_type_and_default_and_exits_0", function()
  with_arguments({ "--help" }, function()
    local message, exit = failure(options.declare, declared)
    test.eq(exit, 0)
    test.eq(message:find("--max-words INTEGER", 1, true) ~= nil, true)
    test.eq(message:find("longest short answer (default: 60)", 1, true) ~= nil, true)
    test.eq(message:find("--strict, --no-strict", 1, true) ~= nil, true)
  end)
end)

test("a_declaration_without_default_is_refused", function()
  test.eq(failure(options.declare, { limit = { nil, "doc" } }):match "lre.options: limit" ~= nil, true)
  test.eq(failure(options.declare, { limit = { 1, "doc", mni = 3 } }):match 'Did you mean "min"' ~= nil, true)
end)
