-- Progress while a run goes on, and lre status from another process.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local http = require "lre.http"
local progress = require "lre.progress"
local test = require "lre.unit"

local folder
local function parent()
  if not folder then
    folder = test.folder()
    local lines = {}
    for i = 1, 12 do lines[i] = ('{"id":"p%02d","text":"invented question %d"}\n'):format(i, i) end
    assert(fs.write(folder .. "/suite.jsonl", table.concat(lines)))
  end
  return folder
end

local function words(url, id, more)
  return ("exec %s run --model openai/gpt-4o-mini --base-url %s --suite %s/suite.jsonl --run-dir %s/runs "
    .. "--run-id %s %s"):format(test.program, url, parent(), parent(), id, more)
end

local function run(...)
  return assert(process.run { "bash", "-c", words(...), timeout = 120, max_bytes = 1 << 24 })
end

local function states(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do
    if line:sub(1, 1) == "{" then out[#out + 1] = assert(json.decode(line)) end
  end
  return out
end

test("as_json_the_first_line_comes_at_once_and_the_last_one_says_what_was_done", function()
  local out = run(test.mock(""), "json", "--progress json")
  local list = states(out.err)
  local first, last = list[1], list[#list]
  test.eq(first.done, 0)
  test.eq(first.total, 12)
  test.eq(last.done, 12)
  test.eq(last.ended, true)
  test.eq(last.errors, 0)
  test.ok(last.tokens.input > 0 and last.tokens.output > 0)
  test.ok(last.usd > 0, "gpt-4o-mini has a price")
  test.eq(fs.stat(parent() .. "/runs/json/status.json"), nil)
end)

test("refusals_and_failures_are_counted_and_the_first_ones_shown", function()
  local out = run(test.mock("--script 429-always"), "failing", "--progress plain --retries 1")
  test.eq(out.exit, 1)
  test.has(out.err, "12 x 429")
  test.has(out.err, "12 failed")
  test.has(out.err, "suite/p01|none|openai/gpt-4o-mini")
  test.has(out.err, "more trials failed; run.log has them all")
end)

test("a_bar_is_drawn_over_and_cleared_and_model_text_cannot_reach_the_terminal", function()
  local out = run(test.mock("--latency 0.15"), "bar", "--progress bar --concurrency 2")
  test.ok(out.err:find("\r\27[K[", 1, true), "the bar is drawn")
  test.has(out.err, "/12;")
  test.eq(out.err:match "\r\27%[K([^\r]*)$":sub(1, 1) ~= "[", true) -- what follows is not a bar
end)

test("none_and_quiet_say_nothing", function()
  local url = test.mock("")
  test.eq(run(url, "quiet", "-q").err, "")
  test.eq(#states(run(url, "none", "--progress none").err), 0)
end)

test("a_line_says_who_waits_for_what", function()
  local line = progress.words { done = 3, total = 9, rate = 0.5, seconds_left = 4000, in_flight = 2, budget_waiting = 1,
    rate_limited = 7, errors = 1, tokens = { input = 123456, output = 99 }, usd = 0.25, waiting = {
      { provider = "openai", paused = 12.2, rate = 5, retry = 1, connection = 0 },
      { provider = "anthropic", rate = 3, retry = 0, connection = 4, limit = 2 } } }
  test.eq(line, "3/9; 0.5/s; 1:06:40 left; 2 in flight; openai paused for 0:13, 5 held, 1 before a retry; "
    .. "anthropic 3 for the rate, 4 for a place of 2; 1 for the budget; 7 x 429; 1 failed; tokens 123k in, 99 out; "
    .. "$0.2500")
end)

-- ---- lre status ----

local function status(id)
  local out = test.lre("status", ("%s/runs/%s"):format(parent(), id), "--json")
  test.eq(out.exit, 0, out.err)
  return json.decode(out.out)
end

local function set_script(url, name)
  assert(http.request { method = "POST", url = url:gsub("/v1$", "") .. "/_mock",
    body = ('{"script":"%s"}'):format(name) })
end

test("status_tells_of_a_run_that_goes_on_that_was_stopped_and_that_is_done", function()
  local url = test.mock("")
  local path = parent() .. "/runs/live"
  test.eq(run(url, "live", "-q --limit 5").exit, 0)
  local first = status "live"
  test.eq(first.state, "finished")
  test.eq(first.answered, 5)
  local waits = parent() .. "/waits.lua"
  assert(fs.write(waits, 'return require("lre").mock { name = "waits", '
    .. "reply = function(ask, m) return m.limited(ask, { seconds = 30 }) end }"))
  set_script(url, waits)
  -- It cannot end by itself before it is looked at: everything is refused for half a minute, ninety times.
  local command = words(url, "live", "-q --retries 90"):gsub("^exec ", "")
  local script = ("%s & pid=$!; until [ -s %s/status.json ] || ! kill -0 $pid; do sleep 0.05; done; "
    .. "%s status %s --json; kill -9 $pid; wait $pid; true"):format(command, path, test.program, path)
  local seen = assert(json.decode(assert(process.run { "bash", "-c", script, timeout = 120 }).out))
  test.eq(seen.state, "running")
  test.eq(math.type(seen.holder), "integer")
  test.eq(seen.answered, 5)
  test.eq(seen.live.total, 12)
  test.ok(seen.live.rate_limited > 0)
  local killed = status "live"
  test.eq(killed.state, "stopped")
  test.eq(killed.live, nil) -- what the dead process left is not shown as if it were so
  set_script(url, "calm")
  test.eq(run(url, "live", "-q").exit, 0)
  local done = status "live"
  test.eq(done.state, "finished")
  test.eq(done.answered, 12)
  test.eq(done.planned, 12)
end)

test("status_names_the_first_errors_and_what_verdicts_there_are", function()
  local out = run(test.mock("--script unauthorized"), "refused", "-q --concurrency 1")
  test.eq(out.exit, 4)
  local told = test.lre("status", parent() .. "/runs/refused").out
  test.has(told, "1 auth")
  test.has(told, "error    suite/p01|none|openai/gpt-4o-mini: status 401")
  test.has(told, "go on")
end)

test("what_is_no_run_is_refused", function()
  local out = test.lre("status", parent())
  test.eq(out.exit, 3)
  test.has(out.err, "is no run")
end)
