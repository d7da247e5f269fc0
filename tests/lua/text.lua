-- lre.text
local test = require "lre.unit"
local text = require "lre.text"

test("nothing_reaches_a_terminal_that_moves_it", function()
  test.eq(text.terminal "a\27[31mb\7\127", [[a\x1b[31mb\x07\x7f]])
  test.eq(text.terminal "\u{202e}evil\u{2066}", [[\u{202e}evil\u{2066}]])
  test.eq(text.terminal "\u{9b}2J", [[\u{9b}2J]])
  test.eq(text.terminal "\xff\xc3", [[\xff\xc3]])
  test.eq(text.terminal "a\nb\tc\r", [[a\x0ab\x09c\x0d]])
  test.eq(text.terminal("a\nb\tc\r", true), "a\nb\tc\\x0d")
  test.eq(text.terminal "héllo 日本 👍", "héllo 日本 👍")
end)

test("html_has_no_markup_left", function()
  test.eq(text.html [[<a b="c" d='e'>&amp;]], "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;")
end)

test("distance_counts_edits", function()
  for _, case in ipairs { { "", "", 0 }, { "a", "", 1 }, { "refusal", "refsual", 1 }, { "kitten", "sitting", 3 },
    { "openai", "opneai", 1 }, { "abc", "abc", 0 }, { "ca", "abc", 3 } } do
    test.eq(text.distance(case[1], case[2]), case[3], case[1] .. "/" .. case[2])
    test.eq(text.distance(case[2], case[1]), case[3], case[2] .. "/" .. case[1])
  end
  test.eq(text.distance(("a"):rep(10000), "b"), 255)
end)

test("columns_count_what_a_terminal_shows", function()
  test.eq({ text.columns "abc", text.columns "日本", text.columns "e\u{301}", text.columns "👍", text.columns "é" },
    { 3, 4, 1, 2, 1 })
end)

test("bad_utf8_is_found_and_mended", function()
  test.eq({ text.valid_utf8 "ok é" }, { true })
  test.eq({ text.valid_utf8 "ab\xffc" }, { false, 2 })
  test.eq({ text.repair_utf8 "ab\xffc" }, { "ab\u{fffd}c", 1 })
end)

test("trim_takes_white_space_at_both_ends", function()
  test.eq({ text.trim " \t\r\n a b \v\f", text.trim "   ", text.trim "" }, { "a b", "", "" })
end)
