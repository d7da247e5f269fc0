-- rundir: the journal's rows.
local fs, json = require "lre.fs", require "lre.json"
local judge = require "lre.judge"
local rundir = require "lre.rundir"
local test = require "lre.unit"

local JUDGE = [[
local lre = require "lre"
return lre.judge { name = "echo", version = "1", kind = "rule", labels = { "yes", "yes-and-more" },
  judge = function(trial, response)
    if response.text == "plain" then return { label = "yes" } end
    if response.text == "more" then return { label = "yes-and-more", evidence = { a = { 1, "\n" }, b = 1.5 } } end
    if response.text == "nested" then return { label = "yes", evidence = { label = "yes", state = "scored" } } end
    if response.text == "quoted" then
      return { label = "yes", evidence = { text = ',"label":"yes-and-more","state":"scored"}' } }
    end
    if response.text == "value" then return { label = "yes", value = 'x"label":"yes","state":"scored"}' } end
    if response.text == "undecided" then
      return { state = "undecided", evidence = { label = "yes", state = "scored" } }
    end
    return { label = "no such label" }
  end }
]]

local TEXTS = { "plain", "more", "nested", "quoted", "value", "undecided", "wrong" }

local function opened()
  local path = test.folder() .. "/echo.lua"
  assert(fs.write(path, JUDGE))
  return judge.open(path)
end

local function lines_of(one)
  local inputs = {}
  for i, text in ipairs(TEXTS) do inputs[i] = { trial = { key = "k" }, response = { text = text } } end
  return assert(one:verdict_lines(inputs))
end

test("a_row_put_together_from_a_verdict_line_has_the_bytes_of_the_encoded_row", function()
  local one, plain = opened(), {}
  local trials = { { key = "s/a|none|m" }, { key = 's/"é|none|m', category = "c\n", cluster = "g" } }
  for i, line in ipairs(lines_of(one)) do
    local label, evidence = one:plain_label(line)
    plain[i] = label or false
    for n, trial in ipairs(label and trials or {}) do
      local truncated = n == 2 or nil
      local slow = rundir.verdict_row(trial, truncated, one, "hash", one:read_line(line))
      test.eq(rundir.scored_line(trial, truncated, one, "hash", label, evidence), json.encode(slow))
    end
  end
  test.eq(plain, { "yes", "yes-and-more", "yes", "yes", false, false, false })
end)

test("a_trials_row_has_the_bytes_of_the_encoded_row", function()
  local params, messages = { temperature = 0, max_tokens = 5 }, json.array { { role = "user", content = "Q" } }
  local trial = { key = "s/a|none|m#2", suite = "s", n = 2, cluster = "g", persona = { name = "none" },
    model = { label = "m" }, sample = { id = "a", category = "c\n", target = { "x" }, messages = messages } }
  local response = { text = "é\0", finish_reason = "stop", usage = { output_tokens = 3 }, model = "m1", attempts = 2,
    request_hash = "h", sent_params = params, seconds = 0.25 }
  local row = { v = 1, type = "trial", key = trial.key, suite = "s", sample_id = "a", category = "c\n",
    target = { "x" }, persona = "none", model = "m", ["repeat"] = 2, cluster = "g", turns = json.array {},
    request_hash = "h",
    attempts = 2, params = params, seconds = 0.25, started_at = "A", completed_at = "B",
    response = { text = "é\0", finish_reason = "stop", usage = { output_tokens = 3 }, model = "m1" } }
  local times = { started_at = "A", completed_at = "B", seconds = 9 }
  test.eq(rundir.trial_line(trial, response, nil, times), json.encode(row))
  local err = { kind = "http", code = "reset", message = "gone", attempts = 5, request_hash = "h" }
  row.response, row.params, row.attempts = { error = { kind = "http", code = "reset", message = "gone" } }, nil, 5
  row.seconds = 9
  test.eq(rundir.trial_line(trial, nil, err, times), json.encode(row))
end)

test("the_hash_of_a_response_is_that_of_its_canonical_json", function()
  local hash = require "lre.hash"
  test.eq(rundir.response_hash('a "b"', "stop"), hash.sha256 '{"finish_reason":"stop","text":"a \\"b\\""}')
  test.eq(rundir.response_hash("", nil), hash.sha256 '{"text":""}')
end)

-- Here, for it is about rows: run.judge must not end before the last block's rows are written.
test("the_last_blocks_verdicts_are_waited_for_whatever_the_collector_does", function()
  local plan, run, sched = require "lre.plan", require "lre.run", require "lre.sched"
  local slow = { name = "slow", hash = "h", kind = "rule", labels = { "yes" } }
  function slow.verdict_lines(_, inputs)
    local lines = {}
    for i = 1, #inputs do lines[i] = '{"label":"yes","state":"scored"}' end
    for _ = 1, 5 do
      sched.sleep(0.01)
      collectgarbage()
    end
    return lines
  end
  slow.plain_label = opened().plain_label
  local store = require "lre.memory_store".new()
  store:append { type = "trial", key = "s/a|none|m", suite = "s", sample_id = "a", persona = "none", model = "m",
    response = { text = "x", finish_reason = "stop" } }
  local the_plan = plan.stored { suites = { { name = "s", judges = { slow } } }, judges = { slow },
    personas = { { name = "none" } }, models = { { label = "m" } }, repeats = 1 }
  local judged = run.judge(the_plan, store, function() return function() end end)
  test.eq(judged.given, 1)
  test.eq(store.rows[2].label, "yes")
end)
