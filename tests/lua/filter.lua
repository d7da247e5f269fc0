-- lre.filter: which samples are asked.
local filter = require "lre.filter"
local test = require "lre.unit"

local function passes(words, sample)
  return filter.passes(filter.parse(words), sample)
end

test("a_pattern_is_of_the_id_unless_it_says_category_or_subcategory", function()
  local one = { id = "PI-DIRECT-001", category = "prompt_injection", subcategory = "direct_ignore" }
  for _, yes in ipairs { { "PI-*" }, { "*-001" }, { "PI-DIRECT-00?" }, { "category=prompt*" },
    { "subcategory=direct_ignore" }, { "id=PI-*" }, { "X", "PI-DIRECT-001" }, { "PI-*", "category=prompt_injection" },
    { "category=hhh", "category=prompt_injection" }, { "*" } } do
    test.eq(passes(yes, one), true, table.concat(yes, " "))
  end
  for _, no in ipairs { { "PI" }, { "pi-*" }, { "PI.DIRECT.001" }, { "category=prompt" }, { "PI-*", "category=hhh" },
    { "PI-DIRECT-001?" }, { "[PI]*" } } do
    test.eq(passes(no, one), false, table.concat(no, " "))
  end
end)

test("letters_beyond_ascii_are_characters_and_a_missing_field_matches_nothing", function()
  test.eq(passes({ "?rbol" }, { id = "árbol" }), true)
  test.eq(passes({ "category=*" }, { id = "x" }), false)
end)

test("a_field_that_no_sample_has_is_refused_with_a_suggestion", function()
  local err = test.raises(function() filter.parse { "categry=hhh" } end, 'Did you mean "category"?')
  test.eq(err.exit, 2)
  test.raises(function() filter.parse { "category=" } end, "expected a pattern")
  test.eq(filter.parse {}, nil)
end)
