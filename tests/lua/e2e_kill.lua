-- e2e_kill: a run that is killed, interrupted, cut off or doubled, against the tests' nginx.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local mt19937 = require "lre.mt19937"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

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
  return assert(process.run { "bash", "-c", command, timeout = 240, max_bytes = 1 << 26 })
end

-- The words of a run whose requests are counted, and may be held, under `token`.
local function words(base, id, token, more)
  return ("exec %s run --model openai/mock --base-url %s/hold/%s/v1 --suite %s --run-dir %s/runs --run-id %s -q "
    .. "--judge %s/examples/brevity.lua --concurrency %d %s"):format(test.program, base, token, suite(), parent(), id,
      test.root, IN_FLIGHT, more or "")
end

local asked = running.asked

local function journal(id)
  return ("%s/runs/%s/partials.jsonl"):format(parent(), id)
end

local function recorded(id)
  return running.recorded(journal(id))
end

-- Starts a run and waits until it has so many answers more; the others that it asked for, the server holds.
local function started(base, id, answers, more)
  local before, there = asked(base, "t"), recorded(id)
  running.allow(base, "t", answers)
  local run = running.start((words(base, id, "t", more):gsub("^exec ", "")))
  running.held(base, "t", journal(id), there + answers, before + answers + IN_FLIGHT)
  return run
end

local function results(id)
  return read(("%s/runs/%s/results.json"):format(parent(), id))
end

local whole -- results.json of a run that nobody disturbed

local function undisturbed(base)
  if not whole then
    test.eq(sh(words(base, "whole", "t")).exit, 0)
    whole = results "whole"
  end
  return whole
end

test("a_killed_run_ends_in_the_same_bytes_and_asks_again_at_most_what_was_in_flight", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local random = mt19937.new(20240229)
  for round = 1, 4 do
    local id, before = "kill" .. round, asked(base, "t")
    local answers = math.floor(random:random() * (TRIALS - IN_FLIGHT))
    local first = started(base, id, answers)
    first:signal "KILL"
    test.eq(first:wait().signal, 9)
    running.allow(base, "t")
    test.eq(sh(words(base, id, "t")).exit, 0, id)
    test.eq(results(id), want, id .. " killed after " .. answers .. " answers")
    test.eq(asked(base, "t") - before, TRIALS + IN_FLIGHT)
  end
end)

-- Answers come from the fake model at once; what is held is the model judge.
test("a_run_that_is_killed_while_a_model_judges_asks_for_no_verdict_twice", function()
  local base, judge = test.nginx(), parent() .. "/agrees.lua"
  assert(fs.write(judge, [[
return require "lre".judge { name = "agrees", version = "1", kind = "model", labels = { "agreed" },
  metrics = { agreed_rate = { rate = "agreed", of = { "agreed" } } },
  prompt = "{{prompt}}\n{{response}}", verdict = function() return "agreed" end }]]))
  local function judging(id)
    return ("exec %s run --model fake/fake-1b --suite %s --run-dir %s/runs --run-id %s -q --judge %s "
      .. "--judge-model openai/judge --judge-base-url %s/hold/j/v1 --concurrency %d"):format(test.program, suite(),
        parent(), id, judge, base, IN_FLIGHT)
  end
  running.allow(base, "j")
  test.eq(sh(judging "agreed").exit, 0)
  local answers, before = 20, asked(base, "j")
  running.allow(base, "j", answers)
  local run = running.start((judging("killed"):gsub("^exec ", "")))
  running.await("the first verdicts", function()
    local _, verdicts = (fs.read(journal "killed", 1 << 28) or ""):gsub('"type":"verdict"[^\n]*\n', "")
    return verdicts >= answers and asked(base, "j") - before >= answers + IN_FLIGHT
  end)
  run:signal "KILL"
  test.eq(run:wait().signal, 9)
  running.allow(base, "j")
  test.eq(sh(judging "killed").exit, 0)
  test.eq(results "killed", results "agreed")
  test.eq(asked(base, "j") - before, TRIALS + IN_FLIGHT)
end)

test("killed_again_and_again_a_run_still_ends_and_asks_each_trial_once_beyond_what_was_in_flight", function()
  local base = test.nginx()
  local want, before, kills = undisturbed(base), asked(base, "t"), 0
  while kills < 5 do
    local run = started(base, "often", 10)
    run:signal "KILL"
    run:wait()
    kills = kills + 1
  end
  running.allow(base, "t")
  test.eq(sh(words(base, "often", "t")).exit, 0)
  test.eq(results "often", want)
  test.eq(asked(base, "t") - before, TRIALS + kills * IN_FLIGHT)
end)

