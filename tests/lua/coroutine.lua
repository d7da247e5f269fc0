-- A script's own coroutines beside the engine's: what Lua promises holds, and waits pass through.
local fs = require "lre.fs"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local function closing(fn) return setmetatable({}, { __close = fn }) end

test("values_go_in_and_out_as_in_lua", function()
  local co = coroutine.create(function(a, b)
    local c, d = coroutine.yield(a + b, nil)
    return c, d
  end)
  test.eq({ coroutine.resume(co, 1, 2) }, { true, 3 })
  test.eq(coroutine.status(co), "suspended")
  test.eq({ coroutine.resume(co, "x", "y") }, { true, "x", "y" })
  test.eq({ coroutine.resume(co) }, { false, "cannot resume dead coroutine" })
end)

test("a_generator_may_wait_between_its_yields", function()
  local got = {}
  for i in coroutine.wrap(function()
    for i = 1, 3 do
      sched.sleep(0.001)
      coroutine.yield(i)
      sched.sleep(0)
    end
  end) do got[#got + 1] = i end
  test.eq(got, { 1, 2, 3 })
end)

test("a_wait_passes_through_any_depth", function()
  local function nest(depth)
    if depth == 0 then
      sched.sleep(0.001)
      return "bottom"
    end
    if depth % 2 == 0 then return coroutine.wrap(nest)(depth - 1) end
    local _, value = assert(coroutine.resume(coroutine.create(nest), depth - 1))
    return value
  end
  test.eq(nest(50), "bottom")
end)

test("tasks_with_nested_coroutines_run_beside_each_other", function()
  local order, tasks = {}, {}
  for i = 1, 3 do
    tasks[i] = sched.spawn(function()
      for step in coroutine.wrap(function()
        for step = 1, 2 do
          sched.sleep(0)
          coroutine.yield(step)
        end
      end) do order[#order + 1] = step * 10 + i end
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(order, { 11, 12, 13, 21, 22, 23 })
end)

test("what_waits_is_normal_and_cannot_be_resumed_or_closed_by_another_task", function()
  local co = coroutine.create(function()
    sched.sleep(0.01)
    return "own"
  end)
  local task = sched.spawn(function() return coroutine.resume(co) end)
  sched.sleep(0)
  test.eq(coroutine.status(co), "normal")
  local ok, err = coroutine.resume(co)
  test.eq(ok, false)
  test.has(err, "waits for the engine")
  test.raises(function() coroutine.close(co) end, "waits for the engine")
  test.eq({ task:wait() }, { true, "own" })
end)

test("a_task_s_own_coroutine_cannot_be_resumed", function()
  local mine
  local task = sched.spawn(function()
    mine = coroutine.running()
    sched.sleep(0.005)
    return "whole"
  end)
  sched.sleep(0)
  test.eq({ coroutine.resume(mine) ~= true, coroutine.status(mine) }, { true, "normal" })
  test.eq(task:wait(), "whole")
end)

test("a_task_is_main_to_its_script", function()
  local _, is_main = coroutine.running()
  test.eq({ is_main, coroutine.isyieldable() }, { true, false })
  test.raises(coroutine.yield, "outside a coroutine")
  coroutine.wrap(function()
    local _, main = coroutine.running()
    test.eq({ main, coroutine.isyieldable() }, { false, true })
  end)()
end)

test("errors_come_back_as_in_lua", function()
  local failure = {}
  local co = coroutine.create(function() error(failure) end)
  local ok, err = coroutine.resume(co)
  test.ok(not ok and rawequal(err, failure))
  test.eq(coroutine.status(co), "dead")
  test.raises(coroutine.wrap(function() error("text", 0) end), "text")
end)

test("an_error_in_wrap_closes_its_variables", function()
  local closed = false
  pcall(coroutine.wrap(function()
    local _ <close> = closing(function() closed = true end)
    sched.sleep(0)
    error "x"
  end))
  test.eq(closed, true)
end)

test("close_closes_and_gives_the_error", function()
  local co = coroutine.create(function()
    local _ <close> = closing(function() error("from close", 0) end)
    coroutine.yield()
  end)
  coroutine.resume(co)
  test.eq({ coroutine.close(co) }, { false, "from close" })
  test.eq({ coroutine.close(co), coroutine.status(co) }, { true, "dead" })
end)

test("pcall_and_xpcall_give_results_and_errors_also_over_a_wait", function()
  test.eq({ pcall(function(...)
    sched.sleep(0)
    return ...
  end, 1, nil, 3) }, { true, 1, nil, 3 })
  test.eq({ pcall(function()
    sched.sleep(0)
    error("late", 0)
  end) }, { false, "late" })
  test.eq({ xpcall(function(a)
    sched.sleep(0)
    return a
  end, print, "in") }, { true, "in" })
  test.eq({ xpcall(function()
    sched.sleep(0)
    error("late", 0)
  end, function(err) return err .. " handled" end) }, { false, "late handled" })
  test.eq(select("#", pcall(function() end)), 1)
  test.raises(pcall, "value expected")
end)

test("the_message_handler_runs_where_the_error_is", function()
  local function deep() error("here", 0) end
  local _, text = xpcall(function() deep() end, debug.traceback)
  test.has(text, "'deep'")
end)

test("a_handler_that_fails_does_not_hang", function()
  test.eq(select(1, xpcall(error, function() error "again" end, "x")), false)
end)

test("a_stack_overflow_is_an_error_not_a_crash", function()
  local function forever() return 1 + forever() end
  test.eq(pcall(forever), false)
  local function wraps() return coroutine.wrap(wraps)() end
  test.eq(pcall(wraps), false)
end)

test("closing_variables_may_wait", function()
  local order = {}
  do
    local _ <close> = closing(function()
      sched.sleep(0.001)
      order[#order + 1] = "closed"
    end)
    order[#order + 1] = "body"
  end
  test.eq(order, { "body", "closed" })
  pcall(function()
    local _ <close> = closing(function()
      sched.sleep(0.001)
      order[#order + 1] = "after error"
    end)
    error "x"
  end)
  test.eq(order[3], "after error")
end)

test("require_cannot_wait_and_says_so", function()
  package.preload["test.waits"] = function() sched.sleep(0) end
  test.raises(function() require "test.waits" end, "the body of a required file")
  package.preload["test.waits"] = nil
end)

test("the_state_keeps_what_could_break_it_out_of_reach", function()
  test.eq({ os.setlocale, package.loadlib, debug.getregistry, debug.setmetatable, debug.sethook }, {})
end)

test("a_file_of_the_working_directory_is_not_required", function()
  local folder = test.folder()
  assert(fs.write(folder .. "/surprise.lua", "return 1"))
  assert(fs.write(folder .. "/main.lua", "print(pcall(require, 'surprise'))"))
  local out = assert(process.run { "sh", "-c", 'cd "$1" && "$0" script ./main.lua', test.program, folder })
  test.eq(out.out:match("^%a+"), "false")
end)
