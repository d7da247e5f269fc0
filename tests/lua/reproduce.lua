-- reproduce: the command that makes a run again, what the present tree would change, and the second run.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local test = require "lre.unit"

local KEY = "sk-test-not-to-be-found-anywhere"

local function shell(command)
  return assert(process.run { "bash", "-c", command, timeout = 100, max_bytes = 1 << 26 })
end

local function new_run(folder, id, words, before)
  local out = shell(("%s %s run --run-dir %s --run-id %s -q %s"):format(before or "", test.program, folder, id, words))
  test.eq(out.exit, 0, out.err)
  return folder .. "/" .. id
end

local function command_of(out)
  return out:match "\n(lre run .*)$"
end

local function edit(path, from, to)
  local text = assert(fs.read(path, 1 << 28))
  test.ok(text:find(from, 1, true), from)
  assert(fs.write(path, (text:gsub(from:gsub("%p", "%%%0"), to))))
end

local GRID = "--model fake/fake-1b,fake/fake-7b --suite harmful_helpful,jailbreak_styles --judge refusal --judge "
  .. test.root .. "/examples/brevity.lua:max_words=30,as=b30 --persona none,developer_mode_dan --repeats 2 "
  .. "--fake-refusal-rate 0.3 --sample 5 --seed 7 --param top_p=0.25"

test("the_printed_command_makes_the_same_bytes", function()
  local folder = test.folder()
  local run = new_run(folder, "a", GRID)
  local out = test.lre("reproduce", run)
  test.eq(out.exit, 0, out.err)
  local command = command_of(out.out):gsub("^lre run", "")
  local again = new_run(folder, "b", command)
  test.eq(fs.read(again .. "/results.json", 1 << 28), fs.read(run .. "/results.json", 1 << 28))
end)

test("exec_of_a_fake_run_is_identical_and_keeps_the_first_run", function()
  local folder = test.folder()
  local run = new_run(folder, "a", GRID)
  local before = fs.read(run .. "/partials.jsonl", 1 << 28)
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "-q")
  test.eq(out.exit, 0, out.err)
  test.has(out.out, ("identical: %s and %s-reproduced\n"):format(run, run))
  test.eq(fs.read(run .. "/partials.jsonl", 1 << 28), before)
end)

test("a_results_file_alone_is_enough", function()
  local folder = test.folder()
  local run = new_run(folder, "a", GRID)
  local out = test.lre("reproduce", run .. "/results.json", "--exec", "--run-dir", folder, "-q", "--path",
    test.root .. "/examples")
  test.eq(out.exit, 0, out.err)
  test.has(out.out, "--judge brevity:max_words=30,as=b30")
  test.has(out.out, "identical: ")
end)

test("a_run_of_the_first_samples_is_made_with_their_number_from_its_results_too", function()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful --limit 3")
  local out = test.lre("reproduce", run .. "/results.json", "--exec", "--run-dir", folder, "-q")
  test.has(out.out, "--limit 3")
  test.has(out.out, "identical: ")
end)

test("exec_ends_with_the_first_difference_and_exit_1", function()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful")
  edit(run .. "/run.json", '"fake_refusal_rate": 0.5', '"fake_refusal_rate": 1.0')
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "-q")
  test.eq(out.exit, 1, out.err)
  test.has(out.out, "#   models (fake/fake-1b).options.refusal_rate: was 0.5, is 1.0\n")
  test.has(out.out, "\ndifferent: rows (harmful_helpful, fake/fake-1b, none, refusal).categories.")
end)

test("the_same_rates_from_other_answers_are_not_identical", function()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful --no-judge")
  edit(run .. "/partials.jsonl", '"text":"', '"text":"Well. ')
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "-q")
  test.eq(out.exit, 1)
  test.has(out.out, "\ndifferent: answer of trial harmful_helpful/hh-001|none|fake/fake-1b: was ")
end)

test("what_the_present_tree_would_change_is_said_by_name_and_hash", function()
  local folder = test.folder()
  local suite, judge = folder .. "/my own.jsonl", folder .. "/short.lua"
  assert(fs.write(suite, '{"id":"a","text":"one"}\n'))
  assert(fs.write(judge, (fs.read(test.root .. "/examples/brevity.lua"):gsub('name = "brevity"', 'name = "short"'))))
  local run = new_run(folder, "a", ("--model fake/fake-1b --suite '%s' --judge %s"):format(suite, judge))
  test.has(test.lre("reproduce", run).out, "# The present tree has the same suites, judges")
  test.has(test.lre("reproduce", run).out, ("--suite '%s'"):format(suite))
  assert(fs.write(suite, '{"id":"a","text":"two"}\n'))
  edit(judge, "60,", "61,")
  local out = test.lre("reproduce", run).out
  test.ok(out:find "#   suites %(my own%)%.hash: was \"%x+\", is \"%x+\"\n", out)
  test.ok(out:find "#   judges %(short%)%.hash: was \"%x+\", is \"%x+\"\n", out)
end)

test("a_judge_that_is_gone_is_told_and_exec_sends_nothing", function()
  local folder = test.folder()
  local judge = folder .. "/short.lua"
  assert(fs.write(judge, (fs.read(test.root .. "/examples/brevity.lua"):gsub('name = "brevity"', 'name = "short"'))))
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful --judge " .. judge)
  os.remove(judge)
  test.has(test.lre("reproduce", run).out, "# Today it cannot be planned: ")
  test.eq(test.lre("reproduce", run, "--exec", "--run-dir", folder).exit, 3)
  test.eq(fs.stat(run .. "-reproduced"), nil)
end)

