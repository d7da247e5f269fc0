-- resume, salvage, shards and merge: a run that goes on, is mended, or is joined from parts ends in the same bytes.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local FINALS = { "results.json", "results.csv", "results.parquet" }
local folder

local function parent()
  folder = folder or test.folder()
  return folder
end

local function path(id, name)
  return ("%s/%s%s"):format(parent(), id, name and "/" .. name or "")
end

local function sh(words, ...)
  return assert(process.run { "bash", "-c", test.program .. " " .. words:format(...), timeout = 240,
    max_bytes = 1 << 26 })
end

local function run(id, words)
  return sh("run -q --run-dir %s --run-id %s %s", parent(), id, words)
end

local function finals(id)
  local out = {}
  for _, name in ipairs(FINALS) do out[name] = assert(fs.read(path(id, name), 1 << 28)) end
  return out
end

local function same(a, b)
  local x, y = finals(a), finals(b)
  for _, name in ipairs(FINALS) do test.ok(x[name] == y[name], ("%s of %s and %s differ"):format(name, a, b)) end
end

local PLAN = "--model fake/fake-1b,fake/fake-7b --suite harmful_helpful --persona docente_paciente "

local function lines(id)
  return select(2, assert(fs.read(path(id, "partials.jsonl"), 1 << 28)):gsub("\n", ""))
end

test("a_run_goes_on_with_the_flags_that_it_began_with", function()
  local base = test.nginx()
  local words = ("--model openai/mock --base-url %s/hold/goes-on/v1 --suite harmful_helpful --temperature 0.5 --judge "
    .. "%s/examples/brevity.lua:max_words=9 --concurrency 2"):format(base, test.root)
  running.allow(base, "goes-on", 4)
  local first = running.start(("%s run -q --run-dir %s --run-id on %s"):format(test.program, parent(), words))
  running.held(base, "goes-on", path("on", "partials.jsonl"), 4, 6)
  first:signal "KILL"
  first:wait()
  running.allow(base, "goes-on")
  local resumed = sh("resume %s/ --concurrency 5", path "on")
  test.eq(resumed.exit, 0, resumed.err)
  test.has(resumed.err, "4 have an answer, 11 are left")
  test.eq(running.asked(base, "goes-on"), 15 + 2)
  test.eq(run("at-once", words).exit, 0)
  same("on", "at-once")
end)

test("a_resumed_run_that_is_whole_asks_nothing_and_keeps_its_bytes", function()
  run("done", PLAN)
  local before, n = finals "done", lines "done"
  test.eq(sh("resume -q %s", path "done").exit, 0)
  test.eq(finals "done", before)
  test.eq(lines "done", n)
end)

