-- e2e_points: a run that is killed, or whose disk fails, at each call that changes one of its files, counted by
-- tests/shim/fault.c, against the tests' nginx. Resumed, it ends in the same bytes, and asks again at most what was in
-- flight.
--
-- With LRE_ALL_POINTS=1 (./dev check --all) also each call of a run of 200 trials; 50 seeded ones of them always.
local fs, mt19937, process = require "lre.fs", require "lre.mt19937", require "lre.process"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local IN_FLIGHT = 4
local FINALS = { "results.json", "results.csv", "results.parquet" }
local SHIM = test.program:match "^(.*)/[^/]*$" .. "/libfault.so"
local folder

local function parent()
  folder = folder or test.folder(true)
  return folder
end

local function suite(n)
  local path, lines = ("%s/suite_%d.jsonl"):format(parent(), n), {}
  for i = 1, n do
    lines[i] = ('{"id":"s%03d","text":"invented question %d","category":"%s"}\n'):format(i, i,
      i % 2 == 0 and "harmful" or "helpful")
  end
  if not fs.stat(path) then assert(fs.write(path, table.concat(lines))) end
  return path
end

-- A run of n trials, judged by a rule and by a model. `fault`: what the shim is to do.
local function run(n, id, fault)
  local base = test.nginx()
  local shim = fault and ("LD_PRELOAD=%s LRE_FAULT='%s %s/%s' "):format(SHIM, fault, parent(), id) or ""
  -- A sanitizer's library wants to be the first; the shim calls what it stands before, so the order is no matter.
  local command = ("ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 %sexec %s run -q --model openai/mock "
    .. "--base-url %s/faults/ok/asked/v1 --suite %s --run-dir %s --run-id %s --judge %s/examples/brevity.lua "
    .. "--judge refusal_llm --judge-model openai/j --judge-base-url %s/faults/judge/judged/v1 --concurrency %d"):format(
    shim, test.program, base, suite(n), parent(), id, test.root, base, IN_FLIGHT)
  return assert(process.run { "bash", "-c", command, timeout = 240, max_bytes = 1 << 26 })
end

local function finals(id)
  local out = {}
  for i, name in ipairs(FINALS) do out[i] = fs.read(("%s/%s/%s"):format(parent(), id, name), 1 << 28) end
  return out
end

local whole = {} -- by number of trials: the final files of a run that nobody disturbed

