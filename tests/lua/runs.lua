-- runs: whole runs of the program, on the fake model and against the tests' nginx.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local sched = require "lre.sched"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local KEY = "sk-test-not-to-be-found-anywhere"
local folder -- made at first use: it is gone when the runner ends
local n_tokens = 0

local function parent()
  folder = folder or test.folder()
  return folder
end

local function read(path)
  return assert(fs.read(path, 1 << 28))
end

local function results_of(id)
  return read(("%s/%s/results.json"):format(parent(), id))
end

-- Runs `lre run` with these words, in a shell so that variables and signals can be had. Returns process.run's result.
local function lre_run(id, words, before)
  local command = ("%s %s run --run-dir %s --run-id %s %s"):format(before or "", test.program, parent(), id, words)
  return assert(process.run { "bash", "-c", command, timeout = 100, max_bytes = 1 << 26 })
end

-- A suite of n samples as a file.
local function suite_file(n)
  local path = ("%s/suite_%d.jsonl"):format(parent(), n)
  local lines = {}
  for i = 1, n do
    lines[i] = ('{"id":"s%03d","text":"invented question %d","category":"%s"}\n'):format(i, i, i % 2 == 0 and "harmful"
      or "helpful")
  end
  assert(fs.write(path, table.concat(lines)))
  return path
end

local function token()
  n_tokens = n_tokens + 1
  return ("runs-%d-%s"):format(n_tokens, parent():match("[%w]+$"))
end

local count = running.asked

local function http_words(base, path, n)
  return ("--model openai/mock --base-url %s%s/v1 --suite %s --judge refusal -q"):format(base, path, suite_file(n))
end

test("results_are_the_same_bytes_at_concurrency_1_and_64", function()
  local words = "--model fake/fake-1b,fake/fake-7b --suite harmful_helpful,jailbreak_styles --repeats 3 -q "
  test.eq(lre_run("c1", words .. "--concurrency 1").exit, 0)
  test.eq(lre_run("c64", words .. "--concurrency 64").exit, 0)
  test.eq(results_of("c1"), results_of("c64"))
end)

test("results_over_http_are_the_same_bytes_at_concurrency_1_and_32", function()
  local base = test.nginx()
  test.eq(lre_run("h1", http_words(base, "", 60) .. " --concurrency 1").exit, 0)
  test.eq(lre_run("h32", http_words(base, "", 60) .. " --concurrency 32").exit, 0)
  test.eq(results_of("h1"), results_of("h32"))
end)

-- Starts `lre run` and waits until it has so many answers and has asked for `more`, which the server holds.
local function started(id, words, base, name, answers, more)
  running.allow(base, name, answers)
  local run = running.start(("%s run --run-dir %s --run-id %s %s"):format(test.program, parent(), id, words))
  running.held(base, name, ("%s/%s/partials.jsonl"):format(parent(), id), answers, answers + more)
  return run
end

test("one_interrupt_saves_what_is_done_and_says_how_to_go_on", function()
  local base, name = test.nginx(), token()
  local words = http_words(base, "/hold/" .. name, 60):gsub(" %-q", "") .. " --concurrency 2"
  local run = started("int", words, base, name, 5, 2)
  run:signal "INT"
  running.allow(base, name)
  local result = run:wait()
  test.eq(result.exit, 130)
  test.has(result.err, "press Ctrl-C again to stop at once. --run-id int goes on")
  test.eq(json.decode(results_of("int")).trials.recorded, 7)
  test.eq(lre_run("int", words).exit, 0)
  test.eq(json.decode(results_of("int")).trials.recorded, 60)
end)

test("interrupted_before_the_first_trial_its_results_say_that_there_is_no_data", function()
  local script = parent() .. "/early.lua"
  assert(fs.write(script, ([[
    local lre, process, sched = require "lre", require "lre.process", require "lre.sched"
    local run = lre.experiment { suites = { %q }, models = { "fake/fake-1b" }, run_dir = %q, run_id = "early" }:run {
      on_start = function()
        process.run { "sh", "-c", "kill -INT $PPID" }
        while not sched.interrupted() do sched.sleep(0.01) end
      end }
    print(run.exit, run.results.trials.recorded, run:report "md")
  ]]):format(suite_file(4), parent())))
  local result = test.lre("script", script)
  test.has(result.out, "130\t0\t")
  test.has(result.out, "4 of 4 trials have no answer yet")
  test.has(result.err, "--run-id early goes on")
  local data = json.decode(results_of "early")
  test.eq({ data.trials.planned, data.trials.recorded, data.rows[1].total }, { 4, 0, 0 })
  test.eq(data.rows[1].metrics.refusal_rate.value, json.null)
  test.eq(lre_run("early", "-q --model fake/fake-1b --suite " .. suite_file(4)).exit, 0)
  test.eq(json.decode(results_of "early").trials.recorded, 4)
end)