test("generating_and_judging_resume_apart", function()
  run("apart", PLAN .. "--no-judge")
  test.eq(#json.decode(fs.read(path("apart", "results.json"))).rows, 0)
  local n = lines "apart"
  test.eq(run("apart", PLAN).exit, 0)
  run("together", PLAN)
  test.eq(lines "apart", 2 * n)
  same("apart", "together")
end)

test("what_makes_it_another_run_is_refused", function()
  run("other", PLAN)
  local refused = sh("resume -q %s --seed 7", path "other")
  test.eq(refused.exit, 3)
  test.has(refused.err, "seed differs")
  test.eq(sh("resume %s --fresh", path "other").exit, 2)
  local nowhere = sh("resume %s", path "nowhere")
  test.eq(nowhere.exit, 3)
  test.has(nowhere.err, "run.json")
end)

test("salvage_makes_everything_again_from_the_journal_and_inputs_alone", function()
  run("lost", PLAN .. "--judge refusal")
  local want = finals "lost"
  for _, name in ipairs { "run.json", "state.sqlite", "timing.json", "results.json", "results.csv",
    "results.parquet" } do assert(fs.remove(path("lost", name))) end
  local out = sh("salvage %s", path "lost")
  test.eq(out.exit, 0, out.err)
  test.has(out.err, "60 of 60 trials, described by inputs/")
  test.eq(finals "lost", want)
  test.ok(fs.stat(path("lost", "run.json")) and fs.stat(path("lost", "timing.json")))
  test.eq(sh("verify %s", path "lost").exit, 0)
end)

test("salvage_names_the_lines_that_it_leaves_out_and_keeps_the_rest", function()
  run("hurt", PLAN)
  local journal = path("hurt", "partials.jsonl")
  local all = {}
  for line in assert(fs.read(journal)):gmatch "[^\n]+" do all[#all + 1] = line end
  local twice = all[1]
  all[5] = all[5]:sub(1, 40)
  all[7] = '{"v":7,"type":"trial","key":"of the future"}'
  all[9] = '{"hello":"I am someone else"}'
  all[#all + 1] = twice
  assert(fs.write(journal, table.concat(all, "\n") .. '\n{"v":1,"type":"tri'))
  local out = sh("salvage %s", path "hurt")
  test.eq(out.exit, 0)
  for _, said in ipairs { "partials.jsonl:5: left out", "partials.jsonl:7: left out: v: expected at most 1, found 7",
    "partials.jsonl:9: left out: is no row of a run", "has an answer already", "the last line was torn (18 bytes)",
    "3 lines were left out" } do test.has(out.err, said) end
  test.eq(sh("resume -q %s", path "hurt").exit, 0)
  run("unhurt", PLAN)
  same("hurt", "unhurt")
end)

test("a_run_id_that_leads_out_of_the_folder_is_refused", function()
  for _, id in ipairs { "../x", "a/b", "..", "." } do
    local out = run(id, PLAN)
    test.eq({ out.exit, out.err:match "%-%-run%-id: expected" }, { 2, "--run-id: expected" }, id)
  end
end)

test("shards_are_disjoint_and_joined_they_are_the_whole", function()
  run("whole", PLAN .. "--repeats 2")
  local keys, total = {}, 0
  for i = 1, 3 do
    local id = "part" .. i
    test.eq(run(id, PLAN .. "--repeats 2 --shard " .. i .. "/3").exit, 0)
    for key in fs.read(path(id, "partials.jsonl")):gmatch '"key":"([^"]+)"[^\n]*"type":"trial"' do
      test.eq(keys[key], nil)
      keys[key], total = i, total + 1
    end
    test.has(fs.read(path(id, "results.json")), ("[shard %d/3]"):format(i))
  end
  test.eq(total, 120)
  local out = sh("merge %s %s %s --out %s", path "part3", path "part1", path "part2", path "joined")
  test.eq(out.exit, 0, out.err)
  same("joined", "whole")
  test.eq(sh("verify %s", path "joined").exit, 0)
end)

test("a_merge_without_all_shards_says_what_is_missing_and_can_be_resumed", function()
  run("whole2", PLAN)
  for i = 1, 2 do run("half" .. i, PLAN .. "--shard " .. i .. "/2") end
  local out = sh("merge %s --out %s", path "half2", path "half")
  test.eq(out.exit, 1)
  test.has(out.err, "of 60 trials")
  test.eq(sh("resume -q %s", path "half").exit, 0)
  same("half", "whole2")
  test.has(sh("merge %s %s --out %s", path "half1", path "half2", path "half").err, "is there already")
end)

test("runs_of_two_plans_are_not_merged", function()
  run("seed1", PLAN)
  run("seed2", PLAN .. "--seed 2")
  local out = sh("merge %s %s --out %s", path "seed1", path "seed2", path "mixed")
  test.eq(out.exit, 3)
  test.has(out.err, "seed")
  test.ok(not fs.stat(path "mixed"))
end)

test("a_merge_keeps_answers_over_errors_and_the_first_of_two", function()
  local base = test.nginx()
  local words = ("--model openai/mock --base-url %s/faults/500-then-ok/merge/v1 --suite harmful_helpful --retries 0 "
    .. "--limit 3 --concurrency 1"):format(base)
  test.eq(run("error", words).exit, 1) -- the first request of the token fails
  test.eq(run("good", words).exit, 0)
  for _, order in ipairs { { "good", "error" }, { "error", "good" } } do
    local id = "over-" .. order[1]
    local out = sh("merge %s %s --out %s", path(order[1]), path(order[2]), path(id))
    test.eq(out.exit, 0, out.err)
    test.has(out.err, "2 answers were there twice")
    same(id, "good")
  end
end)

test("a_shard_that_is_none_is_refused", function()
  for _, shard in ipairs { "0/3", "4/3", "x", "1", "1/0" } do
    local out = run("never", PLAN .. "--shard " .. shard)
    test.eq(out.exit, 2)
    test.has(out.err, "--shard: expected I/N")
  end
end)

test("a_run_of_a_process_that_is_gone_is_taken_over_and_of_another_host_that_is_said", function()
  run("left", PLAN .. "--limit 2")
  local lock = path("left", "run.lock")
  test.ok(not fs.stat(lock), "a run that ends takes its note away")
  local host = require "lre.platform".hostname()
  assert(fs.write(lock, json.encode { pid = 999999999, host = host, since = "2026-01-01T00:00:00Z" }))
  local out = sh("resume %s", path "left")
  test.eq({ out.exit, out.err:find("taken over", 1, true) }, { 0 })
  assert(fs.write(lock, json.encode { pid = 7, host = "elsewhere", since = "2026-01-01T00:00:00Z" }))
  out = sh("resume %s", path "left")
  test.eq(out.exit, 0)
  test.has(out.err, "process 7 on host elsewhere has this run, but the lock is free: taken over")
  test.ok(not fs.stat(lock))
end)

test("the_second_process_is_told_pid_and_host_of_the_first", function()
  local base = test.nginx()
  running.allow(base, "two", 0)
  local words = ("--model openai/mock --base-url %s/hold/two/v1 --suite harmful_helpful --limit 2"):format(base)
  local first = running.start(("%s run -q --run-dir %s --run-id two %s"):format(test.program, parent(), words))
  running.await("its request", function() return running.asked(base, "two") > 0 end)
  local refused = { run("two", words), sh("resume %s", path "two"), sh("salvage %s", path "two") }
  running.allow(base, "two")
  test.eq(first:wait().exit, 0)
  for _, out in ipairs(refused) do
    test.eq(out.exit, 4)
    test.has(out.err, ("process %s on host %s"):format(first.pid, require "lre.platform".hostname()))
  end
end)

test("a_clock_that_jumps_changes_no_result", function()
  run("steady", PLAN)
  local command = ("run -q --run-dir %s --run-id jumps %s"):format(parent(), PLAN)
  for _, epoch in ipairs { "4102444800", "1" } do
    local out = assert(process.run { "bash", "-c", ("SOURCE_DATE_EPOCH=%s %s %s --limit 7"):format(epoch, test.program,
      command), timeout = 240 })
    test.eq(out.exit, 0, out.err)
  end
  test.eq(sh(command).exit, 0)
  same("jumps", "steady")
end)
