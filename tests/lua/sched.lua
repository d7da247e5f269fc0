-- Tasks, waits, cancellation, deadlines, gates, events, signals.
local clock = require "lre.clock"
local fs = require "lre.fs"
local process = require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"

local function spin() while true do end end -- luacheck: ignore 542

local function closing(fn) return setmetatable({}, { __close = fn }) end

-- Runs a script in a process of its own.
local function script(source, extra)
  local path = test.folder() .. "/x.lua"
  assert(fs.write(path, source))
  local request = { test.program, "script", path }
  for key, value in pairs(extra or {}) do request[key] = value end
  return assert(process.run(request))
end

test("tasks_start_in_the_order_of_spawning_and_not_before_a_wait", function()
  local order, tasks = {}, {}
  for i = 1, 5 do tasks[i] = sched.spawn(function() order[#order + 1] = i end) end
  test.eq(order, {})
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(order, { 1, 2, 3, 4, 5 })
end)

test("the_ready_queue_is_first_in_first_out", function()
  local order, tasks = {}, {}
  for i = 1, 3 do
    tasks[i] = sched.spawn(function()
      for _ = 1, 3 do
        order[#order + 1] = i
        sched.sleep(0)
      end
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(order, { 1, 2, 3, 1, 2, 3, 1, 2, 3 })
end)

test("sleepers_wake_by_their_time_not_by_their_start", function()
  local order, tasks = {}, {}
  for i, seconds in ipairs { 0.03, 0.01, 0.02, 0.01 } do
    tasks[i] = sched.spawn(function()
      sched.sleep(seconds)
      order[#order + 1] = i
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(order, { 2, 4, 3, 1 })
end)

test("wait_gives_all_results_and_gives_them_again", function()
  local task = sched.spawn(function(...) return select("#", ...), ... end, "a", nil, nil)
  test.eq({ task:wait() }, { 3, "a" })
  test.eq(select("#", task:wait()), 4)
  test.eq(task:status(), "done")
end)

test("wait_raises_what_the_task_raised", function()
  local failure = { exit = 3, message = "no" }
  local task = sched.spawn(function() error(failure) end)
  local ok, err = pcall(task.wait, task)
  test.eq(ok, false)
  test.ok(rawequal(err, failure))
  test.eq(task:status(), "failed")
end)

test("several_tasks_wait_for_one", function()
  local one = sched.spawn(function()
    sched.sleep(0.005)
    return 7
  end)
  local tasks, got = {}, {}
  for i = 1, 4 do tasks[i] = sched.spawn(function() got[i] = one:wait() end) end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(got, { 7, 7, 7, 7 })
end)

test("a_task_cannot_wait_for_itself", function()
  local task
  task = sched.spawn(function() task:wait() end)
  test.raises(function() task:wait() end, "own end")
end)

-- Cancelling -----------------------------------------------------------------

test("pcall_cannot_catch_a_cancellation", function()
  local after = false
  local task = sched.spawn(function()
    pcall(sched.sleep, 60)
    after = true
  end)
  sched.sleep(0)
  task:cancel()
  local ok, err = pcall(task.wait, task)
  test.eq({ ok, err.code, task:status(), after }, { false, "cancelled", "cancelled", false })
end)

test("xpcall_resume_wrap_and_close_cannot_catch_a_cancellation", function()
  local ways = {
    function() xpcall(sched.sleep, function() return "kept" end, 60) end,
    function() coroutine.resume(coroutine.create(function() sched.sleep(60) end)) end,
    function() pcall(coroutine.wrap(function() pcall(sched.sleep, 60) end)) end,
    function()
      local co = coroutine.create(function()
        local _ <close> = closing(function() sched.sleep(0) end)
        coroutine.yield()
      end)
      coroutine.resume(co)
      pcall(sched.sleep, 60)
    end,
  }
  for i, way in ipairs(ways) do
    local after = false
    local task = sched.spawn(function()
      way()
      after = true
    end)
    sched.sleep(0)
    task:cancel()
    pcall(task.wait, task)
    test.eq({ task:status(), after }, { "cancelled", false }, "way " .. i)
  end
end)

test("a_cancelled_task_closes_its_variables_also_in_its_coroutines", function()
  local closed = {}
  local task = sched.spawn(function()
    local _ <close> = closing(function() closed[#closed + 1] = "outer" end)
    coroutine.resume(coroutine.create(function()
      local _ <close> = closing(function() closed[#closed + 1] = "inner" end)
      sched.sleep(60)
    end))
  end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  test.eq(closed, { "inner", "outer" })
end)

test("an_error_in_a_closing_variable_does_not_end_the_cancellation", function()
  local after = false
  local task = sched.spawn(function()
    pcall(function()
      local _ <close> = closing(function() error("in the way") end)
      sched.sleep(60)
    end)
    after = true
  end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  test.eq({ task:status(), after }, { "cancelled", false })
end)

test("cleaning_up_may_use_pcall", function()
  local caught
  local task = sched.spawn(function()
    local _ <close> = closing(function() caught = { pcall(error, "small", 0) } end)
    sched.sleep(60)
  end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  test.eq(caught, { false, "small" })
  test.eq(task:status(), "cancelled")
end)

test("a_wait_while_cleaning_up_ends_at_once", function()
  local reached = false
  local task = sched.spawn(function()
    local _ <close> = closing(function()
      sched.sleep(60)
      reached = true
    end)
    sched.sleep(60)
  end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  test.eq({ task:status(), reached }, { "cancelled", false })
end)

test("an_endless_clean_up_is_ended_too", function()
  local task = sched.spawn(function()
    local _ <close> = closing(spin)
    sched.sleep(60)
  end)
  sched.sleep(0)
  task:cancel()
  pcall(task.wait, task)
  test.eq(task:status(), "cancelled")
end)

test("a_task_that_did_not_start_is_cancelled_without_running", function()
  local ran = false
  local task = sched.spawn(function() ran = true end)
  task:cancel()
  pcall(task.wait, task)
  test.eq({ task:status(), ran }, { "cancelled", false })
end)

test("a_task_can_cancel_itself", function()
  local task
  task = sched.spawn(function()
    pcall(task.cancel, task)
    return "no"
  end)
  pcall(task.wait, task)
  test.eq(task:status(), "cancelled")
end)

test("cancelling_what_ended_changes_nothing", function()
  local task = sched.spawn(function() return 1 end)
  task:wait()
  task:cancel()
  test.eq({ task:status(), task:wait() }, { "done", 1 })
end)

-- Deadlines ------------------------------------------------------------------

test("a_deadline_ends_a_wait", function()
  local result, err = sched.deadline(0.01, sched.sleep, 60)
  test.eq({ result, err.kind, err.code }, { nil, "limit", "deadline" })
end)

test("a_deadline_ends_a_loop_that_computes_even_under_pcall", function()
  local result, err = sched.deadline(0.02, function()
    while true do pcall(spin) end
  end)
  test.eq({ result, err.code }, { nil, "deadline" })
end)

test("a_deadline_reaches_coroutines_that_were_made_before_it", function()
  local co = coroutine.create(spin)
  local _, err = sched.deadline(0.02, coroutine.resume, co)
  test.eq({ err.code, coroutine.status(co) }, { "deadline", "dead" })
end)

test("what_came_in_time_comes_whole", function()
  test.eq({ sched.deadline(60, function(...) return ... end, 1, "two", false) }, { 1, "two", false })
end)

test("errors_pass_through_a_deadline", function()
  test.raises(function() sched.deadline(60, error, "mine") end, "mine")
end)

test("the_outer_deadline_is_not_the_inner_one", function()
  local inner_saw
  local _, err = sched.deadline(0.01, function()
    inner_saw = { sched.deadline(60, sched.sleep, 60) }
  end)
  test.eq({ err.message:match("0%.01") ~= nil, inner_saw }, { true })
  local outer = sched.deadline(60, function()
    local _, inner_err = sched.deadline(0.01, sched.sleep, 60)
    sched.sleep(0)
    return inner_err.code
  end)
  test.eq(outer, "deadline")
end)

test("after_a_deadline_the_task_goes_on_as_before", function()
  sched.deadline(0.005, sched.sleep, 60)
  sched.sleep(0.01)
  local n = 0
  for i = 1, 200000 do n = n + i end
  test.eq(n, 20000100000)
end)

test("a_coroutine_cannot_leave_its_own_deadline", function()
  local co = coroutine.wrap(function() sched.deadline(60, coroutine.yield) end)
  test.raises(co, "cannot be left")
end)

test("a_yield_inside_a_deadline_of_the_owner_is_free", function()
  local got = sched.deadline(60, function()
    local sum = 0
    for i in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do sum = sum + i end
    return sum
  end)
  test.eq(got, 6)
end)

-- Waiting where Lua cannot ---------------------------------------------------

test("waiting_inside_sort_gsub_and_load_is_said_clearly", function()
  local text = "a script cannot wait inside table.sort"
  test.raises(function() table.sort({ 3, 2, 1 }, function() sched.sleep(0) end) end, text)
  test.raises(function() string.gsub("abc", "%w", function() sched.sleep(0) end) end, text)
  local _, err = load(function() sched.sleep(0) end)
  test.has(err, text)
  test.raises(function() -- also from a coroutine that could yield to its owner
    table.sort({ 3, 2, 1 }, coroutine.wrap(function() sched.sleep(0) end))
  end, text)
end)

test("a_metamethod_called_by_lua_may_wait", function()
  local slow = setmetatable({}, { __index = function(_, key)
    sched.sleep(0.001)
    return key
  end, __add = function(_, b)
    sched.sleep(0)
    return b
  end })
  test.eq({ slow.x, slow + 2 }, { "x", 2 })
end)

-- Gates and events -------------------------------------------------------------

test("a_gate_holds_at_most_its_limit_and_is_first_come_first_served", function()
  local gate, inside, most, order, tasks = sched.gate(2), 0, 0, {}, {}
  for i = 1, 6 do
    tasks[i] = sched.spawn(function()
      local _ <close> = gate:enter()
      inside = inside + 1
      most = math.max(most, inside)
      order[#order + 1] = i
      sched.sleep(0.002)
      inside = inside - 1
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq({ most, order }, { 2, { 1, 2, 3, 4, 5, 6 } })
end)

test("a_cancelled_waiter_takes_no_place", function()
  local gate = sched.gate(1)
  local place = gate:enter()
  local waiting = sched.spawn(function() gate:enter() end)
  sched.sleep(0)
  waiting:cancel()
  place:leave()
  pcall(waiting.wait, waiting)
  gate:enter():leave() -- hangs, as a deadlock, where the place was lost
end)

test("a_place_that_was_granted_to_a_cancelled_task_is_free_again", function()
  local gate = sched.gate(1)
  local place = gate:enter()
  local waiting = sched.spawn(function() gate:enter() end)
  sched.sleep(0)
  place:leave() -- grants it
  waiting:cancel() -- before it ran
  pcall(waiting.wait, waiting)
  gate:enter():leave()
end)

test("leaving_twice_frees_one_place", function()
  local gate = sched.gate(1)
  local place = gate:enter()
  place:leave()
  place:leave()
  local second = gate:enter()
  local third = sched.spawn(function() return gate:enter() end)
  sched.sleep(0)
  test.eq(third:status(), "running")
  second:leave()
  third:wait():leave()
end)

test("a_gate_grows_and_shrinks", function()
  local gate = sched.gate(0)
  local task = sched.spawn(function() return gate:enter() end)
  sched.sleep(0)
  test.eq(task:status(), "running")
  gate:resize(1)
  task:wait():leave()
  test.raises(function() gate:resize(-1) end, "limit")
end)

test("an_event_gives_its_values_before_and_after_it_is_set", function()
  local event = sched.event()
  local task = sched.spawn(function() return event:wait() end)
  sched.sleep(0)
  event:set("a", nil, 3)
  test.eq({ task:wait() }, { "a", nil, 3 })
  test.eq(select("#", event:wait()), 3)
  test.raises(function() event:set() end, "already")
end)

test("a_deadlock_is_an_error_that_names_the_wait", function()
  local out = script [[
    local sched = require "lre.sched"
    sched.name "the first"
    sched.event():wait()
  ]]
  test.eq(out.exit, 3)
  test.has(out.err, "deadlock: task 1 (the first) waits for event")
end)

-- The end of the process -----------------------------------------------------

test("a_failure_that_nobody_waits_for_is_reported_and_fails_the_process", function()
  local out = script [[
    local sched = require "lre.sched"
    sched.spawn(function() sched.name "lonely" error("lost one", 0) end)
    sched.sleep(0)
    print "done"
  ]]
  test.eq({ out.exit, out.out }, { 1, "done\n" })
  test.has(out.err, "(lonely) failed and nobody waited for it: lost one")
end)

test("os_exit_closes_variables_flushes_and_gives_its_code", function()
  local out = script [[
    local sched = require "lre.sched"
    local _ <close> = setmetatable({}, { __close = function() io.write "closed\n" end })
    sched.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() io.write "other closed\n" end })
      sched.sleep(60)
    end)
    sched.sleep(0)
    io.write "before\n"
    pcall(os.exit, 7)
    io.write "never\n"
  ]]
  test.eq({ out.exit, out.out, out.err }, { 7, "before\nclosed\nother closed\n", "" })
end)

test("tasks_that_are_left_at_the_end_are_closed", function()
  local out = script [[
    local sched = require "lre.sched"
    sched.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() print "closed" end })
      sched.sleep(60)
    end)
    sched.sleep(0)
  ]]
  test.eq({ out.exit, out.out, out.err }, { 0, "closed\n", "" })
end)

test("an_error_says_file_line_and_traceback_and_exits_3", function()
  local out = script "local function inner() error 'oops' end\ninner()\n"
  test.eq(out.exit, 3)
  test.has(out.err, "x.lua:1: oops")
  test.has(out.err, "x.lua:1: in local 'inner'")
end)

-- Signals --------------------------------------------------------------------

-- Starts a script under a shell that sends it signals: `send` sees the child as $child, once the script printed.
local function signalled(source, send)
  local folder = test.folder()
  assert(fs.write(folder .. "/x.lua", source))
  return assert(process.run { "sh", "-c", ([[
    "$0" script "$1/x.lua" -- "$1" >"$1/out" 2>"$1/err" & child=$!
    until [ -s "$1/out" ]; do sleep 0.01; done
    %s
    wait $child; code=$?
    cat "$1/out"; cat "$1/err" >&2; exit $code]]):format(send), test.program, folder, timeout = 120 })
end

test("the_first_interrupt_lets_the_script_drain", function()
  local out = signalled([[
    local sched, fs = require "lre.sched", require "lre.fs"
    fs.print("stdout", "up\n")
    while not sched.interrupted() do sched.sleep(0.005) end
    local _, signum = sched.interrupted()
    print("drained", signum)
    return 130
  ]], "kill -INT $child")
  test.eq({ out.exit, out.out }, { 130, "up\ndrained\t2\n" })
end)

test("the_second_interrupt_ends_waits_and_loops", function()
  for _, body in ipairs { "sched.sleep(60)", "while true do pcall(function() while true do end end) end" } do
    local out = signalled([[
      local sched, fs = require "lre.sched", require "lre.fs"
      local _ <close> = setmetatable({}, { __close = function() fs.print("stdout", "closed\n") end })
      fs.print("stdout", "up\n")
      ]] .. body, "while kill -TERM $child 2>/dev/null; do sleep 0.1; done") -- two that come close together are one
    test.eq({ out.exit, out.out }, { 143, "up\nclosed\n" }, body)
  end
end)

test("usr1_prints_what_every_task_waits_for", function()
  local out = signalled([[
    local sched, fs = require "lre.sched", require "lre.fs"
    local task = sched.spawn(function() sched.name "the sleeper" sched.sleep(600) end)
    fs.print("stdout", "up\n")
    while not fs.stat(arg[1] .. "/asleep") do sched.sleep(0.2) end
    while not fs.stat(arg[1] .. "/awake") do end
    task:cancel()
  ]], [[
    seen() { until grep -q "(main) $1" "$2/err"; do kill -USR1 $child; sleep 0.1; done; }
    seen waits "$1"; touch "$1/asleep"; seen runs "$1"; touch "$1/awake"]])
  test.eq(out.exit, 0)
  test.has(out.err, "task 1 (main) waits for sleep of 0.2 s since ")
  test.has(out.err, "(the sleeper) waits for sleep of 600 s since ")
  test.has(out.err, "task 1 (main) runs")
end)

test("many_tasks_leave_no_memory_behind", function()
  local function round()
    local tasks = {}
    for i = 1, 2000 do tasks[i] = sched.spawn(sched.sleep, 0) end
    for _, task in ipairs(tasks) do task:wait() end
  end
  local function collect() -- twice: what has a finalizer goes a cycle later
    collectgarbage()
    collectgarbage()
  end
  round()
  collect()
  local before = collectgarbage("count")
  for _ = 1, 5 do round() end
  collect()
  test.ok(collectgarbage("count") < before + 64, "more than 64 KiB were left by 10,000 tasks")
end)

test("the_clock_never_runs_back_over_a_wait", function()
  local before = clock.mono()
  sched.sleep(0.01)
  test.ok(clock.mono() - before >= 0.01)
end)
