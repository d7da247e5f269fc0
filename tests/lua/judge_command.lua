-- lre judge: answers that are there, judged again.
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local process = require "lre.process"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local folder = test.folder()
local n = 0

local function shell(command, ...)
  return assert(process.run { "bash", "-c", ("cd %s; %s"):format(folder, command:format(...)), timeout = 100,
    max_bytes = 1 << 27 })
end

local function lre(words, ...)
  return shell(test.program .. " " .. words, ...)
end

local function read(name)
  return assert(fs.read(folder .. "/" .. name, 1 << 28))
end

local function token()
  n = n + 1
  return ("jc%d-%s"):format(n, folder:match "%w+$")
end

local function count(name)
  return math.tointeger(tonumber(assert(http.request { method = "GET", url = test.nginx() .. "/count/" .. name }).body))
end

local function lines_of(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do out[#out + 1] = assert(json.decode(line)) end
  return out
end

local function judge_words(fault, name)
  return ("--judge-model openai/gpt-judge --judge-base-url %s/faults/%s/%s/v1"):format(test.nginx(), fault, name)
end

-- A finished run `id` over HTTP, and the token of its model.
local function run(id, more)
  local name = id .. "-" .. folder:match "%w+$"
  local out = lre("run --model openai/mock --base-url %s/faults/ok/%s/v1 --suite harmful_helpful --run-dir . -q "
    .. "--run-id %s --persona none,docente_paciente %s", test.nginx(), name, id, more or "")
  test.eq(out.exit, 0, out.err)
  return name
end

test("a_run_is_judged_again_without_asking_its_model_and_keeps_its_older_verdicts", function()
  local model = run "first"
  local before, asked, mine = read "first/partials.jsonl", count(model), token()
  local out = lre("judge --in first --judge llm %s --out copy.json", judge_words("judge", mine))
  test.eq(out.exit, 0, out.err)
  test.eq(count(model), asked)
  test.eq(count(mine), 30)
  local after = read "first/partials.jsonl"
  test.eq(after:sub(1, #before), before)
  local results = assert(json.decode(read "first/results.json"))
  test.eq({ #results.rows, results.inputs.judges[1].name, results.inputs.judges[2].name }, { 4, "refusal",
    "refusal_llm" })
  local asks = results.inputs.judges[2].asks
  test.eq({ asks.model.label, asks.model.params.max_tokens, #asks.prompt_hash }, { "openai/gpt-judge", 900, 64 })
  test.eq(read "copy.json", read "first/results.json")
  test.eq(lre("judge --in first --judge llm %s", judge_words("judge", mine)).exit, 0)
  test.eq(count(mine), 30, "verdicts that are there are not asked for again")
  test.eq(read "copy.json", read "first/results.json")
end)

test("judging_while_asking_and_judging_later_give_the_same_results", function()
  local words = judge_words("judge", token())
  local name = token()
  local base = ("--model openai/mock --base-url %s/faults/ok/%s/v1 --suite harmful_helpful --run-dir . -q"):format(
    test.nginx(), name)
  test.eq(lre("run %s --run-id together --judge refusal,llm %s", base, words).exit, 0)
  test.eq(lre("run %s --run-id later --no-judge", base).exit, 0)
  test.eq(lre("judge --in later --judge refusal,llm %s -q", words).exit, 0)
  test.eq(read "later/results.json", read "together/results.json")
  test.eq(count(name), 30)
end)

test("a_resumed_run_keeps_the_judges_that_came_later", function()
  run "again"
  test.eq(lre("judge --in again --judge 'brevity:as=short' --path %s/examples -q", test.root).exit, 0)
  local before = read "again/results.json"
  run "again"
  test.eq(read "again/results.json", before)
end)

test("one_judge_under_two_names_speaks_once_for_both", function()
  run("twice", "--judge refusal --judge refusal:as=again")
  local data = json.decode(read "twice/results.json")
  test.eq({ data.rows[1].judge, data.rows[2].judge }, { "again", "refusal" })
  test.eq(data.rows[1].counts, data.rows[2].counts)
  test.eq(lre("judge --in twice --judge refusal:as=third -q").exit, 0)
  local out = lre "verify twice"
  test.eq(out.exit, 0, out.out)
  test.has(out.out, "30 trials, 30 verdicts given again")
  test.ok(not out.out:find("no verdict", 1, true), out.out)
end)

test("a_verdicts_row_tells_what_was_really_asked", function()
  run("asked", "--judge llm " .. judge_words("judge-second-try", token()))
  for line in read("asked/partials.jsonl"):gmatch "[^\n]+" do
    local row = assert(json.decode(line))
    if row.type == "verdict" then
      test.eq({ row.judge_model, #row.asked, #row.asked[1].request_hash }, { "openai/gpt-judge", 2, 64 })
      test.ok(row.asked[1].usage.input_tokens > 0 and row.asked[2].reply:find "Verdict")
    end
  end
end)

test("a_judges_requests_and_retries_are_counted_apart_also_from_the_journal", function()
  local words = ("run --model fake/fake-1b --suite harmful_helpful --limit 1 --judge llm --run-dir . --run-id retried "
    .. "--judge-model openai/j --judge-base-url %s/faults/500-then-ok/%s/v1"):format(test.nginx(), token())
  local first = lre("%s", words)
  test.has(first.err, "; 1 retry\n")
  -- What it says after the error is no verdict, so it is asked once more.
  test.eq(assert(json.decode(read "retried/timing.json")).judging, { requests = 2, retries = 1 })
  lre("%s", words)
  test.eq(assert(json.decode(read "retried/timing.json")).judging, { requests = 2, retries = 1 })
end)

test("a_judges_error_costs_verdicts_not_the_run_and_the_next_pass_asks_again", function()
  local base = ("run --model openai/mock --base-url %s/v1 --suite harmful_helpful --run-dir . --run-id broken -q")
    :format(test.nginx())
  local out = lre("%s --judge refusal,llm --retries 0 %s", base, judge_words("500", token()))
  test.eq(out.exit, 1)
  local rows = assert(json.decode(read "broken/results.json")).rows
  test.eq({ rows[1].judge, rows[1].judge_errors, rows[2].judge, rows[2].judge_errors }, { "refusal", 0, "refusal_llm",
    15 })
  local mine = token()
  test.eq(lre("judge --in broken --judge llm %s -q", judge_words("judge", mine)).exit, 0)
  test.eq(count(mine), 15)
  rows = assert(json.decode(read "broken/results.json")).rows
  test.eq({ rows[2].judge_errors, rows[2].counts.refused + rows[2].counts.complied }, { 0, 15 })
end)

test("a_slow_judge_holds_no_trials_place", function()
  local base, name = test.nginx(), token()
  running.allow(base, name, 0) -- no verdict comes before three trials are done
  local program = running.start(("bash -c 'cd %s; %s run --model fake/fake-1b --suite harmful_helpful --run-dir . "
    .. "--run-id slow --concurrency 1 --judge llm --judge-model openai/j --judge-base-url %s/hold/%s/v1 -q --limit 5'")
    :format(folder, test.program, base, name))
  running.await("three trials", function() return running.recorded(folder .. "/slow/partials.jsonl") >= 3 end)
  running.allow(base, name)
  local out = program:wait()
  test.eq(out.exit, 1, "its replies are no verdicts")
  local order = {}
  for line in read("slow/partials.jsonl"):gmatch "[^\n]+" do order[#order + 1] = assert(json.decode(line)).type end
  test.eq({ #order, order[1], order[2], order[3] }, { 10, "trial", "trial", "trial" })
end)

test("a_key_that_the_judges_provider_refuses_ends_in_exit_4_with_the_answers_kept", function()
  local out = shell("JKEY=sk-test-judge %s run --model fake/fake-1b --suite harmful_helpful --run-dir . "
    .. "--run-id refused --judge refusal,llm --judge-api-key-env JKEY %s -q", test.program, judge_words("401", token()))
  test.eq(out.exit, 4)
  test.eq(assert(json.decode(read "refused/results.json")).rows[1].judge_errors, 0)
  test.eq(shell("grep -rl sk-test-judge refused | wc -l").out, "0\n")
end)

test("the_judges_key_and_the_candidates_key_go_to_their_own_provider", function()
  local theirs, mine = token(), token()
  local out = shell("CKEY=sk-test-candidate JKEY=sk-test-judge %s run --model openai/mock --api-key-env CKEY "
    .. "--base-url %s/faults/ok/%s/v1 --suite harmful_helpful --limit 2 --run-dir . --run-id keys --judge llm "
    .. "--judge-api-key-env JKEY %s -q", test.program, test.nginx(), theirs, judge_words("judge", mine))
  test.eq(out.exit, 0, out.err)
  for name, key in pairs { [theirs] = "Bearer sk-test-candidate", [mine] = "Bearer sk-test-judge" } do
    local body = assert(http.request { method = "GET", url = test.nginx() .. "/requests/" .. name }).body
    for _, request in ipairs(assert(json.decode(body))) do test.eq(request.headers.authorization, key) end
  end
end)

-- ---- files ----

local ROWS = '{"id":"a","prompt":"Do it?","response":"I cannot help with that."}\n# a comment\n\n'
  .. '{"prompt_id":"b","model":"m","output":"Sure, here it is.","seed":1,"timestamp":0,"generation_seconds":0.5}\n'
  .. '{"prompt_id":"c","model":"m","output":"","seed":1,"timestamp":0,"generation_seconds":-1}\n'
  .. '{"id":4,"messages":[{"role":"user","content":"Q"}],"response":{"text":"","finish_reason":"content_filter"}}\n'

test("a_file_gives_a_line_a_row_in_its_order", function()
  assert(fs.write(folder .. "/rows.jsonl", ROWS))
  test.eq(lre("judge --in rows.jsonl --judge rule --out out.jsonl -q").exit, 0)
  local out = lines_of(read "out.jsonl")
  local short = {}
  for i, line in ipairs(out) do
    short[i] = { line.id, line.judge, line.verdict.state, line.verdict.label or line.verdict.reason.code }
  end
  test.eq(short, { { "a", "refusal", "scored", "refused" }, { "b", "refusal", "scored", "complied" },
    { "c", "refusal", "error", "generation_error" }, { "4", "refusal", "unscored", "filtered" } })
  assert(fs.write(folder .. "/list.json", '[{"id":"a","prompt":"Do it?","response":"I cannot help with that."}]'))
  test.eq(lines_of(lre("judge --in list.json --judge rule -q").out)[1], out[1])
end)

test("a_plain_row_is_shown_to_a_judge_like_any_other", function()
  assert(fs.write(folder .. "/shows.lua", [[
return require("lre").judge { name = "shows", version = "1", kind = "rule", labels = { "seen" },
  judge = function(trial, response)
    return { label = "seen", evidence = { trial = trial, response = response } }
  end }]]))
  local row = '"id":"a \\"1\\"","prompt":"Do\\nit?","response":"é \\u0007 no"'
  assert(fs.write(folder .. "/plain.jsonl", ("{%s}\n{%s,\"note\":1}\n"):format(row, row)))
  local plain, other = lre("judge --in plain.jsonl --judge ./shows.lua -q").out:match "^([^\n]+)\n([^\n]+)\n$"
  test.eq(plain, other)
  test.has(plain, [=["messages":[{"content":"Do\nit?","role":"user"}]]=])
end)

-- Rows of three texts are read where they are judged, all others by the main thread: nobody can tell from outside.
test("rows_of_every_shape_keep_their_order_and_their_line_numbers", function()
  local lines, ids = { "\239\187\191# a comment" }, {}
  for i = 1, 900 do
    local text = i % 7 == 0 and "I can\\u2019t help\\nwith that \\ud83d\\ude00." or "Sure, it is \\\"here\\\"."
    local more = i % 5 == 0 and ',"category":"c"' or ""
    lines[#lines + 1] = ('{"response":"%s","id":"r\\u00e9%d","prompt":"p"%s}%s'):format(text, i, more,
      i % 3 == 0 and "\r" or "")
    if i % 11 == 0 then lines[#lines + 1] = "  " end
    ids[i] = "ré" .. i
  end
  assert(fs.write(folder .. "/mixed.jsonl", table.concat(lines, "\n")))
  local judged = lre "judge --in mixed.jsonl --judge refusal --judge 'refusal:as=again' -q"
  test.eq(judged.exit, 0, judged.err)
  local out, got = lines_of(judged.out), {}
  for i = 1, #out, 2 do
    got[#got + 1] = out[i].id
    test.eq({ out[i].judge, out[i + 1].judge }, { "refusal", "again" })
    test.eq(out[i].verdict, out[i + 1].verdict)
    test.eq(out[i].verdict.label, #got % 7 == 0 and "refused" or "complied")
  end
  test.eq(got, ids)
  lines[#lines + 1] = '{"id":"x","prompt":"p","response":7}'
  assert(fs.write(folder .. "/mixed.jsonl", table.concat(lines, "\n")))
  local bad = lre "judge --in mixed.jsonl --judge refusal -q"
  test.eq(bad.exit, 3)
  test.has(bad.err, ("mixed.jsonl:%d: response: expected string, got integer 7"):format(#lines))
end)

test("a_judge_draws_the_same_numbers_for_a_row_of_any_shape", function()
  assert(fs.write(folder .. "/draws.lua", [[
return require("lre").judge { name = "draws", version = "1", kind = "rule", labels = { "drawn" },
  judge = function() return { label = "drawn", value = math.random(1 << 30) } end }]]))
  local row = '"id":"a","prompt":"é","response":"x\\ny"'
  assert(fs.write(folder .. "/draw.jsonl", ("{%s}\n{%s,\"note\":1}\n"):format(row, row)))
  local plain, other = lre("judge --in draw.jsonl --judge ./draws.lua -q").out:match "^([^\n]+)\n([^\n]+)\n$"
  test.eq(plain, other)
end)

test("several_judges_stand_side_by_side", function()
  assert(fs.write(folder .. "/two.jsonl", '{"id":"a","prompt":"p","response":"I cannot."}\n'
    .. '{"id":"b","prompt":"p","response":"Partly, yes."}\n'))
  local out = lines_of(lre("judge --in two.jsonl --judge refusal --judge llm -q %s", judge_words("judge", token())).out)
  test.eq({ #out, out[1].judge, out[2].judge, out[2].judge_model, out[3].id, out[4].verdict.label },
    { 4, "refusal", "refusal_llm", "openai/gpt-judge", "b", "partial" })
end)

test("a_device_stays_a_device", function()
  assert(fs.write(folder .. "/one.jsonl", '{"id":"a","prompt":"p","response":"I cannot."}\n'))
  shell("mkfifo pipe")
  local out = shell("cat pipe > got & %s judge --in one.jsonl --judge rule --out pipe -q; wait", test.program)
  test.eq({ out.exit, fs.stat(folder .. "/pipe").type, #lines_of(read "got") }, { 0, "other", 1 })
end)

test("serial_and_parallel_give_the_same_bytes", function()
  local rows = {}
  for i = 1, 3000 do
    rows[i] = ('{"id":"r%d","prompt":"question %d","response":"%s %d"}\n'):format(i, i,
      i % 3 == 0 and "I'm sorry, but I can't help with that." or "Sure, here is how:", i)
  end
  assert(fs.write(folder .. "/many.jsonl", table.concat(rows)))
  for _, threads in ipairs { 1, 2, 7 } do
    test.eq(lre("judge --in many.jsonl --judge rule --threads %d --out many%d -q", threads, threads).exit, 0)
  end
  test.eq(read "many2", read "many1")
  test.eq(read "many7", read "many1")
  local lines = lines_of(read "many1")
  test.eq({ #lines, lines[3000].id, lines[3000].verdict.label }, { 3000, "r3000", "refused" })
end)

test("a_bad_row_is_named_by_file_line_and_field_and_nothing_is_sent", function()
  local cases = {
    ['{"id":"a","prompt":"p","response":"x"}\n{"id":"b","prompt":"p"}\n'] = "bad.jsonl:2: response: expected response",
    ['{"prompt":"p","response":"x"}\n'] = "bad.jsonl:1: id: expected id or prompt_id",
    ['{"id":"a","response":7}\n'] = "bad.jsonl:1: response: expected string, got integer 7",
    ['{"id":"a","response":"x","messages":[7]}\n'] = "bad.jsonl:1: messages[1]: expected { role, content }",
    ["[1]\n"] = "expected an object, got integer 1",
    ["\n{]\n"] = "bad.jsonl:2: ",
    ['{"id":"a","response":"x"}\n'] = "a model judge is shown the prompt beside the answer, and this row has none",
  }
  for text, message in pairs(cases) do
    local mine = token()
    assert(fs.write(folder .. "/bad.jsonl", text))
    local out = lre("judge --in bad.jsonl --judge llm --out never %s", judge_words("judge", mine))
    test.eq({ out.exit, count(mine), fs.stat(folder .. "/never") }, { 3, 0, nil }, text)
    test.has(out.err, message)
  end
end)

test("verdicts_of_a_file_are_cached_by_content", function()
  assert(fs.write(folder .. "/kept.jsonl", '{"id":"a","prompt":"p","response":"I cannot."}\n'))
  local mine = token()
  local words = ("judge --in kept.jsonl --judge llm %s --cache kept"):format(judge_words("judge", mine))
  local first = lre(words)
  test.has(first.err, "cache    0 hits, 1 miss, 1 write")
  local second = lre(words .. " --offline")
  test.has(second.err, "cache    1 hit, 0 misses, 0 writes")
  test.eq({ second.out, count(mine) }, { first.out, 1 })
end)
