-- judge: rule judges through the sandbox, and what is settled before one is asked.
local fs = require "lre.fs"
local judge = require "lre.judge"
local json = require "lre.json"
local test = require "lre.unit"

local folder = test.folder()

local BREVITY = [[
local lre = require "lre"
return lre.judge {
  name = "brevity", version = "1", kind = "rule",
  labels = { "short", "long" },
  options = { max_words = { 3, "longest short answer" } },
  patterns = { word = [=[\w+]=] },
  judge = function(trial, response, re, opt)
    local n = re.word:count(response.text)
    return { label = n <= opt.max_words and "short" or "long", value = n, evidence = { words = n } }
  end,
  examples = {
    { response = "Yes.", label = "short" },
    { response = "one two three four", label = "short", why = "wrong" },
  },
}
]]

local function write(name, data)
  local path = folder .. "/" .. name
  assert(fs.write(path, data))
  return path
end

local brevity = write("brevity.lua", BREVITY)

local function answer(text, more)
  local response = { text = text, finish_reason = "stop" }
  for key, value in pairs(more or {}) do
    response[key] = value
  end
  return { trial = { key = "s/a|none|m" }, response = response }
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  test.eq(ok, false)
  test.eq(type(err), "table")
  return tostring(err.message), err.exit
end

local function with(fields)
  return (BREVITY:gsub('version = "1"', function()
    return 'version = "1", ' .. fields
  end))
end

test("a_rule_judge_gives_label_value_and_evidence", function()
  local opened = judge.open(brevity)
  local verdict = opened:verdict(answer "one two")
  test.eq(verdict.state, "scored")
  test.eq(verdict.label, "short")
  test.eq(verdict.value, 2)
  test.eq(verdict.evidence.words, 2)
  opened:close()
end)

test("options_of_a_spec_reach_the_judge_and_its_hash", function()
  local plain, strict = judge.open(brevity), judge.open(brevity .. ":max_words=1,as=b1")
  test.eq(plain.name, "brevity")
  test.eq(strict.name, "b1")
  test.eq(strict.judge, "brevity")
  test.eq(strict.options.max_words, 1)
  test.eq(strict:verdict(answer "one two").label, "long")
  test.eq(plain.hash == strict.hash, false)
  test.eq(judge.open(brevity .. ":as=other").hash, plain.hash)
end)

test("a_wrong_option_is_a_usage_error", function()
  local message, exit = failure(judge.open, brevity .. ":max_word=1")
  test.has(message, 'unknown option "max_word". Did you mean "max_words"?')
  test.eq(exit, 2)
end)

test("what_needs_no_judge_is_settled_before", function()
  local opened = judge.open(brevity)
  test.eq(opened:verdict { trial = {}, response = { error = { kind = "http", code = "server" } } }, nil)
  test.eq(opened:verdict(answer("x", { finish_reason = "content_filter" })).reason.code, "filtered")
  test.eq(opened:verdict(answer("", { finish_reason = "length" })).reason.code, "truncated_empty")
  test.eq(opened:verdict(answer(" \n")).reason.code, "empty")
  test.eq(opened:verdict(answer(" \n")).state, "unscored")
  test.eq(opened:verdict(answer("cut here", { finish_reason = "length" })).label, "short")
end)

test("a_providers_refusal_counts_where_the_judge_knows_refused", function()
  local source = BREVITY:gsub('"short", "long"', '"refused", "short", "long"')
  local opened = judge.open(write("refusing.lua", source))
  local verdict = opened:verdict(answer("", { finish_reason = "refusal" }))
  test.eq(verdict.state, "scored")
  test.eq(verdict.label, "refused")
  test.eq(verdict.evidence.provider, "refusal")
  test.eq(judge.open(brevity):verdict(answer("", { finish_reason = "refusal" })).state, "unscored")
end)

test("a_label_that_is_not_declared_leaves_the_row_unscored", function()
  local source = BREVITY:gsub('"short" or "long"', '"sort" or "long"')
  source = source:gsub("examples = %b{},", "")
  local verdict = judge.open(write("label.lua", source)):verdict(answer "one")
  test.eq(verdict.state, "unscored")
  test.eq(verdict.reason.code, "result")
  test.has(verdict.reason.message, "sort")
end)