local function undisturbed(n)
  if not fs.stat(SHIM) then test.skip(SHIM .. " is not built") end
  if not whole[n] then
    local id = "whole" .. n
    local result = run(n, id, "count 0")
    test.eq(result.exit, 0, result.err)
    whole[n] = { files = finals(id), calls = math.tointeger(tonumber(fs.read(parent() .. "/" .. id .. ".count"))) }
    test.eq(#whole[n].files, #FINALS)
    test.ok(whole[n].calls > 50, "the shim sees the calls")
  end
  return whole[n]
end

local function requests()
  local base = test.nginx()
  return running.asked(base, "asked"), running.asked(base, "judged")
end

local function same_finals(n, id, note)
  for i, bytes in ipairs(finals(id)) do
    test.ok(bytes == undisturbed(n).files[i], note .. ": " .. FINALS[i] .. " differs")
  end
end

-- One run with a fault, resumed without. Returns how the first ended.
local function disturb(n, fault)
  local id = fault:gsub(" ", "")  .. "of" .. n
  local asked, judged = requests()
  local first = run(n, id, fault)
  local second = run(n, id)
  test.eq(second.exit, 0, fault .. ": " .. second.err)
  same_finals(n, id, fault)
  local asked_after, judged_after = requests()
  test.ok(asked_after - asked <= n + IN_FLIGHT, ("%s: %d requests"):format(fault, asked_after - asked))
  test.ok(judged_after - judged <= n + IN_FLIGHT, ("%s: %d verdicts asked for"):format(fault, judged_after - judged))
  process.run { "rm", "-rf", parent() .. "/" .. id }
  return first
end

-- A sanitizer makes a run ten times slower; what it looks for does not need every point.
local function is_sanitized()
  return assert(process.run { "grep", "-qE", "__(asan|tsan)_init", test.program }).exit == 0
end

local function each_point(n, step)
  if is_sanitized() then step = step * 15 end
  local calls, k = undisturbed(n).calls, 1 - step
  return function()
    k = k + step
    return k <= calls and k or nil
  end
end

-- What a fault may do: what its run says of itself. Each returns 1 where the fault was met.
-- Calls are counted as they come: syncs of a group differ from run to run, so the last points may not be reached.
local MODES = {}

local function killed(n, fault)
  local first = disturb(n, fault)
  test.ok(first.signal == 9 or first.exit == 0, fault .. ": " .. tostring(first.exit) .. first.err)
  return first.signal == 9 and 1 or 0
end

MODES.kill, MODES.torn = killed, killed

-- What fails is told, and the exit code is 4; a failing run.log alone ends no run.
local function said(n, fault)
  local first = disturb(n, fault)
  test.ok(first.exit == 0 or first.exit == 4, ("%s: exit %s %s"):format(fault, first.exit or first.signal, first.err))
  if first.exit == 4 then test.ok(first.err:find "lre: ", fault .. ": silence") end
  return first.exit == 4 and 1 or 0
end

MODES.enospc, MODES.eio = said, said

-- Nobody notices, so nothing is resumed.
function MODES.short(n, fault)
  local id = fault:gsub(" ", "") .. "of" .. n
  local first = run(n, id, fault)
  test.eq(first.exit, 0, fault .. ": " .. first.err)
  same_finals(n, id, fault)
  process.run { "rm", "-rf", parent() .. "/" .. id }
  return 0
end

-- A fault at each call of a run of n trials. Returns at how many points it was met, and how many there were.
local function at_each_point(n, mode)
  local met, points = 0, 0
  for k in each_point(n, 1) do
    met, points = met + MODES[mode](n, mode .. " " .. k), points + 1
  end
  return met, points
end

test("killed_before_any_call_that_changes_a_file_a_run_resumes_to_the_same_bytes", function()
  local met, points = at_each_point(12, "kill")
  test.ok(met > points * 3 // 4, met .. " of " .. points)
end)

test("killed_in_the_middle_of_any_write_a_run_resumes_to_the_same_bytes", function()
  local met, points = at_each_point(12, "torn")
  test.ok(met > points * 3 // 4, met .. " of " .. points)
end)

test("a_disk_that_is_full_from_any_write_on_is_told_with_exit_4_and_nothing_is_lost", function()
  local met, points = at_each_point(12, "enospc")
  test.ok(met > points * 3 // 4, met .. " of " .. points)
end)

test("a_call_that_fails_is_told_with_exit_4_and_nothing_is_lost", function()
  local met, points = at_each_point(12, "eio")
  test.ok(met > points // 2, met .. " of " .. points)
end)

test("a_short_write_is_completed_and_nobody_notices", function() at_each_point(12, "short") end)

-- A larger run: a fault of each kind at 50 seeded points, or at all of them.
for i, mode in ipairs { "kill", "torn", "enospc", "eio", "short" } do
  test(("at_seeded_points_of_a_larger_run_%s_changes_no_byte_of_what_it_ends_in"):format(mode), function()
    local calls, random = undisturbed(200).calls, mt19937.new(20261121 + i)
    -- Half a kill's points are torn writes, as half of what a kill meets is one.
    local points = (mode == "kill" or mode == "torn") and 25 or 50
    for _ = 1, is_sanitized() and 2 or points do
      MODES[mode](200, ("%s %d"):format(mode, 1 + random:random() * calls // 1))
    end
  end)

  test(("at_every_point_of_a_larger_run_%s_changes_no_byte_of_what_it_ends_in"):format(mode), function()
    if not os.getenv "LRE_ALL_POINTS" then test.skip "takes many minutes: ./dev check --all" end
    at_each_point(200, mode)
  end)
end
