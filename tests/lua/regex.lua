-- lre.regex: what patterns and sets promise.
local regex = require "lre.regex"
local test = require "lre.unit"

local runaway, long = regex.new "(a+)+$", ("a"):rep(40) .. "b"

local function results(...)
  local list = table.pack(...)
  for i = 1, list.n do
    list[i] = tostring(list[i])
  end
  return table.concat(list, " ")
end

-- The message that fn raises.
local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  test.eq(ok, false)
  return tostring(message)
end

test("find_gives_positions_and_captures_false_where_unset", function()
  local pattern = regex.new([[(\d+)-(x)?]], "i")
  test.eq(results(pattern:find "ab 12-"), "4 6 12 false")
  test.eq(results(pattern:find "ab 12-X"), "4 7 12 X")
  test.eq(results(pattern:find "none"), "nil")
end)

test("init_is_read_as_string_find_reads_it", function()
  local word = regex.new [[\w+]]
  test.eq(results(word:find("abc def", 4)), "5 7")
  test.eq(results(word:find("abc def", -2)), "6 7")
  test.eq(results(word:find("abc", 0)), "1 3")
  test.eq(results(word:find("abc", math.mininteger)), "1 3")
  test.eq(results(word:find("abc", math.maxinteger)), "nil")
  test.eq(results(regex.new("$"):find("abc", 4)), "4 3")
end)

test("match_gives_captures_or_the_whole", function()
  test.eq(results(regex.new("(.)=(.)"):match "a=1"), "a 1")
  test.eq(results(regex.new("b+"):match "abbc"), "bb")
  test.eq(regex.new("b+"):test "abbc", true)
  test.eq(regex.new("b+"):test "ac", false)
end)

test("matches_are_counted_without_overlap_and_by_character", function()
  test.eq(regex.new([[\w+]]):count "año one  two", 3)
  test.eq(regex.new([[\w*]]):count "ab c", 2)
  test.eq(regex.new(""):count "ñb", 3)
  test.eq(regex.new("aa"):count "aaaaa", 2)
end)

test("gmatch_walks_all_matches", function()
  local list = {}
  for key, value in regex.new("(.)=(.)"):gmatch "a=1,b=2" do
    list[#list + 1] = key .. value
  end
  test.eq(table.concat(list, " "), "a1 b2")
end)

test("gsub_replaces_by_template_and_by_function", function()
  local word = regex.new [[\w+]]
  test.eq(results(word:gsub("a bc", "<$0>")), "<a> <bc> 2")
  test.eq(results(regex.new("(.)=(.)?"):gsub("a=1 b=", "$2$$$1")), "1$a $b 2")
  test.eq(results(word:gsub("a bc d", function(s) return s ~= "bc" and s:upper() end)), "A bc D 3")
  test.eq(results(regex.new(""):gsub("ab", "-")), "-a-b- 3")
end)

test("a_pattern_may_be_used_again_inside_its_own_gsub", function()
  local word = regex.new [[(\w)(\w*)]]
  local text = word:gsub("ab cd", function(first, rest) return (word:gsub("xyz", "$2")) .. rest .. first end)
  test.eq(text, "yzba yzdc")
end)

test("a_replacement_that_makes_no_sense_raises", function()
  local word = regex.new [[\w+]]
  assert(raised(word.gsub, word, "a", "$1"):find("group", 1, true))
  assert(raised(word.gsub, word, "a", "$"):find("group", 1, true))
  assert(raised(word.gsub, word, "a", function() return {} end):find("got table", 1, true))
end)

test("a_bad_pattern_or_flag_raises_and_says_where", function()
  assert(raised(regex.new, "a("):find("offset 2", 1, true))
  assert(raised(regex.new, "a", "q"):find("unknown flag 'q'", 1, true))
  assert(raised(regex.set, { { id = "x", pattern = "a" }, { id = "y", pattern = "(" } }):find("pattern 2", 1, true))
  assert(raised(regex.set, { { id = "x" } }):find("patterns[1].pattern", 1, true))
  assert(raised(regex.set, { x = 1 }):find("expected ids with patterns", 1, true))
end)

test("a_limit_is_an_error_that_names_the_pattern_never_no_match", function()
  for _, method in ipairs { "find", "match", "test", "count" } do
    local result, err = runaway[method](runaway, long)
    test.eq(result, nil)
    test.eq(err.kind, "regex")
    test.eq(err.code, "match_limit")
    assert(tostring(err):find("(a+)+$", 1, true))
  end
  local result, err = runaway:gsub(long, "")
  test.eq(result, nil)
  test.eq(err.code, "match_limit")
  local ok, raised_err = pcall(function() return runaway:gmatch(long)() end)
  test.eq(ok, false)
  test.eq(raised_err.code, "match_limit")
end)

test("a_set_of_named_patterns_is_asked_in_the_order_of_its_ids", function()
  local set = regex.set({ b = "b+", a = "A(.)", z = "zz" }, "i")
  local found = set:scan "bb ax"
  test.eq(#found, 2)
  test.eq(results(found[1].id, found[1].start, found[1].stop, found[1].text), "a 4 5 ax")
  test.eq(results(found[2].id, found[2].start, found[2].stop, found[2].text), "b 1 2 bb")
  test.eq(results(set:first "bb"), "b 1 2")
  test.eq(results(set:first "q"), "nil")
  test.eq(set:any "ZZ", true)
  test.eq(set:any "q", false)
  test.eq(regex.set({}):any "x", false)
end)

test("a_list_of_patterns_keeps_its_order", function()
  local set = regex.set { { id = "two", pattern = "2" }, { id = "one", pattern = "1" } }
  test.eq(results(set:first "12"), "two 2 2")
end)

test("a_limit_in_a_set_is_an_error_unless_another_pattern_matches", function()
  local set = regex.set { { id = "bad", pattern = "(a+)+$" }, { id = "b", pattern = "b" } }
  test.eq(set:any(long), true)
  local result, err = set:any(("a"):rep(40) .. "c")
  test.eq(result, nil)
  test.eq(err.code, "match_limit")
  result, err = set:scan(long)
  test.eq(result, nil)
  assert(tostring(err):find("`bad`", 1, true))
end)

-- Nothing but the table of a script's own making would hold these strings.
test("patterns_made_while_they_are_read_stay_alive", function()
  local made = setmetatable({}, {
    __len = function() return 50 end,
    __index = function(_, i)
      collectgarbage()
      return { id = "id" .. i, pattern = "<p" .. i .. ">" }
    end,
  })
  test.eq(results(regex.set(made):first "x<p50>"), "id50 2 6")
end)

test("an_escaped_text_matches_itself", function()
  local text = "a.b*\n#[]\\^$ñ\0 x_9"
  for _, flags in ipairs { "", "x", "ims" } do
    test.eq(regex.new("^" .. regex.escape(text) .. "$", flags):test(text), true)
  end
end)

test("a_pattern_shows_its_text_and_hides_its_metatable", function()
  local pattern = regex.new "a+"
  test.eq(tostring(pattern), "lre.pattern: a+")
  test.eq(getmetatable(pattern), false)
  test.eq(pattern.__index, nil)
  test.eq(pattern.__gc, nil)
end)
