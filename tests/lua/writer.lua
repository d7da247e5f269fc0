-- writer: objects of known fields.
local json = require "lre.json"
local test = require "lre.unit"
local writer = require "lre.writer"

test("a_writer_gives_the_bytes_of_the_encoded_table", function()
  local write = writer.new { "b", "judge_hash", "judge", "a", "repeat" }
  local values = { 'q"\n', 1.5, json.array {}, { z = 1, a = json.null }, 3 }
  test.eq(write(table.unpack(values)),
    json.encode { b = values[1], judge_hash = 1.5, judge = values[3], a = values[4], ["repeat"] = 3 })
  test.eq(write(nil, 1, nil, false, nil), '{"a":false,"judge_hash":1}')
  test.eq(write(), "{}")
end)

test("what_is_encoded_already_is_copied", function()
  local write = writer.new({ "trial", "response" }, { "trial" })
  test.eq(write('{"k":[1]}', "x"), '{"response":"x","trial":{"k":[1]}}')
end)

test("a_value_that_json_does_not_have_is_an_error_with_a_reason", function()
  local write = writer.new { "a" }
  for value, why in pairs { ["\255"] = "UTF%-8", [math.huge] = "infinity", [print] = "function" } do
    local text, err = write(value)
    test.eq(text, nil)
    test.ok(err.message:find(why))
  end
  test.eq(write "fine", '{"a":"fine"}')
end)

test("names_that_would_need_escapes_are_refused", function()
  for _, name in ipairs { 'a"', "A", "é", "a b" } do
    test.eq(pcall(writer.new, { name }), false, name)
  end
end)
