-- lre.process
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

test("input_output_error_and_exit_come_back", function()
  local out = assert(process.run { "sh", "-c", "cat; echo bad >&2; exit 3", input = "in\0put" })
  test.eq({ out.out, out.err, out.exit, out.signal }, { "in\0put", "bad\n", 3 })
end)

test("no_shell_reads_the_arguments", function()
  test.eq(assert(process.run { "printf", "%s", "$HOME; `x` *" }).out, "$HOME; `x` *")
end)

test("a_signal_is_told_from_an_exit", function()
  local out = assert(process.run { "sh", "-c", "kill -9 $$" })
  test.eq({ out.exit, out.signal }, { nil, 9 })
end)

test("what_cannot_start_is_an_error_value", function()
  local out, err = process.run { "no-such-program-at-all" }
  test.eq({ out, err.kind, err.code }, { nil, "process", "not_found" })
end)

test("a_timeout_ends_the_whole_group", function()
  local out, err = process.run { "sh", "-c", "sleep 60 & wait", timeout = 0.1 }
  test.eq({ out, err.code }, { nil, "timeout" })
end)

test("output_is_bounded", function()
  local out, err = process.run { "sh", "-c", "yes | head -c 100000", max_bytes = 1000 }
  test.eq({ out, err.code }, { nil, "too_large" })
end)

test("children_run_beside_each_other", function()
  local tasks = {} -- a barrier: none of them ends before all have begun
  local folder = test.folder()
  for i = 1, 16 do
    tasks[i] = sched.spawn(process.run, { "sh", "-c",
      'touch "$0/$1"; until [ "$(ls "$0" | wc -l)" -ge 16 ]; do sleep 0.02; done', folder, tostring(i), timeout = 120 })
  end
  for _, task in ipairs(tasks) do test.eq(assert(task:wait()).exit, 0) end
end)

test("a_cancelled_task_takes_its_child_with_it", function()
  local folder = test.folder()
  local task = sched.spawn(process.run, { "sh", "-c", 'echo $$ >"$0/pid"; exec sleep 60', folder })
  assert(process.run { "sh", "-c", 'until [ -s "$0/pid" ]; do sleep 0.01; done', folder, timeout = 120 })
  task:cancel()
  pcall(task.wait, task)
  test.eq(task:status(), "cancelled")
  local gone = assert(process.run { "sh", "-c", 'while kill -0 "$(cat "$0/pid")" 2>/dev/null; do sleep 0.02; done',
    folder, timeout = 120 })
  test.eq(gone.exit, 0)
end)

test("wrong_arguments_raise", function()
  test.raises(function() process.run {} end, "expected a program")
  test.raises(function() process.run { "a", 1, {} } end, "argument 2")
  test.raises(function() process.run { "a\0b" } end, "zero bytes")
  test.raises(function() process.run { "true", timeout = -1 } end, "timeout")
end)

test("a_misspelt_field_is_refused", function()
  test.raises(function() process.run { "cat", inptu = "x" } end, "process.run: unknown field 'inptu'")
end)