test("a_judge_without_labels_measures", function()
  local verdict = judge.open(write("length.lua", [[
local lre = require "lre"
return lre.judge { name = "length", version = "1", kind = "rule",
  judge = function(trial, response) return { value = #response.text } end }
]])):verdict(answer "four")
  test.eq(verdict.state, "scored")
  test.eq(verdict.value, 4)
end)

test("a_module_beside_a_judge_is_found_and_in_its_hash", function()
  local path = write("uses.lua", [[
local lre = require "lre"
local words = require "words"
return lre.judge { name = "uses", version = "1", kind = "rule", labels = { "yes", "no" },
  judge = function(trial, response) return { label = words[response.text] or "no" } end }
]])
  write("words.lua", 'return { ok = "yes" }')
  local first = judge.open(path)
  test.eq(first:verdict(answer "ok").label, "yes")
  write("words.lua", 'return { fine = "yes" }')
  local second = judge.open(path)
  test.eq(second:verdict(answer "ok").label, "no")
  test.eq(first.hash == second.hash, false)
end)

test("a_mistake_in_a_judge_is_one_rows_error", function()
  local source = BREVITY:gsub("re%.word:count", "re.wrod:count")
  local opened = judge.open(write("mistake.lua", source))
  local verdict = opened:verdict(answer "one")
  test.eq(verdict.state, "error")
  test.has(verdict.reason.message, "mistake.lua:8: ")
end)

test("a_block_of_rows_gives_what_single_rows_give", function()
  local opened = judge.open(brevity)
  local inputs = { answer "one", answer "", answer "a b c d e", { trial = {}, response = { error = { code = "x" } } } }
  if not opened.sandbox.judge_block then
    return test.skip "no judge_block here"
  end
  local list = opened:verdicts(inputs)
  test.eq(list[1].label, "short")
  test.eq(list[2].reason.code, "empty")
  test.eq(list[3].label, "long")
  test.eq(list[4], false)
end)

test("the_declared_table_is_checked_with_file_and_field", function()
  local cases = {
    { with "lables = {}", 'lables: unknown key. Did you mean "labels"?' },
    { with 'prompt = "x"', "prompt: a rule judge has none" },
    { (BREVITY:gsub('kind = "rule"', 'kind = "rul"')), 'kind: expected one of "rule", "model", got string "rul"' },
    { (BREVITY:gsub('{ "short", "long" }', "{}")), "labels: expected at least 1 elements, got 0" },
    { (BREVITY:gsub('"Yes.", label = "short"', '"Yes.", label = "shrt"')), "label: expected one of short, long" },
    { (BREVITY:gsub('"Yes.", label = "short"', '"Yes."')), "examples[1]: expected a label, a value or a state" },
    { (BREVITY:gsub("judge = function", "jduge = function")), 'jduge: unknown key. Did you mean "judge"?' },
    { "return 3", "" },
    { "return {", "" },
    { 'error "at load"', "at load" },
  }
  for i, case in ipairs(cases) do
    local path = write(("bad%d.lua"):format(i), case[1])
    local message, exit = failure(judge.open, path)
    test.has(message, ("bad%d.lua"):format(i))
    test.has(message, case[2])
    test.eq(exit, 3)
  end
end)

test("a_model_judge_is_read_in_a_sandbox_and_loaded_where_it_may_wait", function()
  local path = write("model.lua", [[
local lre = require "lre"
return lre.judge { name = "m", version = "1", kind = "model", labels = { "a" }, prompt = "{{prompt}} {{response}}",
  verdict = function() return "a" end, examples = { { reply = "x", label = "a" } } }
]])
  test.eq(judge.describe(path).kind, "model")
  local opened = judge.open(path)
  test.eq(opened:verdict(opened:examples()[1].input).label, "a")
end)

test("an_inline_rule_judge_is_refused_with_the_reason", function()
  local inline = judge.declare { name = "x", version = "1", kind = "rule", labels = { "a" }, judge = function() end }
  local message = failure(judge.open, inline)
  test.has(message, "a rule judge cannot be written inside an experiment")
  test.has(message, "judges/x.lua")
end)

test("examples_become_inputs_with_what_they_expect", function()
  local list = judge.open(brevity):examples()
  test.eq(#list, 2)
  test.eq(list[1].input.response.text, "Yes.")
  test.eq(list[1].expected.state, "scored")
  test.eq(list[2].why, "wrong")
end)

test("a_judges_functions_see_all_of_what_it_declares", function()
  local path = write("selfish.lua", [[
local lre = require "lre"
local spec
spec = lre.judge { name = "selfish", version = "1", kind = "rule", labels = { "a" }, patterns = { x = "x" },
  judge = function() return { label = spec.examples[1].label, evidence = { spec.patterns.x } } end,
  examples = { { response = "x", label = "a" } } }
return spec
]])
  local opened = judge.open(path)
  local verdict = opened:verdict(opened:examples()[1].input)
  test.eq({ verdict.label, verdict.evidence }, { "a", { "x" } })
end)

test("every_bundled_judge_passes_its_examples", function()
  local catalog, seen = require "lre.catalog", 0
  for _, entry in ipairs(catalog.list "judges") do
    local opened = judge.open(entry.path)
    for _, example in ipairs(opened and opened:examples() or {}) do
      local verdict = opened:verdict(example.input)
      for _, field in ipairs { "label", "value", "state" } do
        local expected = example.expected[field]
        local got = verdict[field]
        local text = json.encode(got == nil and json.null or got)
        if expected ~= nil and got ~= expected and text ~= json.encode(expected) then
          error(("%s: examples[%d]: %s: expected %s, got %s"):format(entry.path, example.n, field,
            test.show(expected), test.show(got)))
        end
      end
      seen = seen + 1
    end
  end
  test.ok(seen > 0)
end)
