-- sandbox: rule judges in states of their own, as our Lua sees them (the rest: tests/c/test_vm_sandbox.c).
-- Each file of tests/escapes is a judge that tries to get out, and says in its first line what must come of it.
local fs = require "lre.fs"
local json = require "lre.json"
local sandbox = require "lre.sandbox"
local sched = require "lre.sched"
local test = require "lre.unit"

local ROW = '{"trial":{"id":"t"},"response":{"text":"one two"}}'

local function open(source, more)
  local spec = { name = "@judges/x.lua", source = source }
  for key, value in pairs(more or {}) do spec[key] = value end
  return assert(sandbox.new(spec))
end

local function refused(source, more)
  local spec = { name = "@judges/x.lua", source = source }
  for key, value in pairs(more or {}) do spec[key] = value end
  local state, err = sandbox.new(spec)
  test.eq(state, nil)
  return err
end

local COUNT = [[
return {
  name = "count", labels = { "few", "many" },
  options = { most = { 2, "still few" } },
  patterns = { word = "\\w+" },
  judge = function(trial, response, re, opt)
    local n = re.word:count(response.text)
    return { label = n <= opt.most and "few" or "many", value = n, evidence = { id = trial.id, list = {} } }
  end,
}
]]

test("a_row_gets_a_verdict_as_a_table", function()
  local state = open(COUNT)
  test.eq(state:judge(ROW), { label = "few", value = 2, state = "scored", evidence = { id = "t", list = {} } })
  state:close()
end)

test("options_replace_defaults", function()
  test.eq(open(COUNT, { options = { most = 1 } }):judge(ROW).label, "many")
  local err = refused(COUNT, { options = { least = 1 } })
  test.eq(err.kind, "script")
  test.has(err.message, "judges/x.lua: there is no option 'least'")
end)

test("the_declared_table_is_a_plain_copy", function()
  local state = open(COUNT)
  local declared = assert(state:declared())
  test.eq(declared.name, "count")
  test.eq(declared.labels, { "few", "many" })
  test.eq(declared.options, { most = { 2, "still few" } })
  test.raises(declared.judge, "in a judge's own state")
  declared.labels[1] = "changed"
  test.eq(state:declared().labels[1], "few")
end)

test("a_file_that_cannot_be_loaded_is_an_error_with_its_line", function()
  local err = refused("return {\n  judge = = 1 }")
  test.eq({ err.kind, err.code }, { "script", "syntax" })
  test.has(err.message, "judges/x.lua:2:")
  test.eq(refused("error 'x'").code, "runtime")
  test.eq(refused("while true do end").code, "killed")
end)

test("modules_are_given_not_found", function()
  local modules = { helper = { chunk = "@judges/helper.lua", source = "return { word = 'found' }" } }
  local source = "local helper = require 'helper' return { judge = function() return helper.word end }"
  test.eq(open(source, { modules = modules }):judge(ROW).label, "found")
  test.has(refused(source).message, "judges/x.lua:1: module 'helper' is not there for a rule judge")
end)

test("limits_are_the_callers", function()
  local spin = "return { judge = function() for _ = 1, 100000 do end return 'x' end }"
  local state = open(spin, { limits = { steps = 50000 } })
  local verdict = state:judge(ROW)
  test.eq({ verdict.state, verdict.reason.code, verdict.reason.limit }, { "unscored", "steps", 50000 })
  test.has(verdict.reason.message, "judges/x.lua:1: the judge used its 50000 steps on this row; raise --judge-steps")
  test.raises(function() open(COUNT, { limits = { steps = -1 } }) end, "limits.steps: expected an integer")
end)

test("what_is_not_the_judges_fault_is_an_error_and_no_verdict", function()
  local state = open(COUNT)
  local verdict, err = state:judge("{")
  test.eq(verdict, nil)
  test.eq(err.kind, "json")
  test.eq(select(2, state:judge("[]")).kind, "json")
end)

test("a_block_gives_a_line_a_row_in_order_and_the_same_as_one_by_one", function()
  local state, rows, expected = open(COUNT), {}, {}
  for i = 1, 300 do
    rows[i] = assert(json.encode { trial = { id = i }, response = { text = ("w "):rep(i % 5) } })
    expected[i] = assert(json.encode(state:judge(rows[i])))
  end
  local out = assert(state:judge_block(table.concat(rows, "\n")))
  local n = 0
  for line in out:gmatch "[^\n]+" do
    n = n + 1
    test.eq(line, expected[n])
  end
  test.eq(n, 300)
end)

test("blocks_run_side_by_side_and_agree", function()
  local state, lines, tasks = open(COUNT), {}, {}
  for i = 1, 50 do lines[i] = ROW end
  local rows = table.concat(lines, "\n") .. "\n"
  for i = 1, 6 do tasks[i] = sched.spawn(function() return assert(state:judge_block(rows)) end) end
  local first = tasks[1]:wait()
  test.eq(#first, #(json.encode(state:judge(ROW)) .. "\n") * 50)
  for i = 2, 6 do test.ok(tasks[i]:wait() == first) end
end)

test("a_cancelled_block_leaves_the_judge_usable", function()
  local state = open(COUNT)
  local rows = (ROW .. "\n"):rep(20000)
  local task = sched.spawn(function() return state:judge_block(rows) end)
  sched.sleep(0)
  task:cancel()
  test.eq(state:judge(ROW).label, "few")
  state:close()
end)

test("closing_while_a_block_runs_lets_it_end", function()
  local state = open(COUNT)
  local task = sched.spawn(function() return state:judge_block((ROW .. "\n"):rep(500)) end)
  sched.sleep(0)
  state:close()
  test.ok(#task:wait() > 500)
  test.raises(function() state:judge(ROW) end, "the sandbox is closed")
  state:close()
end)

-- "-- expect: unscored steps", "label contained", "error TEXT" or "load TEXT".
local function check(source, name)
  local kind, rest = source:match "^%-%- expect: (%a+) ([^\n]+)"
  local state, err = sandbox.new { name = "@" .. name, source = source }
  if kind == "load" then
    test.eq(state, nil)
    return test.has(err.message, rest)
  end
  test.ok(state, err)
  local verdict = assert(state:judge(ROW))
  if kind == "unscored" then
    test.eq({ verdict.state, verdict.reason.code }, { kind, rest })
  elseif kind == "error" then
    test.eq(verdict.state, kind)
    test.has(verdict.reason.message, rest)
  else
    test.eq({ verdict.state, verdict[kind] }, { "scored", rest })
  end
  state:close()
end

local folder = test.root .. "/tests/escapes/"
for _, name in ipairs(assert(fs.list(folder))) do
  test("escape_" .. name:gsub("%.lua$", "") .. "_is_contained", function()
    check(assert(fs.read(folder .. name)), name)
  end)
end