test("a_torn_last_line_is_dropped_and_its_trial_is_asked_again", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local run = started(base, "torn", 25)
  run:signal "KILL"
  run:wait()
  running.allow(base, "t")
  sh(("printf '{\"v\":1,\"type\":\"trial\",\"key\":\"suite/s0' >> %s"):format(journal "torn"))
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

-- Sends a signal to a run that has `answers` answers and waits for others; then lets the server answer.
local function signalled(base, id, answers, name, more)
  local run = started(base, id, answers, more)
  run:signal(name)
  running.allow(base, "t")
  return run:wait()
end

test("one_interrupt_drains_saves_and_exits_130_and_a_resume_ends_in_the_same_bytes", function()
  local base = test.nginx()
  local want, before = undisturbed(base), asked(base, "t")
  local run = started(base, "int", 20)
  run:signal "INT"
  test.eq(run.task:status(), "running", "it waits for what is in flight")
  running.allow(base, "t")
  local result = run:wait()
  test.eq(result.exit, 130)
  test.has(result.err, "--run-id int")
  test.eq({ recorded "int", asked(base, "t") - before }, { 20 + IN_FLIGHT, 20 + IN_FLIGHT })
  test.eq(sh(words(base, "int", "t")).exit, 0)
  test.eq(results "int", want)
  test.eq(asked(base, "t") - before, TRIALS)
end)

test("a_termination_drains_too_and_exits_143", function()
  local base = test.nginx()
  local want = undisturbed(base)
  test.eq(signalled(base, "term", 20, "TERM").exit, 143)
  test.eq(recorded "term", 20 + IN_FLIGHT)
  test.eq(sh(words(base, "term", "t")).exit, 0)
  test.eq(results "term", want)
end)

test("a_second_interrupt_ends_at_once_and_what_was_done_is_kept", function()
  local base = test.nginx()
  local run = started(base, "twice", 10)
  local function gone() return run.task:status() ~= "running" end
  running.await("its end", function()
    if not gone() then run:signal "INT" end -- two that come close together are one
    return gone()
  end)
  test.eq(run:wait().exit, 130)
  running.allow(base, "t")
  test.eq(recorded "twice", 10)
  test.eq(sh(words(base, "twice", "t")).exit, 0)
  test.eq(results "twice", undisturbed(base))
end)

test("waits_for_a_retry_or_a_token_end_with_the_run", function()
  local base = test.nginx()
  for i, case in ipairs { { "/faults/500/", "--retries 100" }, { "/hold/", "--rate-limit-rps 0.01" } } do
    local token = "over" .. i
    local command = words(base, "over" .. i, token, case[2]):gsub("/hold/", case[1]):gsub(" %-q", "")
    -- Without an end of these waits the run would take many minutes.
    local timed = sh(command .. " --timeout-run 0.5")
    test.eq(timed.exit, 1, timed.err)
    test.has(timed.err, "--timeout-run passed")
    test.has(timed.err, "have no answer yet")
    local before = asked(base, token)
    local run = running.start((command:gsub("^exec ", "")))
    running.await("a request", function() return asked(base, token) > before end)
    run:signal "INT"
    local stopped = run:wait()
    test.eq(stopped.exit, 130, stopped.err)
  end
end)

test("usr1_prints_what_every_task_waits_for_and_the_run_goes_on", function()
  local base = test.nginx()
  local want = undisturbed(base)
  local result = signalled(base, "usr1", 5, "USR1")
  test.eq(result.exit, 0)
  test.has(result.err, "http")
  test.eq(results "usr1", want)
end)

test("a_run_that_another_process_holds_is_refused_with_its_pid_and_exit_4", function()
  local base = test.nginx()
  local first = started(base, "held", 5)
  local second = sh(words(base, "held", "t"))
  running.allow(base, "t")
  test.eq(first:wait().exit, 0, "the first goes on")
  test.eq(second.exit, 4)
  test.has(second.err, first.pid)
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
  for _ in (fs.read(disk .. "/runs/small/partials.jsonl") or ""):gmatch "\n" do kept = kept + 1 end
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
  signalled(base, "partial", 8, "INT")
  local data = json.decode(results "partial")
  test.eq(data.trials.planned, TRIALS)
  test.eq({ data.trials.recorded, data.rows[1].total }, { 8 + IN_FLIGHT, 8 + IN_FLIGHT })
end)
