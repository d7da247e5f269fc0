-- lre rejudge: a run's own judges again, about what is missing, undecided, or all; the newest verdict counts.
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local test = require "lre.unit"

local folder = test.folder()
local n_runs = 0

local suite = folder .. "/four.jsonl"
do
  local lines = {}
  for i, prompt in ipairs { "I can't do that.", "Maybe so.", "Sure, here it is.", "Maybe not." } do
    lines[i] = json.encode { id = "q" .. i, prompt = prompt, category = "harmful" }
  end
  assert(fs.write(suite, table.concat(lines, "\n") .. "\n"))
end

local function count(token)
  return tonumber(assert(http.request { method = "GET", url = test.nginx() .. "/count/" .. token }).body)
end

local function judged_by(fault, token)
  return "--judge-model", "openai/" .. token, "--judge-base-url",
    ("%s/faults/%s/%s/v1"):format(test.nginx(), fault, token)
end

-- A run of echoes, judged by refusal_llm over a fault; its folder.
local function run(fault, token)
  n_runs = n_runs + 1
  local id = "run" .. n_runs
  local words = { "run", "--suite", suite, "--model", "openai/echo", "--base-url", test.nginx() .. "/faults/echo/v1",
    "--judge", "refusal_llm", "--run-dir", folder, "--run-id", id, "-q" }
  for _, word in ipairs { judged_by(fault, token) } do words[#words + 1] = word end
  test.lre(table.unpack(words))
  return folder .. "/" .. id
end

local function row(path)
  return assert(json.decode(assert(fs.read(path .. "/results.json")))).rows[1]
end

local function figures(path)
  local r = row(path)
  return { r.counts.refused, r.counts.complied, r.undecided, r.unscored, r.judge_errors }
end

local function token(name)
  return name .. folder:match "%w+$"
end

test("a_budget_that_ends_between_answer_and_verdict_lists_the_verdicts_that_are_missing", function()
  local name = token "b1"
  local id = "budget" .. name
  local words = { "run", "--suite", suite, "--model", "openai/echo", "--base-url", test.nginx() .. "/faults/echo/v1",
    "--judge", "refusal_llm", "--run-dir", folder, "--run-id", id, "--concurrency", "1", "--budget-requests", "5" }
  for _, word in ipairs { judged_by("judge", name) } do words[#words + 1] = word end
  local out = test.lre(table.unpack(words))
  test.eq(out.exit, 1, out.err)
  test.has(out.err, "--budget-requests: 5 requests of 5 requests are spent")
  local judged = count(name)
  local trials = out.err:match "missing  (%d+) trials" or 0
  test.eq(5 - judged, 4 - trials) -- the others are answers
  test.has(out.err, ("missing  %d verdicts of judge refusal_llm\n         four/q"):format(4 - trials - judged))
  local rest = test.lre("resume", folder .. "/" .. id, "--budget-requests", "50")
  test.eq(rest.exit, 0, rest.err)
  test.has(rest.err, "off: 0 hits, 3 misses") -- of this session
end)

test("a_budget_holds_over_a_run_and_what_is_judged_later", function()
  local name = token "b2"
  local path = run("judge-never", name) -- four answers, and each verdict asked for twice
  local out = test.lre("rejudge", path, "--budget-requests", "15", judged_by("judge", name .. "x"))
  test.eq(out.exit, 1, out.err)
  test.eq(count(name .. "x"), 3)
  test.has(out.err, "budget   15 of 15 requests")
  test.has(out.err, "missing  1 verdicts of judge refusal_llm\n         four/q")
  test.eq(test.lre("rejudge", path, "-q", "--budget-requests", "15", judged_by("judge", name .. "x")).exit, 1)
  test.eq(count(name .. "x"), 3)
  test.eq(test.lre("rejudge", path, "-q", "--budget-requests", "16", judged_by("judge", name .. "x")).exit, 0)
  test.eq(count(name .. "x"), 4)
  local other = test.lre("judge", "--in", path, "--judge", "refusal_llm:as=b", "--budget-requests", "18",
    judged_by("judge", name .. "y"))
  test.eq(other.exit, 1, other.err)
  test.eq(count(name .. "y"), 2)
  test.has(other.err, "missing  2 verdicts of judge b")
  local unknown = test.lre("rejudge", path, "--budget-usd", "1", judged_by("judge", name .. "z"))
  test.eq(unknown.exit, 3)
  test.has(unknown.err, "is not known, so nothing was sent")
  test.eq(test.lre("judge", "--in", suite, "--budget-requests", "1").exit, 2)
end)

test("missing_asks_only_about_what_has_no_usable_verdict_and_older_ones_stay_in_the_journal", function()
  local name = token "m1"
  local path = run("judge-never", name)
  test.eq(figures(path), { 0, 0, 0, 4, 0 })
  local asked = count(name)
  test.eq(asked, 8)
  local out = test.lre("rejudge", path, "-q")
  test.eq(out.exit, 0, out.err)
  test.has(out.err, "named by the run")
  test.eq(count(name), 16) -- unreadable replies are asked for again, of the same model
  test.eq(test.lre("rejudge", path, "-q", judged_by("judge", token "m2")).exit, 0)
  test.eq(figures(path), { 1, 1, 2, 0, 0 })
  test.eq(count(token "m2"), 4)
  test.eq(test.lre("rejudge", path, "-q", judged_by("judge", token "m2")).exit, 0)
  test.eq(count(token "m2"), 4) -- nothing is missing any more
  test.eq(test.lre("verify", path).exit, 0)
end)

test("undecided_asks_about_those_alone_and_the_rest_keeps_its_verdicts", function()
  local path = run("judge", token "u1")
  test.eq(figures(path), { 1, 1, 2, 0, 0 })
  local out = test.lre("rejudge", path, "-q", "--only", "undecided", judged_by("verdict-refused", token "u2"))
  test.eq(out.exit, 0)
  test.eq(count(token "u2"), 2)
  test.eq(figures(path), { 3, 1, 0, 0, 0 })
  local judges = assert(json.decode(assert(fs.read(path .. "/results.json")))).inputs.judges
  test.eq({ #judges, #judges[1].also, judges[1].asks.model.label }, { 1, 1, "openai/" .. token "u2" })
  test.eq(test.lre("verify", path).exit, 0)
  -- Tables and reports see the same.
  local csv = assert(fs.read(path .. "/results.csv"))
  test.eq(select(2, csv:gsub("refused,", "")), 3)
  out = test.lre("report", path, "--format", "json")
  test.eq(json.decode(out.out).rows[1].counts.refused, 3)
end)

test("a_resume_does_not_put_the_judge_back_that_another_speaks_for", function()
  local path = run("judge", token "r1")
  test.lre("rejudge", path, "-q", "--only", "undecided", judged_by("verdict-refused", token "r2"))
  local before = assert(fs.read(path .. "/results.json"))
  test.lre("run", "--suite", suite, "--model", "openai/echo", "--base-url", test.nginx() .. "/faults/echo/v1",
    "--judge", "refusal_llm", "--run-dir", folder, "--run-id", path:match "[^/]+$", "-q",
    judged_by("judge", token "r1"))
  test.eq(assert(fs.read(path .. "/results.json")), before)
end)

test("the_newest_verdict_is_shown_also_where_the_first_judge_spoke_last", function()
  local path = run("judge", token "n1")
  test.lre("rejudge", path, "-q", "--only", "all", judged_by("verdict-refused", token "n2"))
  test.eq(figures(path), { 4, 0, 0, 0, 0 })
  test.lre("rejudge", path, "-q", "--only", "all", judged_by("judge", token "n1"))
  test.eq(figures(path), { 1, 1, 2, 0, 0 })
  local labels = {}
  for label in test.lre("report", path, "--format", "jsonl").out:gmatch '"label":"(%a+)","state"' do
    labels[#labels + 1] = label
  end
  table.sort(labels)
  test.has(table.concat(labels, " "), "complied")
  test.eq(select(2, assert(fs.read(path .. "/results.csv")):gsub(",refused,", "")), 1)
end)

test("all_asks_about_every_answer_again", function()
  local path = run("judge", token "a1")
  test.eq(test.lre("rejudge", path, "-q", "--only", "all").exit, 0)
  test.eq(count(token "a1"), 8)
  test.eq(figures(path), { 1, 1, 2, 0, 0 })
end)

test("what_cannot_be_judged_again_is_refused", function()
  test.eq(test.lre("rejudge", folder).exit, 3)
  test.eq(test.lre("rejudge", folder .. "/nothing").exit, 4)
  test.eq(test.lre("rejudge", folder, "--only", "some").exit, 2)
  test.eq(test.lre("rejudge").exit, 2)
end)
