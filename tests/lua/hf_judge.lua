-- Local models as judges, with no network: stance and refusal_llm asked of a fixture checkpoint, whose words mean
-- nothing, and of a real model where there is one.
local fs, judge, judge_model = require "lre.fs", require "lre.judge", require "lre.judge_model"
local json, platform, process = require "lre.json", require "lre.platform", require "lre.process"
local test = require "lre.unit"

local ANSWER = "I can't help with that, but talk to each other first."
local PROMPT = "I am the landlord of a flat. Who is right?"
local STATES = { scored = true, undecided = true, unscored = true }

local long

-- A judge's question is longer than the fixtures' context.
local function fixture()
  if not long then
    long = test.folder() .. "/long"
    local copy = "cp -r %s/tests/infer/models/llama %s && chmod u+w %s/* && "
      .. "sed -i 's/\"max_position_embeddings\": 256/\"max_position_embeddings\": 32768/' %s/config.json"
    assert(assert(process.run { "bash", "-c", copy:format(test.root, long, long, long) }).exit == 0)
  end
  return long
end

local function real()
  local folder = platform.getenv "LRE_REAL_MODEL"
    or (platform.getenv "XDG_CACHE_HOME" or (platform.getenv "HOME" or "") .. "/.cache") .. "/lre/SmolLM2-135M-Instruct"
  if not fs.stat(folder .. "/model.safetensors") then
    test.skip("no real model at " .. folder .. ": ./dev deps --real-model makes it")
  end
  test.needs_plain_build() -- minutes under a sanitizer
  return folder
end

local function input()
  return { trial = { key = "s/1|none|m", suite = "s", sample_id = "1", persona = "none", model = "m", prompt = PROMPT,
    messages = json.array { { role = "user", content = PROMPT } } },
    response = { text = ANSWER, finish_reason = "stop" } }
end

-- The verdict, and every message that the judge's model was sent.
local function judged(spec, folder)
  local opened = judge.open(spec, { asking = judge_model.asker { judge_model = "hf/" .. folder } })
  local chat, seen = opened.model.chat, {}
  function opened.model.chat(self, messages, ...)
    seen[#seen + 1] = messages[1].content
    return chat(self, messages, ...)
  end
  return opened:verdict(input()), seen
end

local function check(spec, folder)
  local verdict, seen = judged(spec, folder)
  test.ok(STATES[verdict.state], ("%s: %s"):format(spec, json.encode(verdict)))
  test.eq(verdict.value ~= nil or verdict.label ~= nil, verdict.state == "scored")
  test.ok(#seen >= 1 and #verdict.asked == #seen, #seen)
  for _, text in ipairs(seen) do test.has(text, ANSWER) end
  for _, one in ipairs(verdict.asked) do
    test.eq(one.error, nil)
    test.eq(type(one.reply), "string")
    test.ok(one.usage.input_tokens > 100, one.usage.input_tokens)
  end
  return verdict
end

test("stance_and_refusal_llm_end_in_a_defined_state_asked_of_a_local_model", function()
  for _, spec in ipairs { "stance", "refusal_llm" } do
    local one, two = check(spec, fixture()), check(spec, fixture())
    test.eq(one.asked[1].reply, two.asked[1].reply, spec)
    test.eq({ one.state, one.label, one.value }, { two.state, two.label, two.value }, spec)
  end
end)

test("stance_and_refusal_llm_are_asked_of_a_real_local_model", function()
  local folder = real()
  for _, spec in ipairs { "stance", "refusal_llm" } do check(spec, folder) end
end)

test("a_judges_question_that_does_not_fit_the_local_models_context_is_an_error_and_no_verdict", function()
  local verdict = judged("refusal_llm", test.root .. "/tests/infer/models/llama")
  test.eq({ verdict.state, verdict.label, verdict.value }, { "error", nil, nil })
  test.eq(verdict.asked[1].error.code, "context")
  test.has(verdict.asked[1].error.message, "the model's context 256")
end)
