-- e2e_kill: a run that is killed, interrupted, cut off or doubled, against the tests' nginx.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local http, mt19937 = require "lre.http", require "lre.mt19937"
local test = require "lre.unit"

local TRIALS, IN_FLIGHT = 60, 4
local folder

local function parent()
  folder = folder or test.folder()
  return folder
end

local function read(path)
  return assert(fs.read(path, 1 << 28))
end

local function suite()
  local path = parent() .. "/suite.jsonl"
  if not fs.stat(path) then
    local lines = {}
    for i = 1, TRIALS do
      lines[i] = ('{"id":"s%03d","text":"invented question %d","category":"%s"}\n'):format(
        i, i, i % 2 == 0 and "harmful" or "helpful")
    end
    assert(fs.write(path, table.concat(lines)))
  end
  return path
end

local function sh(command)
  return assert(process.run { "bash", "-c", command, timeout = 60, max_bytes = 1 << 26 })
end

-- The words of a run whose requests are counted under `token`. The delay is in the URL, so every run has the same one.
local function words(base, id, token, more)
  return ("exec %s run --model openai/mock --base-url %s/delay/20/%s/v1 --suite %s --run-dir %s/runs --run-id %s -q "
    .. "--judge %s/examples/brevity.lua --concurrency %d %s"):format(test.program, base, token, suite(), parent(), id,
      test.root, IN_FLIGHT, more or "")
end

local function asked(base, token)
  return math.tointeger(tonumber(assert(http.request { method = "GET", url = base .. "/count/" .. token }).body))
end

local function results(id)
  return read(("%s/runs/%s/results.json"):format(parent(), id))
end

local function recorded(id)
  local n = 0
  for line in read(("%s/runs/%s/partials.jsonl"):format(parent(), id)):gmatch "[^\n]+\n" do
    if line:find('"type":"trial"', 1, true) then n = n + 1 end
  end
  return n
end

local whole -- results.json of a run that nobody disturbed

local function undisturbed(base)
  if not whole then
    test.eq(sh(words(base, "whole", "t")).exit, 0)
    whole = results "whole"
  end
  return whole
end

test("a_run_killed_at_any_moment_ends_in_the_same_bytes_and_asks_again_at_most_what_was_in_flight", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local random = mt19937.new(20240229)
  local killed = 0
  for round = 1, 6 do
    local id, before = "kill" .. round, asked(base, "t")
    -- The whole takes about 0.35 s: from before the first answer until near the end.
    local moment = 0.02 + random:random() * 0.3
    local first = sh(("timeout -s KILL %.3f bash -c %q"):format(moment, words(base, id, "t")))
    if first.exit ~= 0 then killed = killed + 1 end
    test.eq(sh(words(base, id, "t")).exit, 0, id)
    test.eq(results(id), want, id .. " killed after " .. moment)
    local requests = asked(base, "t") - before
    test.ok(requests >= TRIALS and requests <= TRIALS + IN_FLIGHT, ("%s: %d requests"):format(id, requests))
  end
  test.ok(killed >= 3, "only " .. killed .. " of 6 were killed before they ended")
end)

test("killed_again_and_again_a_run_still_ends_and_asks_each_trial_once_beyond_what_was_in_flight", function()
  local base = test.nginx()
  local want, before, kills = undisturbed(base), asked(base, "t"), 0
  local result
  repeat
    result = sh(("timeout -s KILL 0.15 bash -c %q"):format(words(base, "often", "t")))
    if result.exit ~= 0 then kills = kills + 1 end
  until result.exit == 0 or kills == 40
  if result.exit ~= 0 then result = sh(words(base, "often", "t")) end
  test.eq(result.exit, 0)
  test.eq(results "often", want)
  local requests = asked(base, "t") - before
  test.ok(requests <= TRIALS + kills * IN_FLIGHT, ("%d requests, %d kills"):format(requests, kills))
end)

test("a_torn_last_line_is_dropped_and_its_trial_is_asked_again", function()
  local base = test.nginx()
  local want = undisturbed(base)
  sh(("timeout -s KILL 0.2 bash -c %q"):format(words(base, "torn", "t")))
  local path = parent() .. "/runs/torn/partials.jsonl"
  sh(("printf '{\"v\":1,\"type\":\"trial\",\"key\":\"suite/s0' >> %s"):format(path))
  test.eq(sh(words(base, "torn", "t")).exit, 0)
  test.eq(results "torn", want)
end)

test("the_same_bytes_in_another_folder_time_zone_and_language_at_any_concurrency", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local elsewhere = test.folder()
  for _, n in ipairs { 1, 64 } do
    local command = ("cd %s && TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 LC_ALL=de_DE.UTF-8 %s"):format(elsewhere,
      words(base, "c" .. n, "t", "--concurrency " .. n))
    test.eq(sh(command).exit, 0)
    test.eq(results("c" .. n), want, "concurrency " .. n)
  end
end)

-- Starts a run in the background, sends signals, and gives { exit, out, err }.
local function signalled(base, id, signals)
  return sh(("%s & pid=$!; %s wait $pid"):format("(" .. words(base, id, "t"):gsub(" %-q", "") .. ")",
    signals:gsub("KILL (%w+)", "kill -%1 $pid;")))
end

test("one_interrupt_drains_saves_and_exits_130_and_a_resume_ends_in_the_same_bytes", function()
  local base = test.nginx()
  local want, before = undisturbed(base), asked(base, "t")
  local result = signalled(base, "int", "sleep 0.15; KILL INT ")
  test.eq(result.exit, 130)
  test.has(result.err, "--run-id int")
  local saved = recorded "int"
  test.ok(saved > 0 and saved < TRIALS, saved)
  test.eq(asked(base, "t") - before, saved, "what was in flight was waited for and kept")
  test.eq(sh(words(base, "int", "t")).exit, 0)
  test.eq(results "int", want)
  test.eq(asked(base, "t") - before, TRIALS)
end)

