-- lre.journal
local fs = require "lre.fs"
local http = require "lre.http"
local journal = require "lre.journal"
local json = require "lre.json"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local function path() return test.folder() .. "/partials.jsonl" end

local function rows(file, fields)
  local list = {}
  local next_row = assert(journal.scan(file, fields))
  while true do
    local row, number, err = next_row()
    if not number then return list end
    list[#list + 1] = { row or err.code, number }
  end
end

test("what_was_appended_is_there_after_a_flush", function()
  local file = path()
  local j, repair = assert(journal.open(file))
  test.eq(repair, { torn_bytes = 0, lines = 0 })
  for i = 1, 100 do assert(j:append(json.encode { i = i })) end
  test.eq(j:flush(), true)
  test.eq(j:synced(), 100)
  test.eq(j:close(), true)
  test.eq(j:close(), true)
  test.raises(function() j:append "x" end, "closed")
  test.eq(select(2, fs.read(file):gsub("\n", "")), 100)
end)

test("a_flush_waits_without_stopping_other_tasks", function()
  local j = assert(journal.open(path()))
  local ran = 0
  local other = sched.spawn(function() ran = ran + 1 end)
  for _ = 1, 10 do assert(j:append "{}") end
  assert(j:flush())
  other:wait()
  test.eq(ran, 1)
  j:close()
end)

test("many_tasks_flush_together", function()
  local j, tasks, order = assert(journal.open(path())), {}, {}
  for i = 1, 50 do
    tasks[i] = sched.spawn(function()
      assert(j:append("{}"))
      assert(j:flush())
      order[#order + 1] = i
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(#order, 50)
  j:close()
end)

test("a_cancelled_flush_leaves_the_journal_whole", function()
  local j = assert(journal.open(path()))
  assert(j:append "{}")
  local task = sched.spawn(function() j:flush() end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  assert(j:append "{}")
  test.eq({ j:flush(), j:synced() }, { true, 2 })
  j:close()
end)

test("a_torn_last_line_is_cut_and_reported", function()
  local file = path()
  assert(fs.write(file, '{"a":1}\n{"a":2}\n{"a":'))
  local j, repair = assert(journal.open(file))
  test.eq(repair, { torn_bytes = 5, lines = 2 })
  assert(j:append '{"a":3}')
  j:close()
  test.eq(fs.read(file), '{"a":1}\n{"a":2}\n{"a":3}\n')
end)

test("a_second_process_is_refused", function()
  local file = path()
  local j = assert(journal.open(file))
  local script = test.folder() .. "/x.lua"
  assert(fs.write(script, "print(select(2, require('lre.journal').open(arg[1])).code)"))
  test.eq(assert(process.run { test.program, "script", script, "--", file }).out, "locked\n")
  j:close()
end)

test("a_line_with_a_newline_is_refused", function()
  local j = assert(journal.open(path()))
  test.eq(j:append "a\nb", nil)
  j:close()
end)

test("only_the_named_fields_are_picked", function()
  local file = path()
  assert(fs.write(file, '{"key":"a","response":{"text":"t","usage":{"n":3}},"big":[1,2]}\n{"key":null}\n'))
  test.eq(rows(file, { "key", "response.text", "response.usage.n", "response.usage" }), {
    { { key = "a", ["response.text"] = "t", ["response.usage.n"] = 3, ["response.usage"] = { n = 3 } }, 1 },
    { { key = json.null, ["response.text"] = false, ["response.usage.n"] = false, ["response.usage"] = false }, 2 },
  })
end)

test("a_name_that_is_written_with_escapes_is_found_at_every_depth", function()
  local file = path()
  assert(fs.write(file, '{"\\u0061b":{"' .. ("\\u0062"):rep(2000) .. '":0,"\\u0078":1,"y":2},"k\\u0065y":"a"}\n'))
  test.eq(rows(file, { "ab.x", "ab.y", "key" }), { { { ["ab.x"] = 1, ["ab.y"] = 2, key = "a" }, 1 } })
end)

test("a_bad_line_is_said_and_the_scan_goes_on", function()
  local file = path()
  assert(fs.write(file, '{"a":1}\nnot json\n[]\n\n{"a":2}\n{"a":3'))
  test.eq(rows(file, { "a" }), { { { a = 1 }, 1 }, { "syntax", 2 }, { "type", 3 }, { "empty", 4 }, { { a = 2 }, 5 } })
end)

test("a_scan_of_nothing_is_an_error_value", function()
  local scan, err = journal.scan("/nowhere", {})
  test.eq({ scan, err.code }, { nil, "enoent" })
  test.raises(function() journal.scan("/nowhere", { 1, {} }) end, "list of strings")
end)

test("a_scan_holds_one_row_not_the_file", function()
  local file = path()
  local line = json.encode { key = "k", text = ("x"):rep(1000) } .. "\n"
  assert(fs.write(file, line:rep(20000)))
  collectgarbage()
  local before, most, n = collectgarbage("count"), 0, 0
  for row in journal.scan(file, { "key" }) do
    n = n + (row.key == "k" and 1 or 0)
    if n % 1000 == 0 then most = math.max(most, collectgarbage("count")) end
  end
  test.eq(n, 20000)
  test.ok(most - before < 4096, "the scan of 20 MB took more than 4 MiB of Lua")
end)

test("a_loaded_key_does_not_reach_the_file", function()
  if not os.getenv("LRE_TEST_KEY") then
    local self = test.root .. "/tests/lua/journal.lua"
    local out = assert(process.run { "env", "LRE_TEST_KEY=sk-test-0123456789", test.program, "script",
      test.root .. "/tests/lua/run.lua", "--", self })
    test.has(out.out, "ok      journal.lua: a_loaded_key_does_not_reach_the_file")
    return
  end
  test.eq(http.load_key "LRE_TEST_KEY", true)
  local file = path()
  local j = assert(journal.open(file))
  local key = "sk-test-" .. "0123456789"
  assert(j:append(json.encode { echo = "Bearer " .. key }))
  j:close()
  test.eq(fs.read(file), '{"echo":"Bearer [redacted]"}\n')
  test.eq(http.redact("a " .. key .. " b"), "a [redacted] b")
  test.raises(function() os.getenv "LRE_TEST_KEY" end, "loaded as a key")
end)
