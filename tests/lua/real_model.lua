-- A real model, SmolLM2-135M-Instruct (./dev deps --real-model), held against what transformers answered.
-- tests/c/test_infer_real.c compares its logits and greedy tokens.
local chat_template, engines = require "lre.chat_template", require "lre.engines"
local fs, hash, json = require "lre.fs", require "lre.hash", require "lre.json"
local platform, process = require "lre.platform", require "lre.process"
local test = require "lre.unit"

local folder = platform.getenv "LRE_REAL_MODEL"
  or (platform.getenv "XDG_CACHE_HOME" or (platform.getenv "HOME" or "") .. "/.cache") .. "/lre/SmolLM2-135M-Instruct"

local function need_model()
  if not fs.stat(folder .. "/model.safetensors") then
    test.skip("no real model at " .. folder .. ": ./dev deps --real-model makes it")
  end
  test.needs_plain_build() -- minutes under a sanitizer
end

local function recorded()
  return assert(json.decode(assert(fs.read(test.root .. "/tests/infer/real_model.json", 1 << 24))))
end

local function open()
  return assert(engines.open(folder, { threads = 2 }))
end

test("the_model_is_the_one_that_was_recorded", function()
  need_model()
  test.eq(open():info().files["model.safetensors"], recorded().weights)
end)

test("token_ids_of_2200_lines_are_those_of_hugging_face", function()
  need_model()
  local engine, wanted, n = open(), recorded().lines, 0
  for line in fs.lines(test.root .. "/tests/infer/corpus.jsonl") do
    n = n + 1
    local ids = assert(engine:encode(assert(json.decode(line)), true))
    test.eq(hash.sha256(table.concat(ids, " ")):sub(1, 12), wanted[n], "line " .. n)
  end
  test.eq(n, #wanted)
  test.ok(n >= 2000, n)
end)

test("chats_are_rendered_and_read_as_transformers_does", function()
  need_model()
  local engine, chat = open(), assert(chat_template.open(folder))
  for i, row in ipairs(recorded().prompts) do
    local text = assert(chat:render(row.messages))
    test.eq(text, row.text, "prompt " .. i)
    test.eq(assert(engine:encode(text, true)), row.ids, "prompt " .. i)
  end
end)

-- What was answered, by trial. Hashes of the judge and the adapter are left out: both may be edited.
local function answers(run)
  local out = {}
  for line in fs.lines(run .. "/partials.jsonl") do
    local row = assert(json.decode(line))
    if row.type == "trial" then
      out[row.key] = { row.response.text, row.response.finish_reason, row.response.usage }
    end
  end
  return out
end

test("a_run_on_it_gives_the_recorded_answers_and_so_does_one_in_int8", function()
  need_model()
  local runs = test.folder()
  local result = assert(process.run { "bash", "-c", ("%s/examples/data/make_local.sh %s %s %s"):format(test.root,
    test.program, folder, runs), timeout = 540, max_bytes = 1 << 24 })
  test.eq(result.exit, 0, result.err)
  for _, name in ipairs { "smollm2-135m", "smollm2-135m-int8" } do
    local got, wanted = answers(runs .. "/" .. name), answers(test.root .. "/examples/data/" .. name)
    for key, answer in pairs(wanted) do test.eq(got[key], answer, name .. ": " .. key) end
    test.ok(next(wanted), name)
  end
end)
