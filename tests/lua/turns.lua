-- Conversations with turns that are generated: each in order, kept in the journal, and none asked for twice.
local fs = require "lre.fs"
local http = require "lre.http"
local json = require "lre.json"
local row = require "lre.row"
local test = require "lre.unit"
local turns = require "lre.turns"

local folder = test.folder()
local n_tokens = 0

local GENERATE = { role = "assistant", generate = true }

local function user(text)
  return { role = "user", content = text }
end

local function suite_file(name, messages)
  local path = ("%s/%s.jsonl"):format(folder, name)
  assert(fs.write(path, json.encode { id = "t1", category = "hhh", messages = json.array(messages) } .. "\n"))
  return path
end

local three = { { role = "system", content = "Be brief." }, user "one", GENERATE, user "two", GENERATE, user "three" }

-- ---- reading ----

local function problem(messages)
  local sample, problems = row.normalise { id = "x", messages = json.array(messages) }
  return sample and "none" or problems[1].field .. ": " .. problems[1].detail
end

test("only_the_assistants_turns_are_generated_and_only_after_the_user_spoke", function()
  test.eq(problem(three), "none")
  test.has(problem { user "x", { role = "user", generate = true } }, "messages[2].generate: only the assistant's")
  test.has(problem { GENERATE, user "x" }, "messages[1].generate: the user must have said something before")
  test.has(problem { user "x", { role = "assistant", content = "y", generate = true }, user "z" },
    "messages[2].content: is there beside generate")
  test.has(problem { user "x", { role = "assistant" }, user "z" }, "messages[2].content: expected text")
end)