test("a_termination_drains_too_and_exits_143", function()
  local base = test.nginx()
  local want = undisturbed(base)
  test.eq(signalled(base, "term", "sleep 0.15; KILL TERM ").exit, 143)
  test.ok(recorded "term" < TRIALS)
  test.eq(sh(words(base, "term", "t")).exit, 0)
  test.eq(results "term", want)
end)

test("a_second_interrupt_ends_at_once_and_what_was_done_is_kept", function()
  local base = test.nginx()
  local slow = words(base, "twice", "slow"):gsub("/delay/20/", "/delay/100000/")
  local result = sh(("%s & pid=$!; sleep 0.3; kill -INT $pid; sleep 0.2; kill -INT $pid; wait $pid"):format(
    "(" .. slow .. ")"))
  test.eq(result.exit, 130) -- a test that waited for the answers would run into the time limit of sh()
  test.eq(sh(words(base, "twice", "t"):gsub("/delay/20/t/", "/delay/100000/slow/") .. " --timeout-total 0.05 "
    .. "--retries 0").exit, 1)
end)

test("waits_for_a_retry_or_a_token_end_with_the_run", function()
  local base = test.nginx()
  for i, case in ipairs { { "/faults/500/", "--retries 100" }, { "/v1/", "--rate-limit-rps 0.01" } } do
    local command = words(base, "over" .. i, "t", case[2])
    command = i == 1 and command:gsub("/delay/20/", case[1]) or command:gsub("/delay/20/t/v1", "/v1")
    -- Without an end of these waits the run would take minutes, and sh() allows it one.
    local timed = sh(command:gsub("%-q", "") .. " --timeout-run 0.5")
    test.eq(timed.exit, 1, timed.err)
    test.has(timed.err, "--timeout-run passed")
    test.has(timed.err, "have no answer yet")
    local stopped = sh(("(%s) & pid=$!; sleep 0.3; kill -INT $pid; wait $pid"):format(command))
    test.eq(stopped.exit, 130, stopped.err)
  end
end)

test("usr1_prints_what_every_task_waits_for_and_the_run_goes_on", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local result = signalled(base, "usr1", "sleep 0.15; KILL USR1 ")
  test.eq(result.exit, 0)
  test.has(result.err, "http")
  test.eq(results "usr1", want)
end)

test("a_run_that_another_process_holds_is_refused_with_its_pid_and_exit_4", function()
  local base = test.nginx()
  local command = words(base, "held", "t")
  local result = sh(("(%s --concurrency 1) & pid=$!; sleep 0.15; (%s); echo second $? first $pid; wait $pid")
    :format(command, command))
  test.eq(result.exit, 0, "the first goes on")
  local second, pid = result.out:match "second (%d+) first (%d+)"
  test.eq(second, "4")
  test.has(result.err, pid)
  test.eq(results "held", undisturbed(base))
end)

test("a_disk_that_fills_is_said_at_once_and_what_was_done_is_kept", function()
  local base = test.nginx()
  local want, before = undisturbed(base), asked(base, "t")
  local result = sh(("trap '' XFSZ; ulimit -f 24; %s"):format(words(base, "full", "t")))
  test.eq(result.exit, 4)
  test.has(result.err, "partials.jsonl")
  test.has(result.err, "--run-id")
  local first, saved = asked(base, "t") - before, recorded "full"
  test.ok(saved > 0 and saved < TRIALS, saved)
  test.ok(first <= saved + 2 * IN_FLIGHT, first .. " asked, " .. saved .. " kept: it went on after the disk was full")
  test.eq(sh(words(base, "full", "t")).exit, 0)
  test.eq(results "full", want)
  test.eq(asked(base, "t") - before - first, TRIALS - saved)
end)

test("a_small_disk_that_fills_is_no_different", function()
  local base = test.nginx()
  local disk = test.folder()
  local mounted = sh(("mount -t tmpfs -o size=48k none %s"):format(disk))
  if mounted.exit ~= 0 then test.skip("a tmpfs cannot be mounted here: " .. mounted.err) end
  local before = asked(base, "t")
  local result = sh((words(base, "small", "t"):gsub("%-%-run%-dir [^ ]+", "--run-dir " .. disk .. "/runs")))
  local kept = 0
  local journal = fs.read(disk .. "/runs/small/partials.jsonl") or ""
  for _ in journal:gmatch "\n" do kept = kept + 1 end
  sh(("mount -o remount,size=8m %s"):format(disk))
  local again = sh((words(base, "small", "t"):gsub("%-%-run%-dir [^ ]+", "--run-dir " .. disk .. "/runs")))
  local bytes = fs.read(disk .. "/runs/small/results.json")
  sh("umount " .. disk)
  test.eq(result.exit, 4)
  test.has(result.err, "No space left")
  test.eq(again.exit, 0)
  test.eq(bytes, undisturbed(base))
  test.ok(asked(base, "t") - before <= 2 * TRIALS, kept)
end)

test("an_interrupted_runs_results_say_how_many_trials_have_no_answer", function()
  local base = test.nginx()
  signalled(base, "partial", "sleep 0.15; KILL INT ")
  local data = json.decode(results "partial")
  test.eq(data.trials.planned, TRIALS)
  test.eq(data.trials.recorded, recorded "partial")
  test.eq(data.rows[1].total, recorded "partial")
end)
