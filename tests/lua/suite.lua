-- suite: files and generators in every shape they come in, and every way they can be wrong.
local fs = require "lre.fs"
local json = require "lre.json"
local suite = require "lre.suite"
local test = require "lre.unit"

local folder = test.folder()

local function write(name, data)
  local path = folder .. "/" .. name
  assert(fs.write(path, data))
  return path
end

local function read(path)
  local list = {}
  for sample in suite.open(path):samples() do
    list[#list + 1] = sample
  end
  return list
end

-- The findings, without the folder.
local function said(check, which)
  local list = {}
  for i, entry in ipairs(check[which or "problems"]) do
    list[i] = entry.message:gsub(folder:gsub("%p", "%%%0") .. "/", "")
  end
  return table.concat(list, "\n")
end

local function problems(name, data, opt)
  return said(suite.open(write(name, data)):check(opt))
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  test.eq(ok, false)
  test.eq(type(err) == "table" and err.exit, 3)
  return (tostring(err):gsub(folder:gsub("%p", "%%%0") .. "/", ""))
end

local function shared(path)
  local root = os.getenv "LRE_SHARED" or "../shared"
  local file = root .. "/" .. path
  return fs.stat(file) and file or test.skip(file .. " is not here")
end

-- ---- shapes ----

test("text_prompt_messages_and_conversation_become_messages", function()
  local list = read(write("shapes.jsonl", [[
{"id":"a","text":"one"}
{"id":"b","prompt":"two","system":"be brief"}
{"prompt_id":3,"messages":[{"role":"user","content":"three"}],"factors":{"x":1}}
{"id":"d","conversation":[{"role":"system","content":"S"},{"role":"user","content":"4"}],"system":"S","extra":true}
]]))
  test.eq(json.encode(list[1]), '{"id":"a","messages":[{"content":"one","role":"user"}]}')
  test.eq(json.encode(list[2].messages),
    '[{"content":"be brief","role":"system"},{"content":"two","role":"user"}]')
  test.eq(list[3].id, "3")
  test.eq(json.encode(list[3].metadata), '{"factors":{"x":1}}')
  test.eq(#list[4].messages, 2)
  test.eq(json.encode(list[4].metadata), '{"extra":true}')
end)

test("a_bom_comments_blank_lines_and_crlf_are_fine", function()
  local path = write("crlf.jsonl",
    '\239\187\191# a comment\r\n\r\n{"id":"a","text":"x"}\r\n  # more\r\n{"id":"b","text":"y"}')
  local lines = {}
  for sample, line in suite.open(path):samples() do
    lines[#lines + 1] = sample.id .. line
  end
  test.eq(table.concat(lines, " "), "a3 b5")
end)

-- With `texts` each row is read as any other.
test("a_common_row_is_read_the_short_way_to_the_same_samples_and_findings", function()
  local data = table.concat({ '\239\187\191{"id":"a","text":"one"}', "# a note", "",
    ' {"prompt" : "two" , "id":"b"} ', '{"id":3,"text":"three"}',
    '{"id":"d","text":"quo\\"te\\n\\u00e9\\ud83d\\ude00 \240\159\152\128","category":"helpful"}',
    '{"subcategory":"s","category":"harmful","text":"five","id":"e"}', '{"id":" ","text":"six"}',
    '{"id":"g","text":"\\t"}',
    '{"id":"h","text":"eight","prompt":"too"}', '{"id":"i","text":"nine","category":""}', '{"id":"j"}',
    '{"id":"k","text":"\\u0000"}', '{"id":"l","text":"\255"}', '{"id":"m","id":"m","text":"x"}', '{"id":"n","text":"x"',
    '{"id":"o","text":"x"} y', '{"id":"p","text":null,"prompt":"sixteen"}', '{"id":"q","txt":"seventeen"}',
    '{"id":"a","text":"one again"}', '{"\\u0069d":"r","text":"escaped name"}', '{}', '[]' }, "\n")
  local opened = suite.open(write("common.jsonl", data))
  local short, long = opened:check { keep = true }, opened:check { keep = true, texts = true }
  test.eq({ short.count, short.hash, short.categories, short.generates },
    { long.count, long.hash, long.categories, long.generates })
  test.eq(said(short), said(long))
  local good = suite.open(write("good.jsonl", (data:gsub("\n[^\n]*six\".*", "\n"))))
  short, long = good:check { keep = true }, good:check { keep = true, texts = true }
  test.eq(short.count, 5)
  test.eq({ short.hash, short.kept, #short.problems }, { long.hash, long.kept, 0 })
end)

test("the_hash_is_of_the_samples_and_not_of_the_file", function()
  local plain = suite.open(write("h1.jsonl", '{"id":"a","text":"x"}\n')):check()
  local spaced = suite.open(write("h2.jsonl", '# c\n{ "prompt": "x", "id": "a" }\r\n')):check()
  local other = suite.open(write("h3.jsonl", '{"id":"a","text":"y"}\n')):check()
  local script = suite.open(write("h4.lua", [[
local lre = require "lre"
return lre.suite { name = "h4", samples = { { id = "a", text = "x" } } }]])):check()
  test.eq(plain.hash, require("lre.hash").sha256('{"id":"a","messages":[{"content":"x","role":"user"}]}\n'))
  test.eq(spaced.hash, plain.hash)
  test.eq(script.hash, plain.hash)
  test.eq(other.hash == plain.hash, false)
end)

test("csv_has_the_same_fields", function()
  local list = read(write("c.csv",
    'id,text,category,metadata\r\na,"one, ""two""\nthree",harmful,"{""k"":[1]}"\r\nb,x,,\n'))
  test.eq(#list, 2)
  test.eq(list[1].messages[1].content, 'one, "two"\nthree')
  test.eq(list[1].metadata.k[1], 1)
  test.eq(list[2].category, nil)
end)

test("csv_mistakes_have_a_line", function()
  test.eq(problems("c1.csv", "id,text\na,x\nb\n"), "c1.csv:3: expected 2 fields as in the header, got 1")
  test.has(problems("c2.csv", "id,txet\na,x\n"), 'c2.csv:2: txet: unknown key. Did you mean "text"?')
  test.has(problems("c3.csv", "id,id\na,x\n"), "c3.csv:1: id: column 2 has the name of another")
  test.has(problems("c4.csv", 'id,text\na,"x\n'), "c4.csv:")
  test.has(problems("c5.csv", "id,text\na,\255\n"), "c5.csv:2: invalid UTF-8")
  test.has(problems("c6.csv", "id,text\na,\0\n"), "c6.csv:2: a NUL byte")
  test.has(problems("c7.csv", "id,messages\na,[1\n"), "c7.csv:2: messages: expected JSON")
  test.has(problems("c8.csv", "id,text\n"), "c8.csv: no samples")
end)

test("the_seeds_files_load_by_path", function()
  local counts = { harmful_helpful = 15, jailbreak_styles = 10, refusal_calibration = 15 }
  for name, count in pairs(counts) do
    local check = suite.open(shared("seeds/data/1/suites/" .. name .. ".jsonl")):check { texts = true }
    test.eq(said(check) .. said(check, "warnings"), "")
    test.eq(check.count, count)
  end
  local alignment = suite.open(shared "seeds/data/3/alignment_eval_dataset.jsonl")
  local check = alignment:check { texts = true }
  test.eq(said(check), "")
  test.eq(check.count, 68)
  test.has(said(check, "warnings"), "alignment_eval_dataset.jsonl:2: duplicate text, first on line 1")
  for sample in alignment:samples { expect = check.hash } do
    test.eq(sample.messages[1].role, "system")
    test.eq(sample.messages[2].role, "user")
    test.eq(type(sample.metadata.judge_prompt), "string")
  end
  local grid = suite.open(shared "seeds/data/2/outputs/raw/grid.jsonl")
  check = grid:check()
  test.eq(said(check), "")
  test.eq(check.count, 84) -- a prompt of several rows is one sample
  for sample in grid:samples { expect = check.hash } do
    test.eq(type(sample.metadata.factors.perspective), "string")
  end
end)

-- ---- wrong rows ----

test("a_wrong_row_names_file_line_and_field", function()
  local cases = {
    { '{"id":"a"}', "text or prompt or messages or conversation, got nil" },
    { '{"text":"x"}', "id: expected id or prompt_id, got nil" },
    { '{"id":"","text":"x"}', "id: expected non-empty string or integer" },
    { '{"id":1.5,"text":"x"}', "id: expected non-empty string or integer, got number 1.5" },
    { '{"id":"a","text":"  "}', "text: expected non-empty string" },
    { '{"id":"a","text":7}', "text: expected non-empty string, got integer 7" },
    { '{"id":"a","text":"x","prompt":"y"}', "prompt: text and prompt mean the same; give one" },
    { '{"id":"a","text":"x","catgory":"harmful"}', 'catgory: unknown key. Did you mean "category"?' },
    { '{"id":"a","text":"x","category":""}', "category: expected non-empty string" },
    { '{"id":"a","messages":[]}', "messages: expected at least 1 elements, got 0" },
    { '{"id":"a","messages":[{"role":"usr","content":"x"}]}', 'messages[1].role: expected one of "system"' },
    { '{"id":"a","messages":[{"role":"user","content":"x","nmae":1}]}', "messages[1].nmae: unknown key" },
    { '{"id":"a","messages":[{"role":"user","content":[{"txt":1}]}]}', "messages[1].content[1]: expected a part" },
    { '{"id":"a","messages":[{"role":"system","content":"x"}]}', "expected at least one message of role user" },
    { '{"id":"a","messages":[{"role":"user","content":" "}]}', "of role user with text, got none" },
    { '{"id":"a","text":"x","metadata":true}', "metadata: expected table of a value, got true" },
    { '{"id":"a","text":"x","metadata":"y"}', 'metadata: expected table of a value, got string "y"' },
    { '{"id":"a","text":"x","metadata":{"notes":"1"},"notes":"2"}', "notes: is there twice" },
    { '["id","a"]', "expected an object, got a list" },
    { "3", "expected an object, got integer 3" },
    { "{", "not valid JSON: " },
    { '{"id":"a","id":"b","text":"x"}', "not valid JSON: " },
    { '{"id":"a","text":"\255"}', "not valid JSON: " },
    { '{"id":"a","text":"\0"}', "not valid JSON: " },
    { '{"id":"a","text":' .. ("["):rep(10000) .. ("]"):rep(10000) .. "}", "not valid JSON: " },
  }
  for _, case in ipairs(cases) do
    local text = problems("bad.jsonl", '{"id":"ok","text":"fine"}\n' .. case[1] .. "\n")
    test.has(text, "bad.jsonl:2: ")
    test.has(text, case[2])
  end
end)

test("all_problems_are_told_and_samples_raises_the_first", function()
  local path = write("many.jsonl", '{"id":"a"}\n{"id":"b","text":"x"}\nnope\n{"id":"b","text":"y"}\n')
  local opened = suite.open(path)
  local check = opened:check()
  test.eq(#check.problems, 3)
  test.eq(check.problems[1].line, 1)
  test.eq(check.problems[1].field, "text")
  test.eq(check.problems[2].line, 3)
  test.eq(check.problems[3].message:match ":4: .*", ':4: id: duplicate id "b", first on line 2')
  test.has(failure(function()
    opened:samples()()
  end), "many.jsonl:1: text: expected text or prompt")
end)

test("a_duplicate_id_is_found_among_many", function()
  local lines = {}
  for i = 1, 20000 do
    lines[i] = ('{"id":"s%d","text":"t%d"}'):format(i, i)
  end
  lines[20001] = '{"id":"s777","text":"other"}'
  test.eq(problems("dup.jsonl", table.concat(lines, "\n")),
    'dup.jsonl:20001: id: duplicate id "s777", first on line 777')
end)

test("the_same_text_twice_is_a_warning_where_asked_for", function()
  local opened = suite.open(write("texts.jsonl", '{"id":"a","text":"x"}\n{"id":"b","text":"x"}\n'))
  test.eq(said(opened:check()), "")
  test.eq(said(opened:check(), "warnings"), "")
  test.eq(said(opened:check { texts = true }, "warnings"), "texts.jsonl:2: duplicate text, first on line 1")
end)

test("one_odd_category_among_the_usual_is_suspected", function()
  local function warnings(...)
    local lines = {}
    for i, category in ipairs { ... } do
      lines[i] = ('{"id":"%d","text":"t%d","category":"%s"}'):format(i, i, category)
    end
    return said(suite.open(write("cat.jsonl", table.concat(lines, "\n"))):check(), "warnings")
  end
  test.has(warnings("harmful", "harmfull", "helpful"),
    "cat.jsonl:2: category: expected one of harmful, helpful, borderline")
  test.has(warnings("harmful", "harmfull"), 'Did you mean "harmful"?')
  test.eq(warnings("moral", "hhh", "prompt_injection"), "")
  test.eq(warnings("harmful", "helpful", "borderline"), "")
end)

test("a_key_kept_as_metadata_that_looks_mistyped_is_suspected_once", function()
  local row = '{"id":"%s","text":"%s","metadata":{},"catgory":"x","weather":"fine"}\n'
  local check = suite.open(write("open.jsonl", row:format("a", "x") .. row:format("b", "y"))):check()
  test.eq(said(check), "")
  test.eq(said(check, "warnings"),
    'open.jsonl:1: catgory: unknown key, kept as metadata. Did you mean "category"?')
end)

test("an_empty_suite_is_a_problem", function()
  test.eq(problems("empty.jsonl", ""), "empty.jsonl: no samples: expected at least one")
  test.eq(problems("comments.jsonl", "# nothing\n\n"), "comments.jsonl: no samples: expected at least one")
end)

test("a_line_of_17_mib_is_a_clear_error", function()
  local long = ("x"):rep(17 * 1024 * 1024)
  local text = problems("long.jsonl", '{"id":"a","text":"x"}\n{"id":"b","text":"' .. long .. '"}\n')
  test.has(text, "long.jsonl:2: ")
  test.eq(#text < 500, true)
end)

test("problems_are_counted_beyond_those_that_are_kept", function()
  local check = suite.open(write("lots.jsonl", ("nope\n"):rep(1500))):check()
  test.eq(#check.problems, 1000)
  test.eq(check.more, 500)
end)

-- ---- scripts ----

local function script(name, body)
  return write(name, 'local lre = require "lre"\n' .. body)
end

test("a_generator_streams_and_takes_options", function()
  local path = script("gen.lua", [[
return lre.suite {
  name = "gen", options = { n = { 3, "how many" } },
  samples = function(opt)
    return coroutine.wrap(function()
      for i = 1, opt.n do coroutine.yield { id = i, text = "t" .. i } end
    end)
  end,
}]])
  test.eq(suite.open(path):check().count, 3)
  test.eq(suite.open(path .. ":n=5"):check().count, 5)
  test.eq(suite.open(path, { options = { n = 2 } }):check().count, 2)
  local ok, err = pcall(suite.open, path .. ":m=5")
  test.eq(ok, false)
  test.eq(err.exit, 2)
end)

test("a_generators_sample_is_named_by_its_place", function()
  local path = script("place.lua", [[
return lre.suite { name = "place", samples = { { id = "a", text = "x" }, { id = "b", txt = "y" }, 7 } }]])
  local text = said(suite.open(path):check())
  test.has(text, 'samples[2].txt: unknown key. Did you mean "text"?')
  test.has(text, "samples[2].text: expected text or prompt")
  test.has(text, "samples[3]: expected an object, got integer 7")
end)

test("a_generator_that_reuses_its_table_gives_separate_samples", function()
  local path = script("reuse.lua", [[
return lre.suite { name = "reuse", samples = function()
  local t, i = { metadata = {} }, 0
  return function()
    i = i + 1
    if i > 2 then return nil end
    t.id, t.text, t.metadata.i = i, "x", i
    return t
  end
end }]])
  local list = read(path)
  test.eq(list[1].metadata.i, 1)
  test.eq(list[2].metadata.i, 2)
end)

test("a_generator_that_gives_other_samples_the_second_time_is_an_error", function()
  local path = script("fickle.lua", [[
local calls = 0
return lre.suite { name = "fickle", samples = function()
  calls = calls + 1
  return coroutine.wrap(function() coroutine.yield { id = "a", text = "call " .. calls } end)
end }]])
  local opened = suite.open(path)
  local check = opened:check()
  local message = failure(function()
    for _ in opened:samples { expect = check.hash } do end -- luacheck: ignore
  end)
  test.has(message, "the second reading gave other samples than the first")
end)

test("an_error_in_a_generator_has_file_line_and_traceback", function()
  local path = script("raises.lua", [[
return lre.suite { name = "raises", samples = function()
  return function() local t = nil; return t.x end
end }]])
  local text = said(suite.open(path):check())
  test.has(text, "raises.lua:3: ")
  test.has(text, "stack traceback")
end)

test("values_that_are_no_data_are_refused", function()
  local path = script("odd.lua", [[
local loop = { id = "l", text = "x" }
loop.metadata = { loop }
return lre.suite { name = "odd", samples = {
  { id = "f", text = "x", metadata = { f = print } }, { id = "n", text = "x", metadata = { n = 0/0 } },
  { id = "u", text = "\255" }, loop } }]])
  test.eq(#suite.open(path):check().problems, 4)
end)

test("what_a_script_must_return_is_said", function()
  test.has(failure(suite.open, write("plain.lua", "return { samples = {} }")),
    "expected a suite: the script must end with `return lre.suite { ... }`, got a plain table")
  test.has(failure(suite.open, write("nothing.lua", "")), "got nil")
  test.has(failure(suite.open, script("judge.lua", 'return lre.persona { name = "x", system = "y" }')),
    "got one made by lre.persona")
  test.has(failure(suite.open, script("key.lua", 'return lre.suite { name = "x", smaples = {} }')),
    'key.lua: smaples: unknown key. Did you mean "samples"?')
  test.has(failure(suite.open, script("global.lua", "x = 1")),
    "global.lua:2: a script writes no globals: use `local x`")
  test.has(failure(suite.open, script("syntax.lua", "return {")), "syntax.lua:")
  test.has(failure(suite.open, write("latin.lua", "-- caf\233\n")), "latin.lua:1: the file is not valid UTF-8")
  test.has(failure(suite.open, write("binary.lua", string.dump(load "return 1"))), "binary.lua")
end)

test("a_script_cannot_change_the_engines_libraries", function()
  read(script("own.lua", [[
string.rep = nil
table.insert = nil
return lre.suite { name = "own", samples = { { id = "a", text = "x" } } }]]))
  test.eq(type(string.rep), "function")
  test.eq(type(table.insert), "function")
end)

test("modules_beside_a_script_are_found_and_hashed", function()
  write("helper.lua", "return { text = 'one' }")
  local path = script("uses.lua", [[
local helper = require "helper"
return lre.suite { name = "uses", samples = { { id = "a", text = helper.text } } }]])
  local first = suite.open(path)
  write("helper.lua", "return { text = 'two' }")
  local second = suite.open(path)
  test.eq(first:samples()().messages[1].content, "one")
  test.eq(second:samples()().messages[1].content, "two")
  test.eq(first.source_hash == second.source_hash, false)
end)

test("metrics_are_a_list_with_the_primary_first", function()
  local opened = suite.open(script("metrics.lua", [[
return lre.suite { name = "metrics", samples = { { id = "a", text = "x" } }, metrics = {
  a = { rate = "x", of = { "x", "y" } }, b = { rate = "y", of = { "x", "y" }, primary = true } } }]]))
  test.eq(opened.metrics[1].name, "b")
  test.eq(opened.metrics[2].name, "a")
  test.has(failure(suite.open, script("two.lua", [[
return lre.suite { name = "two", samples = {}, metrics = {
  a = { rate = "x", of = { "x" } }, b = { rate = "y", of = { "y" } } } }]])),
    "expected one metric with `primary = true`")
end)

test("a_long_suite_is_never_held", function()
  local path = script("long_suite.lua", [[
return lre.suite { name = "long_suite", samples = function()
  local i = 0
  return function()
    i = i + 1
    return i <= 300000 and { id = i, text = "sample" } or nil
  end
end }]])
  local opened = suite.open(path)
  collectgarbage()
  local before, most, n = collectgarbage "count", 0, 0
  for _ in opened:samples() do
    n = n + 1
    if n % 10000 == 0 then
      most = math.max(most, collectgarbage "count" - before)
    end
  end
  test.eq(n, 300000)
  test.eq(most < 16 * 1024, true)
end)

test("a_conversation_that_ends_with_the_assistant_is_refused_with_its_line", function()
  local row = [[{"id":"a","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}]]
  test.has(said(suite.open(write("ends.jsonl", row .. "\n")):check()),
    "ends.jsonl:1: messages: expected the last message to be the user's, got one of role assistant")
end)
