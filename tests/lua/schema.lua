-- lre.schema: what models answer, held against a declared shape.
local lre = require "lre"
local json = require "lre.json"
local schema = require "lre.schema"
local test = require "lre.unit"

local spec = {
  type = "object",
  properties = {
    label = { type = "string", enum = { "a", "b" } },
    score = { type = "number", minimum = 0, maximum = 1 },
    n = { type = "integer" },
    why = { type = { "string", "null" }, minLength = 2, maxLength = 4 },
    tags = { type = "array", items = { type = "string" }, minItems = 1, maxItems = 2 },
    inner = { type = "object", properties = { x = { type = "boolean" } }, required = { "x" } },
    open = { type = "object", additionalProperties = { type = "number" }, properties = {} },
  },
  required = { "label" },
}

local function problem(text)
  local ok, problems = schema.check(spec, assert(json.decode(text)))
  return ok and "none" or problems[1].message
end

test("a_value_that_fits_has_no_problem", function()
  for _, text in ipairs { '{"label":"a"}', '{"label":"b","score":0.5,"n":3,"why":null,"tags":["x"]}',
    '{"label":"a","inner":{"x":true},"open":{"any":1,"other":2.5}}', '{"label":"a","score":1,"n":2.0,"why":"éé"}' } do
    test.eq(problem(text), "none", text)
  end
end)

test("each_rule_names_the_place_what_was_expected_and_what_was_found", function()
  local cases = {
    ["{}"] = "label: is missing",
    ["[]"] = "expected object, got array",
    ['"label"'] = 'expected object, got string "label"',
    ['{"label":"c"}'] = 'label: expected one of "a", "b", got string "c"',
    ['{"label":"A"}'] = 'label: expected one of "a", "b", got string "A"',
    ['{"label":"a","score":1.5}'] = "score: expected at most 1, got 1.5",
    ['{"label":"a","score":-1}'] = "score: expected at least 0, got -1",
    ['{"label":"a","score":"0.5"}'] = 'score: expected number, got string "0.5"',
    ['{"label":"a","n":2.5}'] = "n: expected integer, got number 2.5",
    ['{"label":"a","why":"x"}'] = "why: expected at least 2 characters, got 1",
    ['{"label":"a","why":"éééééé"}'] = "why: expected at most 4 characters, got 6",
    ['{"label":"a","why":7}'] = "why: expected string or null, got integer 7",
    ['{"label":"a","tags":[]}'] = "tags: expected at least 1 elements, got 0",
    ['{"label":"a","tags":["x","y","z"]}'] = "tags: expected at most 2 elements, got 3",
    ['{"label":"a","tags":["x",1]}'] = "tags[2]: expected string, got integer 1",
    ['{"label":"a","inner":{}}'] = "inner.x: is missing",
    ['{"label":"a","inner":{"x":true,"y":1}}'] = "inner.y: unknown key.",
    ['{"label":"a","open":{"k":"v"}}'] = 'open.k: expected number, got string "v"',
  }
  for text, message in pairs(cases) do test.has(problem(text), message, text) end
end)

test("a_field_that_is_not_declared_is_an_error_with_a_suggestion", function()
  test.has(problem '{"label":"a","scor":1}', 'scor: unknown key. Did you mean "score"?')
end)

test("all_problems_are_told_up_to_a_bound", function()
  local _, problems = schema.check(spec, { score = 2, n = "x" })
  test.eq(#problems, 3)
  local many = {}
  for i = 1, 100 do many["field" .. i] = 1 end
  _, problems = schema.check(spec, many)
  test.eq(#problems, 20)
end)

test("a_wrong_schema_is_the_scripts_mistake", function()
  local cases = {
    { { type = "strin" }, "type: expected a word or list of words" },
    { { minimun = 1 }, 'minimun: unknown key. Did you mean "minimum"?' },
    { { properties = { a = { enum = {} } } }, "properties.a.enum: expected a list" },
    { { properties = { a = {} }, required = { "b" } }, '"b" is not among the properties' },
    { { items = 1 }, "items: expected a schema" },
  }
  for _, case in ipairs(cases) do
    test.has(schema.problems(case[1])[1].message, case[2])
    test.raises(function() schema.check(case[1], {}) end, case[2])
  end
end)

test("scripts_have_it_as_lre_schema", function()
  test.eq(lre.schema.check({ type = "integer" }, 3), true)
end)

-- ---- what may be read as something else ----

local loose = {
  type = "object", required = { "ok" },
  properties = {
    ok = { type = "boolean", normalize = true }, score = { type = "number", minimum = 0, normalize = true },
    plain = { type = "boolean" },
    parts = { type = "object", additionalProperties = { type = "number", normalize = true } },
    list = { type = "array", items = { type = "boolean", normalize = true } },
  },
}

local function read(text)
  local value, notes = schema.read(loose, assert(json.decode(text)))
  return value, notes
end

test("a_word_is_read_as_a_boolean_only_where_the_schema_says_so_and_each_is_named", function()
  for text, want in pairs { ['"0"'] = false, ['"1"'] = true, ["0"] = false, ["1"] = true, ['"yes"'] = true,
    ['"No"'] = false, ['" true "'] = true, ['"Sí"'] = true } do
    local value, notes = read('{"ok":' .. text .. "}")
    test.eq(value.ok, want, text)
    test.eq(#notes, 1, text)
    test.has(notes[1], "ok: ", text)
    test.has(notes[1], " read as " .. tostring(want), text)
  end
  local value, notes = read '{"ok":true,"score":"0.9","parts":{"x":".5"},"list":[1,false]}'
  test.eq({ value.ok, value.score, value.parts.x, value.list[1], value.list[2] }, { true, 0.9, 0.5, true, false })
  test.eq(table.concat(notes, "; "), 'list[1]: 1 read as true; parts.x: ".5" read as 0.5; score: "0.9" read as 0.9')
  local none, problems = read '{"ok":true,"plain":1}'
  test.eq(none, nil)
  test.has(problems[1].message, "plain: expected boolean, got integer 1")
end)

test("what_is_no_boolean_and_no_number_is_not_guessed", function()
  for _, text in ipairs { '{"ok":null}', '{"ok":2}', '{"ok":"maybe"}', '{"ok":""}', '{"ok":[]}',
    '{"ok":true,"score":"NaN"}', '{"ok":true,"score":"0,9"}', '{"ok":true,"score":"1e3"}', '{"ok":true,"score":true}',
    '{"ok":true,"score":"inf"}', '{"ok":true,"score":"-0.1"}', '{"ok":true,"score":"0x1"}',
    '{"ok":true,"list":["maybe"]}' } do
    test.eq((read(text)), nil, text)
  end
end)

test("what_a_provider_is_sent_asks_for_every_field_and_has_none_of_our_words", function()
  local out, strict = schema.wire(spec)
  test.eq(strict, false) -- "open" allows fields that it does not name
  test.eq(#out.required, 7)
  local closed = { type = "object", required = { "a" }, properties = { a = { type = "boolean", normalize = true },
    b = { type = "array", items = { type = "object",
      properties = { c = { type = "string", minLength = 1 } } } } } }
  out, strict = schema.wire(closed)
  test.eq(strict, true)
  test.eq(json.encode(out), '{"additionalProperties":false,"properties":{"a":{"type":"boolean"},"b":{"items":'
    .. '{"additionalProperties":false,"properties":{"c":{"type":"string"}},"required":["c"],"type":"object"},'
    .. '"type":"array"}},"required":["a","b"],"type":"object"}')
end)