test("a_last_turn_that_is_to_be_filled_is_the_answer_itself", function()
  local sample = row.normalise { id = "x", messages = json.array { user "x", GENERATE } }
  test.eq({ #sample.messages, sample.messages[1].content }, { 1, "x" })
end)

test("turns_are_filled_in_order_up_to_the_first_that_is_open", function()
  test.eq(#turns.fill(three), 2)
  local one = turns.fill(three, { { text = "a" } })
  test.eq({ #one, one[3].content, one[3].generate }, { 4, "a" })
  local all = turns.fill(three, { { text = "a" }, { text = "b" } })
  test.eq({ #all, all[5].content }, { 6, "b" })
end)

-- ---- asking ----

local function get(path)
  return assert(json.decode(assert(http.request { method = "GET", url = test.nginx() .. path }).body))
end

local function asked(token)
  local bodies = {}
  for i, request in ipairs(get("/requests/" .. token)) do bodies[i] = assert(json.decode(request.body)) end
  return bodies
end

local function new_token()
  n_tokens = n_tokens + 1
  return ("turns%d-%s"):format(n_tokens, folder:match "%w+$")
end

local function run(id, path, fault, token, ...)
  return test.lre("run", "--dataset", path, "--model", "openai/mock", "--base-url",
    ("%s/faults/%s/%s/v1"):format(test.nginx(), fault, token), "--run-dir", folder, "--run-id", id, "-q", ...)
end

local function rows(id)
  local out = {}
  for line in fs.lines(("%s/%s/partials.jsonl"):format(folder, id), 1 << 20) do out[#out + 1] = json.decode(line) end
  return out
end

test("each_turn_is_asked_with_the_ones_before_it_and_the_usage_is_of_all", function()
  local token = new_token()
  local out = run("three", suite_file("three", three), "echo", token)
  test.eq(out.exit, 0, out.err)
  local bodies = asked(token)
  test.eq({ #bodies, #bodies[1].messages, #bodies[2].messages, #bodies[3].messages }, { 3, 2, 4, 6 })
  test.eq({ bodies[3].messages[3].content, bodies[3].messages[5].content, bodies[3].messages[3].generate },
    { "one", "two" })
  local all = rows "three"
  local trial
  for _, one in ipairs(all) do
    if one.type == "trial" then trial = one end
  end
  test.eq({ trial.response.text, #trial.turns, trial.turns[1].text, trial.turns[2].text }, { "three", 2, "one", "two" })
  local usage, sum = trial.response.usage, 0
  for _, turn in ipairs(trial.turns) do sum = sum + turn.usage.output_tokens end
  test.eq(usage.output_tokens, sum + 2) -- "three" is two tokens to the mock
  test.eq({ trial.attempts, #trial.request_hash }, { 1, 64 })
  test.ok(trial.request_hash ~= trial.turns[1].request_hash)
end)

test("a_run_with_turns_verifies_is_reproduced_and_counts_one_trial", function()
  local out = test.lre("verify", folder .. "/three")
  test.eq(out.exit, 0, out.out)
  local data = assert(json.decode(assert(fs.read(folder .. "/three/results.json"))))
  test.eq({ data.trials.planned, data.trials.recorded, data.rows[1].total }, { 1, 1, 1 })
  out = test.lre("reproduce", folder .. "/three", "--exec", "--run-dir", folder .. "/again")
  test.has(out.out .. out.err, "identical")
end)

test("a_resumed_conversation_goes_on_after_its_last_good_turn", function()
  local token, path = new_token(), suite_file("fails", { user "one", GENERATE, user "two" })
  local out = run("fails", path, "echo-second-turn-fails", token, "--retries", "0", "--no-judge")
  test.eq(out.exit, 1)
  test.eq(#asked(token), 2)
  out = run("fails", path, "echo-second-turn-fails", token, "--retries", "0", "--no-judge")
  test.eq(out.exit, 0, out.err)
  local bodies = asked(token)
  test.eq({ #bodies, #bodies[3].messages }, { 3, 3 })
  local last = rows "fails"
  last = last[#last]
  test.eq({ last.response.text, last.turns[1].text }, { "You said: two", "You said: one" })
end)

test("a_run_that_was_killed_between_two_turns_asks_only_for_what_is_missing", function()
  local token, path = new_token(), suite_file("killed", { user "one", GENERATE, user "two" })
  test.eq(run("killed", path, "echo", token, "--no-judge").exit, 0)
  local journal = folder .. "/killed/partials.jsonl"
  local first = assert(fs.read(journal)):match "^[^\n]*\n"
  test.has(first, '"code":"unfinished"')
  assert(fs.write(journal, first))
  test.eq(test.lre("report", folder .. "/killed", "--format", "json").exit, 0)
  test.eq(run("killed", path, "echo", token, "--no-judge").exit, 0)
  test.eq(#asked(token), 3) -- two, and the one that was missing
  local data = assert(json.decode(assert(fs.read(folder .. "/killed/results.json"))))
  test.eq({ data.trials.planned, data.trials.recorded }, { 1, 1 })
end)

test("a_filtered_turn_is_the_trials_answer_and_an_empty_one_its_error", function()
  local token, path = new_token(), suite_file("filtered", { user "one", GENERATE, user "two" })
  run("filtered", path, "content-filter", token)
  local data = assert(json.decode(assert(fs.read(folder .. "/filtered/results.json"))))
  test.eq({ data.rows[1].filtered, data.rows[1].total, #asked(token) }, { 1, 1, 1 })
  test.eq(test.lre("verify", folder .. "/filtered").exit, 0)
  run("empty", path, "null-content", new_token())
  data = assert(json.decode(assert(fs.read(folder .. "/empty/results.json"))))
  test.eq({ data.rows[1].generation_errors, data.rows[1].total }, { 1, 1 })
end)

test("a_dry_run_says_how_many_turns_are_generated_and_sends_nothing", function()
  local out = test.lre("run", "--dataset", folder .. "/three.jsonl", "--model", "fake/f", "--dry-run")
  local line = assert(json.decode(out.out))
  test.eq({ line.generated_turns, #line.messages, #line.request_hash }, { 2, 6, 64 })
end)

test("the_fake_model_and_anthropics_shape_hold_conversations_too", function()
  test.eq(test.lre("run", "--dataset", folder .. "/three.jsonl", "--model", "fake/f", "--run-dir", folder, "--run-id",
    "fake", "-q").exit, 0)
  test.eq(#rows("fake")[3].turns, 2)
  local token = new_token()
  local out = test.lre("run", "--dataset", folder .. "/three.jsonl", "--model", "anthropic/mock", "--base-url",
    ("%s/faults/echo/%s/v1"):format(test.nginx(), token), "--run-dir", folder, "--run-id", "claude", "-q")
  test.eq(out.exit, 0, out.err)
  test.eq(#asked(token)[3].messages, 5)
end)

test("a_plan_counts_a_request_for_each_generated_turn_in_every_shape", function()
  for _, name in ipairs { "openai/m", "anthropic/m", "gemini/m", "ollama/m" } do
    local out = test.lre("plan", "--dataset", folder .. "/three.jsonl", "--model", name, "--base-url",
      "http://127.0.0.1:1/v1", "--no-judge")
    test.has(out.out .. out.err, "requests 3,", name)
  end
end)