test("judges_that_spoke_later_are_in_the_command", function()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful")
  test.eq(test.lre("judge", "--in", run, "--judge", test.root .. "/examples/brevity.lua:max_words=3", "-q").exit, 0)
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "-q")
  test.eq(out.exit, 0, out.out .. out.err)
  test.has(out.out, "--judge refusal \\\n")
  test.has(out.out, "brevity.lua:max_words=3")
end)

test("a_run_over_http_is_identical_and_its_key_is_nowhere", function()
  local nginx = test.nginx()
  local folder = test.folder()
  local key = ("MY_KEY=%s"):format(KEY)
  local run = new_run(folder, "a", ("--model openai/mine --model-id mock --base-url %s/v1 --api-key-env MY_KEY "
    .. "--suite harmful_helpful --max-tokens 99 --temperature 0.5"):format(nginx), key)
  local out = shell(("%s %s reproduce %s --exec --run-dir %s -q 2>&1"):format(key, test.program, run, folder))
  test.eq(out.exit, 0, out.out)
  test.has(out.out, "--model openai/mine \\\n  --adapter openai \\\n  --model-id mock \\\n")
  test.has(out.out, ("--temperature 0.5 \\\n  --max-tokens 99 \\\n  --base-url %s/v1 \\\n"):format(nginx))
  test.has(out.out, "\n  --api-key-env MY_KEY\n")
  test.has(out.out, "identical: ")
  test.ok(not out.out:find(KEY, 1, true))
  local from_results = shell(("%s %s reproduce %s/results.json --exec --run-dir %s -q 2>&1"):format(key, test.program,
    run, folder))
  test.has(from_results.out, "identical: ")
end)

test("a_model_judge_named_by_the_environment_is_in_the_command", function()
  local nginx = test.nginx()
  local folder = test.folder()
  local run = new_run(folder, "a", ("--model fake/fake-1b --suite harmful_helpful --limit 2 --judge refusal_llm "
    .. "--judge-base-url %s/faults/judge/v1"):format(nginx), "LRE_JUDGE_MODEL=openai/mock")
  for _, from in ipairs { run, run .. "/results.json" } do
    local out = test.lre("reproduce", from, "--exec", "--run-dir", folder, "-q")
    test.has(out.out, ("  --judge-model openai/mock \\\n  --judge-base-url %s/faults/judge/v1 \\\n"):format(nginx))
    test.has(out.out, "# The present tree has the same suites, judges")
    test.has(out.out, "identical: ")
  end
end)

test("a_model_judge_that_spoke_later_is_asked_where_it_was_asked", function()
  local nginx = test.nginx()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b --suite harmful_helpful --limit 2")
  local endpoint = nginx .. "/faults/judge/v1"
  test.eq(test.lre("judge", "--in", run, "--judge", "refusal_llm", "--judge-model", "openai/mock", "--judge-base-url",
    endpoint, "-q").exit, 0)
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "-q")
  test.has(out.out, "  --judge-model openai/mock \\\n  --judge-base-url " .. endpoint)
  test.has(out.out, "# The present tree has the same suites, judges")
  test.has(out.out, "identical: ")
end)

test("a_run_made_with_a_cache_is_made_again_from_it_without_a_request", function()
  local nginx = test.nginx()
  local folder = test.folder()
  local run = new_run(folder, "a", ("--model openai/mock --base-url %s/v1 --suite harmful_helpful --cache %s/cache")
    :format(nginx, folder))
  local out = test.lre("reproduce", run, "--exec", "--run-dir", folder, "--cache", folder .. "/cache", "--offline",
    "-q")
  test.eq(out.exit, 0, out.out .. out.err)
  test.has(out.out, "identical: ")
end)

test("words_for_a_shell_are_quoted", function()
  local reproduce = require "lre.reproduce"
  test.eq(reproduce.command { suite = { "it's $HOME" }, seed = 42, temperature = 0.1, repeats = 1 },
    "lre run \\\n  --suite 'it'\\''s $HOME' \\\n  --seed 42 \\\n  --temperature 0.1")
end)

test("a_path_with_newlines_ends_no_comment_and_is_the_same_path_in_a_shell", function()
  local folder = test.folder() .. "/a\ntouch pwned\27[2J"
  assert(fs.mkdir(folder))
  assert(fs.write(folder .. "/q.jsonl", '{"id":"a","text":"x"}\n'))
  local made = test.lre("run", "--model", "fake/a", "--suite", folder .. "/q.jsonl", "--run-dir", folder,
    "--run-id", "r", "-q")
  test.eq(made.exit, 0, made.err)
  local out = test.lre("reproduce", folder .. "/r")
  test.eq(out.exit, 0, out.err)
  local command = command_of(out.out)
  for line in out.out:sub(1, -#command - 1):gmatch "[^\n]+" do test.eq(line:sub(1, 2), "# ") end
  test.has(shell("lre() { printf '%s|' \"$@\"; }; " .. command).out, folder .. "/q.jsonl|")
end)

test("models_that_one_command_cannot_say_are_an_error_of_a_results_file", function()
  local folder = test.folder()
  local run = new_run(folder, "a", "--model fake/fake-1b,fake/fake-7b --suite harmful_helpful --limit 1")
  local data = json.decode(assert(fs.read(run .. "/results.json", 1 << 28)))
  data.inputs.models[2].adapter = "openai"
  assert(fs.write(folder .. "/r.json", json.encode(data, 2)))
  local out = test.lre("reproduce", folder .. "/r.json")
  test.eq(out.exit, 3)
  test.has(out.err, 'differ in the adapter ("fake" and "openai")')
end)
