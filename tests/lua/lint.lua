-- lint, list and test: the commands' lines and exit codes.
local cli = require "lre.cli"
local fs = require "lre.fs"
local json = require "lre.json"
local test = require "lre.unit"

local folder = test.folder()

local function write(name, data)
  local path = folder .. "/" .. name
  assert(fs.write(path, data))
  return path
end

-- Runs a command as the tool does: exit code, standard output, standard error, without the folder's name.
local function run(...)
  local out, notes = {}, {}
  local before_out, before_note = cli.out, cli.note
  cli.out = function(text)
    out[#out + 1] = text
  end
  cli.note = function(text)
    notes[#notes + 1] = text
  end
  local words = { ... }
  local command = cli.command(table.remove(words, 1))
  local ok, result = pcall(function()
    local parsed, args = cli.parser(command):pparse(words)
    return parsed and command.run(args) or error(args, 0)
  end)
  cli.out, cli.note = before_out, before_note
  local function shown(list)
    return (table.concat(list):gsub(folder:gsub("%p", "%%%0") .. "/", ""))
  end
  if not ok then
    error(result, 0)
  end
  return result, shown(out), shown(notes)
end

test("a_clean_suite_is_ok_with_count_and_hash", function()
  local path = write("good.jsonl", '{"id":"a","text":"x","category":"harmful"}\n')
  local exit, out, notes = run("lint", path)
  test.eq(exit, 0)
  test.eq(notes, "")
  test.eq(out:match "^OK: good.jsonl %(1 sample, hash %x+%)\n$" ~= nil, true)
end)

test("a_file_that_is_not_there_is_said_also_in_the_root_folder", function()
  local exit, _, notes = run("lint", "/no-such-file.jsonl")
  test.eq(exit, 1)
  test.has(notes, "/no-such-file.jsonl: error: no such file for a suite.")
end)

test("every_finding_has_file_line_and_field_and_exits_1", function()
  local path = write("bad.jsonl", table.concat({
    '{"id":"a","text":"x","category":"harmful"}',
    "nope",
    '{"id":"a","text":"y","category":"helpful"}',
    '{"id":"c","text":"x","category":"harmfull"}',
    '{"id":"d","txet":"z"}',
  }, "\n"))
  local exit, out, notes = run("lint", path)
  test.eq(exit, 1)
  test.eq(out, "")
  test.has(notes, "bad.jsonl:2: error: not valid JSON: ")
  test.has(notes, 'bad.jsonl:3: error: id: duplicate id "a", first on line 1\n')
  test.has(notes, 'bad.jsonl:5: error: txet: unknown key. Did you mean "text"?\n')
  test.has(notes, "bad.jsonl:5: error: text: expected text or prompt or messages or conversation, got nil\n")
  test.has(notes, "bad.jsonl:4: warning: duplicate text, first on line 1\n")
  test.has(notes, 'bad.jsonl:4: warning: category: expected one of harmful, helpful, borderline like the others, '
    .. 'got "harmfull". Did you mean "harmful"?\n')
end)

test("an_empty_suite_is_a_finding_without_a_line", function()
  local exit, _, notes = run("lint", write("empty.jsonl", "# nothing\n"))
  test.eq(exit, 1)
  test.eq(notes, "empty.jsonl: error: no samples: expected at least one\n")
end)

test("several_files_are_all_checked", function()
  local good = write("good.jsonl", '{"id":"a","text":"x"}\n')
  local exit, out, notes = run("lint", folder .. "/missing.jsonl", good)
  test.eq(exit, 1)
  test.has(notes, "missing.jsonl: ")
  test.has(out, "OK: good.jsonl")
end)

test("a_script_error_is_a_finding_with_its_line", function()
  local path = write("broken.lua", 'local lre = require "lre"\nreturn lre.suite { name = x.y }\n')
  local exit, _, notes = run("lint", path)
  test.eq(exit, 1)
  test.has(notes, "broken.lua:2: error: ")
end)

test("scripts_of_every_kind_are_checked", function()
  local exit, out = run("lint", write("persona.lua", [[
local lre = require "lre"
return lre.persona { name = "p", system = "Be kind." }]]))
  test.eq(exit, 0)
  test.has(out, "OK: persona.lua (persona, hash ")
  local bad, _, notes = run("lint", write("adapter.lua", [[
local lre = require "lre"
return lre.adapter { name = "a", reqest = print }]]))
  test.eq(bad, 1)
  test.has(notes, 'reqest: unknown key. Did you mean "request"?')
end)

test("lint_prints_data_with_json", function()
  local exit, out = run("lint", "--json", write("bad.jsonl", "nope\n"))
  test.eq(exit, 1)
  local data = assert(json.decode(out))
  test.eq(data[1].problems[1].line, 1)
  test.eq(data[1].kind, "suite")
end)

test("escape_sequences_of_a_file_never_reach_the_terminal", function()
  local _, _, notes = run("lint", write("esc.jsonl", '{"id":"a","text":"x","\\u001b[2Jkey":1}\n'))
  test.eq(notes:find("\27", 1, true), nil)
  test.has(notes, "esc.jsonl:1: error: ")
end)

test("list_shows_every_kind_and_suggests_a_mistyped_one", function()
  for _, kind in ipairs { "suites", "judges", "adapters", "personas", "reports" } do
    local exit, out = run("list", kind)
    test.eq(exit, 0)
    test.has(out, "NAME")
    exit, out = run("list", kind, "--json")
    test.eq(exit, 0)
    test.eq(json.is_array((assert(json.decode(out)))), true)
  end
  local err = test.raises(function()
    run("list", "jugdes")
  end, 'Did you mean "judges"?')
  test.eq(err.exit, 2)
  local _, out = run("list", "personas")
  test.has(out, "none")
  test.has(out, "built in")
end)

test("a_broken_file_is_listed_with_what_is_wrong", function()
  local catalog = require "lre.catalog"
  assert(fs.mkdir(folder .. "/listed/personas", true))
  write("listed/personas/broken.lua", "return {")
  write("listed/personas/fine.lua", 'return require("lre").persona { name = "fine", system = "x", intent = "to see" }')
  catalog.configure { paths = { folder .. "/listed" } }
  local ok, exit, out = pcall(run, "list", "personas")
  catalog.configure {}
  test.eq(ok, true)
  test.eq(exit, 0)
  test.has(out, "broken: ")
  test.has(out, "to see")
end)

local JUDGE = [[
local lre = require "lre"
return lre.judge { name = "j", version = "1", kind = "rule", labels = { "yes", "no" },
  judge = function(trial, response)
    return { label = response.text == "y" and "yes" or "no", evidence = { seen = 1 } }
  end,
  examples = { %s } }
]]

test("test_runs_a_judges_examples", function()
  local exit, out = run("test", write("j.lua", JUDGE:format '{ response = "y", label = "yes" }'))
  test.eq(exit, 0)
  test.has(out, "j.lua: 1 of 1 examples pass\n")
end)

test("a_failed_example_shows_expected_got_and_evidence", function()
  local path = write("j.lua",
    JUDGE:format '{ response = "y", label = "yes" }, { response = "Y", label = "yes", why = "case" }')
  local exit, out = run("test", path)
  test.eq(exit, 1)
  test.has(out, "examples[2]: case\n")
  test.has(out, '  response  "Y"\n')
  test.has(out, '  expected  state "scored", label "yes"\n')
  test.has(out, '  got       state "scored", label "no"\n')
  test.has(out, '  evidence  {"seen":1}\n')
  test.has(out, "j.lua: 1 of 2 examples pass\n")
  local code, text = run("test", "--json", path)
  test.eq(code, 1)
  test.eq(assert(json.decode(text))[1].failed[1].example, 2)
end)

test("a_judge_without_examples_is_not_called_tested", function()
  local exit, out = run("test", write("j.lua", JUDGE:format ""))
  test.eq(exit, 1)
  test.has(out, "it has no examples, so nothing was tested")
end)
