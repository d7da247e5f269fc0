-- lre test FILE|NAME...: runs the examples that a judge brings with it, and says what failed.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local json = require "lre.json"
local judge = require "lre.judge"
local shape = require "lre.shape"
local text = require "lre.text"

local command = {
  name = "test",
  summary = "Run a judge's own examples and print what failed.",
}

function command.options(parser)
  parser:argument("judge", "Judges by name or file, with options: brevity:max_words=30."):args "+"
  parser:flag("--json", "Print data instead of lines.")
  defaults.add(parser, "test")
end

-- Floats of a judge come through JSON unchanged; what is compared is what the example says.
local function same(expected, got)
  if type(expected) ~= "table" or type(got) ~= "table" then
    return expected == got
  end
  return json.encode(expected) == json.encode(got)
end

local function holds(expected, got)
  for _, field in ipairs { "state", "label", "value" } do
    if expected[field] ~= nil and not same(expected[field], got[field]) then
      return false
    end
  end
  return true
end

local function failure(example, got)
  return {
    example = example.n,
    prompt = example.input.trial.prompt,
    response = example.input.response.text,
    expected = example.expected,
    got = { state = got.state, label = got.label, value = got.value },
    evidence = got.evidence,
    reason = got.reason,
    why = example.why,
  }
end

local function test_judge(spec)
  local opened = judge.open(spec)
  local result = { judge = opened.name, file = opened.chunk.name, total = 0, failed = json.array {} }
  for _, example in ipairs(opened:examples()) do
    local got, err = opened:verdict(example.input)
    if not got then
      shape.fail(("%s: examples[%d]: %s"):format(opened.chunk.name, example.n, tostring(err)), 4)
    end
    result.total = result.total + 1
    if not holds(example.expected, got) then
      result.failed[#result.failed + 1] = failure(example, got)
    end
  end
  opened:close()
  return result
end

local function show(value)
  return value == nil and "-" or json.encode(value) or tostring(value)
end

local function verdict_text(verdict)
  local words = {}
  for _, field in ipairs { "state", "label", "value" } do
    if verdict[field] ~= nil then
      words[#words + 1] = ("%s %s"):format(field, show(verdict[field]))
    end
  end
  return table.concat(words, ", ")
end

local function failure_text(result, f)
  local lines = { ("FAIL %s: examples[%d]%s"):format(result.file, f.example, f.why and ": " .. f.why or "") }
  local function add(name, value)
    lines[#lines + 1] = ("  %-9s %s"):format(name, value)
  end
  if f.prompt ~= "" then
    add("prompt", show(f.prompt))
  end
  add("response", show(f.response))
  add("expected", verdict_text(f.expected))
  add("got", verdict_text(f.got))
  if f.evidence ~= nil then
    add("evidence", show(f.evidence))
  end
  if f.reason ~= nil then
    add("reason", show(f.reason))
  end
  return text.terminal(table.concat(lines, "\n"), true) .. "\n"
end

local function print_result(result)
  for _, f in ipairs(result.failed) do
    cli.out(failure_text(result, f))
  end
  if result.total == 0 then
    cli.out(("FAIL %s: it has no examples, so nothing was tested\n"):format(text.terminal(result.file)))
    return
  end
  local passed = result.total - #result.failed
  cli.out(("%s %s: %d of %d examples pass\n"):format(
    #result.failed == 0 and "OK" or "FAIL", text.terminal(result.file), passed, result.total))
end

function command.run(args)
  defaults.apply(args, "test")
  local good, data = true, json.array {}
  for i, spec in ipairs(args.judge) do
    local result = test_judge(spec)
    good = good and result.total > 0 and #result.failed == 0
    data[i] = result
    if not args.json then
      print_result(result)
    end
  end
  if args.json then
    cli.out(json.encode(data, 2))
  end
  return good and 0 or 1
end

return command
