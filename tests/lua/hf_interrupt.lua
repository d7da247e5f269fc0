-- Ctrl-C and a local model in the midst of an answer: a fixture checkpoint whose answers are long, as no token ends
-- them.
local fs, process, test = require "lre.fs", require "lre.process", require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local TRIALS = 6
local parent

local function folder()
  if parent then return parent end
  parent = test.folder()
  local copy = "cd %s && cp -r %s/tests/infer/models/llama endless && chmod u+w endless/* && "
    .. "sed -i '/eos_token_id/d; s/\"max_position_embeddings\": 256/\"max_position_embeddings\": 1048576/' "
    .. "endless/config.json endless/generation_config.json"
  assert(assert(process.run { "bash", "-c", copy:format(parent, test.root) }).exit == 0)
  return parent
end

local function words(id, limit, max_tokens)
  return ("%s run --adapter hf --model tiny --model-id %s/endless --suite harmful_helpful --limit %d --max-tokens %d "
    .. "--run-dir %s/runs --run-id %s --concurrency 1 --threads 1 -q"):format(test.program, folder(), limit, max_tokens,
      folder(), id)
end

local function sh(command)
  return assert(process.run { "bash", "-c", command, timeout = 540, max_bytes = 1 << 26 })
end

local function recorded(id)
  return running.recorded(("%s/runs/%s/partials.jsonl"):format(folder(), id))
end

-- Ctrl-C again and again, until the program has gone: two that come close together are one.
local function interrupt(run)
  running.await("the end of an interrupted program", function()
    if run.task:status() ~= "running" then return true end
    process.run { "kill", "-INT", run.pid }
  end)
  return run:wait()
end

local function results(id)
  return assert(fs.read(("%s/runs/%s/results.json"):format(folder(), id)))
end

test("a_run_that_is_interrupted_in_a_local_answer_goes_on_to_the_same_bytes", function()
  local run = running.start(words("cut", TRIALS, 3000))
  running.await("its first answer", function() return recorded "cut" >= 1 end)
  test.eq(interrupt(run).exit, 130)
  local there = recorded "cut"
  test.ok(there >= 1 and there < TRIALS, there)
  test.eq(sh(words("cut", TRIALS, 3000)).exit, 0)
  test.eq(sh(words("whole", TRIALS, 3000)).exit, 0)
  test.eq(results "cut", results "whole")
end)

-- An answer of 900,000 tokens would take hours; the engine itself says when it is in the midst of it.
test("an_answer_that_would_take_hours_ends_when_it_is_interrupted_twice", function()
  local script = folder() .. "/endless.lua"
  assert(fs.write(script, ([[
    local fs, infer, lre, sched = require "lre.fs", require "lre.infer", require "lre", require "lre.sched"
    local open, engine = infer.open, nil
    function infer.open(...)
      engine = assert(open(...))
      return engine
    end
    sched.spawn(function()
      while not engine or engine:facts().steps < 20 do sched.sleep(0.001) end
      fs.print("stdout", "in its midst\n")
      assert(fs.write(%q, "now"))
    end)
    return lre.experiment { suites = { "harmful_helpful" }, limit = 1, run_dir = %q, run_id = "endless",
      params = { max_tokens = 900000 },
      models = { { label = "tiny", provider = "hf", id = %q, options = { threads = 1 } } } }:run().exit
  ]]):format(folder() .. "/now", folder() .. "/runs", folder() .. "/endless")))
  for _ = 1, 2 do -- the second time, the same run goes on: its folder was left in order
    os.remove(folder() .. "/now")
    local run = running.start(("%s script %s"):format(test.program, script))
    running.await("the midst of an answer", function()
      if run.task:status() ~= "running" then error(run:wait().err) end
      return fs.stat(folder() .. "/now")
    end)
    test.has(interrupt(run).out, "in its midst")
    test.eq(run:wait().exit, 130)
    test.eq(recorded "endless", 0)
  end
end)