test("a_finished_run_that_is_named_again_asks_nothing", function()
  local base = test.nginx()
  local name = token()
  local words = http_words(base, "/faults/ok/" .. name, 10)
  lre_run("twice", words)
  local first = results_of("twice")
  test.eq(lre_run("twice", words).exit, 0)
  test.eq(count(base, name), 10)
  test.eq(results_of("twice"), first)
end)

test("another_plan_under_the_same_id_is_refused_with_the_field_that_differs", function()
  lre_run("plan", "--model fake/fake-1b --suite harmful_helpful -q")
  local result = lre_run("plan", "--model fake/fake-1b --suite harmful_helpful -q --seed 7")
  test.eq(result.exit, 3)
  test.has(result.err, "seed differs")
  test.has(lre_run("plan", "--model fake/fake-2b --suite harmful_helpful -q").err, 'now it is "fake-2b"')
end)

test("a_limit_may_grow_and_the_whole_is_what_one_run_would_have_given", function()
  local words = "--model fake/fake-1b --suite harmful_helpful -q "
  test.eq(lre_run("grow", words .. "--limit 4").exit, 0)
  test.eq(lre_run("grow", words).exit, 0)
  lre_run("grown", words)
  test.eq(results_of("grow"), results_of("grown"))
end)

test("fresh_takes_the_next_free_id", function()
  local words = "--model fake/fake-1b --suite harmful_helpful -q "
  lre_run("again", words)
  test.eq(lre_run("again", words .. "--fresh").exit, 0)
  test.ok(fs.stat(parent() .. "/again-2/results.json"))
end)

test("two_runs_of_one_second_get_two_folders", function()
  local words = "run -q --model fake/a --suite harmful_helpful --run-dir " .. parent() .. "/s"
  local command = ("SOURCE_DATE_EPOCH=1700000000 %s %s"):format(test.program, words)
  test.eq(process.run({ "sh", "-c", command .. " && " .. command, timeout = 60 }).exit, 0)
  test.eq(fs.list(parent() .. "/s"), { "20231114_221320", "20231114_221320-2" })
end)

test("a_refused_key_stops_at_once_with_exit_4_and_the_key_is_nowhere", function()
  local base = test.nginx()
  local name = token()
  local words = http_words(base, "/faults/401/" .. name, 50) .. " --concurrency 2 --log-level DEBUG"
  local result = lre_run("refused", words, "OPENAI_API_KEY=" .. KEY)
  test.eq(result.exit, 4)
  test.ok(count(base, name) <= 2, "more requests than were in flight")
  test.has(result.err, "401")
  test.ok(not (result.out .. result.err):find(KEY, 1, true), "the key was printed")
  local found = process.run { "grep", "-rl", KEY, parent() .. "/refused" }
  test.eq(found.out, "")
end)

test("a_missing_key_names_its_variable_and_nothing_is_sent", function()
  local result = lre_run("nokey", "--model openai/gpt-4o-mini --suite harmful_helpful -q", "env -u OPENAI_API_KEY")
  test.eq(result.exit, 4)
  test.has(result.err, "OPENAI_API_KEY")
  test.ok(not fs.stat(parent() .. "/nokey"), "no run was begun")
end)

test("trials_that_fail_are_counted_apart_and_the_exit_code_is_1", function()
  local base = test.nginx()
  local result = lre_run("failed", http_words(base, "/faults/404-html/" .. token(), 5))
  test.eq(result.exit, 1)
  local row = json.decode(results_of("failed")).rows[1]
  test.eq({ row.total, row.generation_errors, row.complied, row.metrics.refusal_rate.n }, { 5, 5, 0, 0 })
end)

