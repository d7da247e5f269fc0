-- lre.json: strict in, canonical out.
local json = require "lre.json"
local test = require "lre.unit"

local function code(text, options)
  local value, err = json.decode(text, options)
  test.eq(value, nil, text)
  return err.kind .. "/" .. err.code
end

test("values_come_in_with_their_kinds", function()
  local value = test.ok(json.decode '{"i":1,"f":1.0,"e":1e2,"s":"\\u00e9","t":true,"n":null,"a":[],"o":{}}')
  test.eq(math.type(value.i), "integer")
  test.eq(math.type(value.f), "float")
  test.eq(math.type(value.e), "float")
  test.eq({ value.s, value.t, value.n == json.null }, { "é", true, true })
  test.eq({ json.is_array(value.a), json.is_array(value.o) }, { true, false })
end)

test("what_was_read_is_written_the_same", function()
  local text = '{"a":[],"b":{},"c":[1,2.5,"x",null,true],"d":{"e":-3,"f":1e+16}}'
  test.eq(json.encode(json.decode(text)), text)
end)

test("keys_are_sorted_by_bytes", function()
  test.eq(json.encode { b = 1, a = 2, B = 3, ["é"] = 4, [""] = 5 }, '{"":5,"B":3,"a":2,"b":1,"é":4}')
end)

test("an_object_of_many_keys_is_sorted_too", function()
  local t, want = {}, {}
  for i = 1, 100 do t[("k%03d"):format(i)] = i end
  for i = 1, 100 do want[i] = ('"k%03d":%d'):format(i, i) end
  test.eq(json.encode(t), "{" .. table.concat(want, ",") .. "}")
end)

test("indented_text_ends_in_a_newline", function()
  test.eq(json.encode({ a = { 1, 2 }, b = json.array(), c = {} }, 2),
    '{\n  "a": [\n    1,\n    2\n  ],\n  "b": [],\n  "c": {}\n}\n')
end)

test("empty_tables_are_objects_unless_marked", function()
  test.eq({ json.encode {}, json.encode(json.array {}), json.encode(json.array()) }, { "{}", "[]", "[]" })
end)

test("numbers_are_written_as_python_writes_them", function()
  test.eq(json.encode { 1, 1.0, 0.1, 1e16, 4e-07, -0.0, 123456789012 }, "[1,1.0,0.1,1e+16,4e-07,-0.0,123456789012]")
end)

test("what_is_not_json_is_an_error_that_names_the_place", function()
  local cases = {
    { { rows = { {}, {}, { value = print } } }, "rows[3].value: a function cannot be written as JSON" },
    { { x = { [1] = 1, [3] = 3 } }, "x: a list with holes" },
    { { x = { 1, 2, k = 3 } }, "x: a list with holes, or with other keys" },
    { { x = { [true] = 1 } }, "x: a key of an object must be a string" },
    { { x = 0 / 0 }, "x: " },
    { { x = math.huge }, "x: " },
    { { x = "\xff" }, "x: " },
    { { ["\xff"] = 1 }, "a key that is not valid UTF-8" },
    { json.array { n = 1 }, "an array with holes or with other keys" },
    { coroutine.create(print), "value: a thread" },
  }
  for i, case in ipairs(cases) do
    local text, err = json.encode(case[1])
    test.eq(text, nil, "case " .. i)
    test.eq(err.kind, "json")
    test.has(err.message, case[2])
  end
end)

test("a_table_that_contains_itself_is_an_error", function()
  local t = {}
  t.t = t
  local _, err = json.encode(t)
  test.eq(err.code, "depth")
end)

test("no_metamethod_runs", function()
  local proxy = setmetatable({ real = 1 }, {
    __index = function() error "asked" end,
    __pairs = function() error "walked" end,
    __len = function() error "measured" end,
  })
  test.eq(json.encode(proxy), '{"real":1}')
end)

test("malformed_text_is_refused_with_its_offset", function()
  test.eq(code "", "json/empty")
  test.eq(code "{", "json/syntax")
  test.eq(code "01", "json/syntax")
  test.eq(code "[1] 2", "json/trailing")
  test.eq(code '{"a":1,"a":2}', "json/duplicate_key")
  test.eq(code '"\\u0000"', "json/nul")
  test.eq(code '"\xff"', "json/utf8")
  test.eq(code "9007199254740993", "json/bigint")
  test.eq(code(("["):rep(65) .. ("]"):rep(65)), "json/depth")
  test.eq(code(("["):rep(10000)), "json/depth")
  test.eq(code('"12345"', { max_bytes = 3 }), "json/too_large")
  local _, err = json.decode '{"a":tru}'
  test.has(err.message, "at byte ")
end)

test("big_integers_become_strings_where_asked", function()
  local value = test.ok(json.decode('{"id":12345678901234567890,"n":5}', { bigint = "string" }))
  test.eq(value, { id = "12345678901234567890", n = 5 })
end)

test("a_wrong_option_raises", function()
  test.raises(function() json.decode("1", { max_depth = 100000 }) end, "max_depth: expected an integer from 1 to 190")
  test.raises(function() json.decode("1", { bigint = "x" }) end, "invalid option")
  test.raises(function() json.encode(1, 3) end, "indent")
  test.raises(function() json.decode() end, "string expected")
end)

test("the_deepest_that_is_read_is_written", function()
  local text = ("["):rep(190) .. ("]"):rep(190)
  test.eq(json.encode(json.decode(text, { max_depth = 190 })), text)
end)

test("round_keeps_12_significant_digits", function()
  test.eq({ json.round(1 / 3), json.round(7), json.round(2.0) }, { 0.333333333333, 7, 2.0 })
end)

-- The journal is scanned by way of cJSON's tree.
test("a_text_is_read_as_its_tree_is", function()
  local fs, journal = require "lre.fs", require "lre.journal"
  local path, texts = test.folder() .. "/lines.jsonl", {
    [=[ [1,-2,0,-0,1.0,-0.0,1e3,1E-2,0.1,123456789012,9007199254740992,-9007199254740992,1.7976931348623157e308] ]=],
    [=[{"a":{"b":[],"c":{},"d":[[],[{}]],"e":[ 1 , [ 2 ] , {"f" : 3} ]},"g":"","h":null,"i":true,"j":false}]=],
    [=["\u0041\u00e9\u20ac\ud83d\ude00\"\\\/\b\f\n\r\t é€😀 plain and long enough for a word or two"]=],
    [=[{"\u0061\n":"x","é":["\ud83d\ude00","a\\"],"":0}]=], [=["\\"]=], [=["\\\""]=], '[""]',
    "9007199254740993", "-1", "0", "true", "null", "[]", "{}",
    "0." .. ("1"):rep(100), "[" .. ("0,"):rep(500) .. "1e-400]",
  }
  local lines = {}
  for i, text in ipairs(texts) do lines[i] = ('{"x":%s}\n'):format(text) end
  assert(fs.write(path, table.concat(lines)))
  local n = 0
  for row, number in journal.scan(path, { "x" }) do
    n = n + 1
    local value, err = json.decode(texts[number], { bigint = "string" })
    test.eq(err, nil)
    test.eq(json.encode { value }, json.encode { row.x }, texts[number])
    test.eq(value, row.x, texts[number])
  end
  test.eq(n, #texts)
end)