test("failed_trials_are_asked_again_by_a_resume_and_good_ones_are_not", function()
  local base = test.nginx()
  local name = token()
  local words = http_words(base, "/faults/200-error-then-ok/" .. name, 1)
  test.eq(lre_run("mend", words .. " --retries 0").exit, 1)
  test.eq(lre_run("mend", words .. " --retries 0").exit, 0)
  local row = json.decode(results_of("mend")).rows[1]
  test.eq({ row.total, row.generation_errors }, { 1, 0 })
end)

test("no_judge_only_asks_and_judging_later_asks_no_model", function()
  local base = test.nginx()
  local name = token()
  local words = http_words(base, "/faults/ok/" .. name, 6)
  test.eq(lre_run("later", words .. " --no-judge").exit, 0)
  test.eq(#json.decode(results_of("later")).rows, 0)
  test.eq(count(base, name), 6)
end)

test("a_dry_run_prints_marked_rows_needs_no_key_and_sends_nothing", function()
  local base = test.nginx()
  local name = token()
  local result = lre_run("dry", http_words(base, "/faults/ok/" .. name, 3) .. " --dry-run", "env -u OPENAI_API_KEY")
  test.eq(result.exit, 0)
  local rows = {}
  for line in result.out:gmatch("[^\n]+") do rows[#rows + 1] = json.decode(line) end
  test.eq(#rows, 3)
  test.eq(rows[1].dry_run, true)
  test.eq(count(base, name), 0)
  test.ok(not fs.stat(parent() .. "/dry"))
end)

test("a_run_keeps_its_samples_and_scripts_by_hash", function()
  lre_run("kept", "--model fake/fake-1b --suite harmful_helpful --limit 3 -q")
  local run = json.decode(read(parent() .. "/kept/run.json"))
  local kinds = {}
  for _, file in ipairs(run.files) do
    kinds[file.kind] = true
    test.eq(require("lre.hash").sha256(read(parent() .. "/kept/" .. file.file)), file.sha256)
  end
  test.eq(kinds, { adapter = true, judge = true, samples = true })
end)

test("out_and_dump_raw_give_the_results_and_sorted_responses", function()
  local out, raw = parent() .. "/out.json", parent() .. "/raw.jsonl"
  lre_run("out", ("--model fake/fake-1b --suite harmful_helpful -q --out %s --dump-raw %s"):format(out, raw))
  test.eq(read(out), results_of("out"))
  local last, n = "", 0
  for line in read(raw):gmatch("[^\n]+") do
    local row = json.decode(line)
    test.ok(row.key > last and row.response.text and not row.started_at)
    last, n = row.key, n + 1
  end
  test.eq(n, 15)
end)

test("out_to_a_folder_that_is_not_there_is_said_before_anything_is_sent", function()
  local result = lre_run("nowhere", "--model fake/fake-1b --suite harmful_helpful --out /nonexistent/x.json")
  test.eq(result.exit, 4)
  test.has(result.err, "/nonexistent")
  test.ok(not fs.stat(parent() .. "/nowhere"))
end)

test("a_run_that_is_running_is_not_touched_by_another", function()
  local base, name = test.nginx(), token()
  local words = http_words(base, "/hold/" .. name, 4) .. " --concurrency 1"
  local first = started("lock", words, base, name, 0, 1)
  local second = lre_run("lock", words)
  running.allow(base, name)
  test.eq({ second.exit, first:wait().exit }, { 4, 0 })
  test.has(second.err, "lock")
end)

test("a_full_disk_is_said_at_once_and_what_was_done_is_kept", function()
  -- A file size limit stands in for the disk: writes fail the same way.
  local words = "--model fake/fake-1b --suite " .. suite_file(400) .. " -q"
  local result = lre_run("full", words, "trap '' XFSZ; ulimit -f 128;")
  test.eq(result.exit, 4)
  test.has(result.err, "partials.jsonl")
  local journal = read(parent() .. "/full/partials.jsonl")
  test.ok(#journal > 0 and journal:sub(-1) == "\n", "the journal ends in a whole line")
  test.eq(lre_run("full", words).exit, 0)
  lre_run("roomy", words)
  test.eq(results_of("full"), results_of("roomy"))
end)

test("the_trial_timeout_ends_a_trial_not_the_run", function()
  local base = test.nginx()
  local words = http_words(base, "/delay/100000/" .. token(), 2) .. " --timeout-trial 0.2"
  local result = lre_run("slow", words)
  test.eq(result.exit, 1)
  test.eq(json.decode(results_of("slow")).rows[1].generation_errors, 2)
end)

test("the_run_timeout_starts_nothing_new_and_keeps_what_is_done", function()
  local base, name = test.nginx(), token()
  running.allow(base, name, 4)
  local command = ("%s run --run-dir %s --run-id budget %s"):format(test.program, parent(),
    http_words(base, "/hold/" .. name, 60) .. " --concurrency 2 --timeout-run 1")
  local run = running.start(command)
  running.await("a request", function() return count(base, name) > 0 end)
  sched.sleep(1.1) -- its time has passed: what is held now is the last that it asked
  running.allow(base, name)
  test.eq(run:wait().exit, 1)
  local recorded = json.decode(results_of("budget")).trials.recorded
  test.eq(recorded, count(base, name))
  test.ok(recorded > 0 and recorded < 60, recorded)
end)

test("a_judge_that_never_ends_costs_one_answer_and_the_exit_code_is_1", function()
  local path = parent() .. "/loops.lua"
  fs.write(path, [[
    local lre = require "lre"
    return lre.judge { name = "loops", version = "1", kind = "rule", labels = { "yes" },
      judge = function(trial)
        while trial.sample_id == "s003" do end
        return { label = "yes" }
      end }
  ]])
  local words = ("--model fake/fake-1b --suite %s --judge %s --judge-steps 100000 -q"):format(suite_file(9), path)
  local result = lre_run("loops", words)
  test.eq(result.exit, 1)
  local row = json.decode(results_of("loops")).rows[1]
  test.eq({ row.total, row.counts.yes, row.unscored }, { 9, 8, 1 })
end)

test("two_judges_and_two_personas_give_a_row_each", function()
  local words = "--model fake/fake-1b --suite harmful_helpful --limit 4 --persona none,%s --judge refusal,%s -q"
  local persona, judge = parent() .. "/terse.lua", parent() .. "/long.lua"
  fs.write(persona, 'return require("lre").persona { name = "terse", system = "Be terse." }')
  fs.write(judge, [[return require("lre").judge { name = "long", version = "1", kind = "rule",
    labels = { "long", "short" },
    judge = function(_, response) return { label = #response.text > 60 and "long" or "short" } end }]])
  test.eq(lre_run("grid", words:format(persona, judge)).exit, 0)
  local seen = {}
  for _, row in ipairs(json.decode(results_of("grid")).rows) do
    seen[row.persona .. "/" .. row.judge] = row.total
    test.eq(row.metrics[row.primary].n, 4)
  end
  test.eq(seen, { ["none/refusal"] = 4, ["none/long"] = 4, ["terse/refusal"] = 4, ["terse/long"] = 4 })
end)

test("timing_json_is_of_the_whole_journal_also_when_nothing_was_asked", function()
  local base = test.nginx()
  local words = http_words(base, "", 6)
  local function timing() return json.decode(read(parent() .. "/time/timing.json")) end
  test.eq(lre_run("time", words .. " --limit 4").exit, 0)
  local first = timing()
  test.eq({ first.trials, first.last_session.asked }, { 4, 4 })
  test.ok(first.tokens.output_tokens > 0 and first.latency_seconds.p50 > 0, "tokens and latencies were counted")
  test.eq(first.cost_usd, json.null)
  test.eq(lre_run("time", words .. " --limit 4").exit, 0)
  local again = timing()
  test.eq({ again.tokens, again.latency_seconds, again.trials }, { first.tokens, first.latency_seconds, 4 })
  test.eq(again.last_session.asked, 0)
  test.has(read(parent() .. "/time/run.log"):match("[^\n]*\n$"), " 4/4 ")
  test.eq(lre_run("time", words).exit, 0)
  test.eq({ timing().trials, timing().last_session.asked }, { 6, 2 })
end)

test("a_suites_clusters_reach_the_interval_also_when_judged_again", function()
  local path = parent() .. "/pairs.lua"
  assert(fs.write(path, [[local lre = require "lre"
return lre.suite { name = "pairs", clusters = "pair", samples = function() return coroutine.wrap(function()
  for i = 1, 12 do
    coroutine.yield { id = "p" .. i, text = "invented " .. i, category = "harmful", metadata = { pair = i // 4 } }
  end
end) end }]]))
  local result = lre_run("pairs", "--model fake/fake-1b -q --suite " .. path)
  test.eq(result.exit, 0)
  test.has(result.out, "clustered by pair (G = 4)")
  local first = results_of("pairs")
  test.has(first, '"wilson_clustered"')
  local at = parent() .. "/pairs"
  test.eq(process.run({ test.program, "verify", at }).exit, 0)
  test.eq(process.run({ test.program, "judge", "--in", at, "--judge", "refusal" }).exit, 0)
  test.eq(results_of("pairs"), first)
end)

test("a_folder_that_is_no_run_is_refused", function()
  assert(fs.mkdir(parent() .. "/foreign"))
  assert(fs.write(parent() .. "/foreign/thesis.txt", "mine\n"))
  local result = lre_run("foreign", "--model fake/fake-1b --suite harmful_helpful -q")
  test.eq(result.exit, 3)
  test.has(result.err, "thesis.txt")
  test.eq(fs.list(parent() .. "/foreign"), { "thesis.txt" })
end)

test("a_run_id_that_is_too_long_is_told_the_limit", function()
  local result = lre_run(("x"):rep(201), "--model fake/fake-1b --suite harmful_helpful -q")
  test.eq(result.exit, 2)
  test.has(result.err, "at most 200 bytes, got 201")
end)

test("resuming_says_how_many_trials_are_left", function()
  local words = "--model fake/fake-1b --suite harmful_helpful "
  test.eq(lre_run("left", words .. "--limit 5").exit, 0)
  test.has(lre_run("left", words .. "--limit 12").err, "5 have an answer, 7 are left")
  test.has(lre_run("left", words .. "--limit 3").err, "3 have an answer, 0 are left")
end)

test("the_first_interrupt_ends_the_reading_of_an_endless_generator", function()
  local path = parent() .. "/endless.lua"
  assert(fs.write(path, [[local lre = require "lre"
return lre.suite { name = "endless", samples = function()
  local i = 0
  return function()
    i = i + 1
    if i == 1000 then lre.fs.write("]] .. path .. [[.seen", "") end
    return { id = "e" .. i, text = "invented " .. i }
  end
end }]]))
  local run = running.start(("%s run --run-dir %s --model fake/fake-1b --suite %s"):format(test.program, parent(),
    path))
  running.await("the generator", function() return fs.stat(path .. ".seen") end)
  run:signal "INT"
  test.has(run:wait().err, "interrupted while")
end)

test("a_run_whose_run_json_is_lost_or_damaged_goes_on_by_its_journal", function()
  local base = test.nginx()
  local name = token()
  local words = http_words(base, "/faults/ok/" .. name, 8)
  test.eq(lre_run("lost", words .. " --limit 5").exit, 0)
  local asked, path = count(base, name), parent() .. "/lost/run.json"
  test.ok(fs.remove(path))
  local changes = { { " --temperature 1", "another request" },
    { " --persona developer_mode_dan --no-control", "no trial" } }
  for _, change in ipairs(changes) do
    local result = lre_run("lost", words .. change[1])
    test.eq(result.exit, 3)
    test.has(result.err, change[2])
  end
  test.ok(not fs.stat(path), "nothing was written")
  test.eq(lre_run("lost", words:gsub("-q$", "") .. " --limit 5").exit, 0)
  test.ok(fs.stat(path), "run.json is there again")
  assert(fs.write(path, '{"schema":1,"pl'))
  local result = lre_run("lost", (words:gsub("-q$", "")))
  test.eq(result.exit, 0)
  test.has(result.err, "written anew")
  test.eq(count(base, name) - asked, 3 * asked // 5)
end)

test("an_installed_tool_knows_its_commit", function()
  if not test.program:find("/build", 1, true) or not process.run { "cmake", "--version" } then
    return test.skip("cmake or the build folder is not here")
  end
  local at, build = parent() .. "/inst", test.program:match("^(.*)/lre$")
  if assert(process.run { "cmake", "--install", build, "--prefix", at, timeout = 60 }).exit ~= 0 then
    return test.skip("the build folder is not complete")
  end
  local head = process.run { "git", "-C", test.root, "rev-parse", "HEAD" }
  if not head or head.exit ~= 0 then return test.skip("no git repository") end
  test.eq(process.run({ at .. "/bin/lre", "run", "--run-dir", parent(), "--run-id", "inst-run", "-q", "--model",
    "fake/fake-1b", "--suite", "harmful_helpful", timeout = 30 }).exit, 0)
  local info = json.decode(read(parent() .. "/inst-run/run.json"))
  test.eq(info.tool.commit .. "\n", head.out)
end)
