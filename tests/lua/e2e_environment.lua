-- e2e_environment: what surrounds a run: its streams, limits, folder, and whoever starts it.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

local folder

local function parent()
  if not folder then
    folder = test.folder()
    assert(fs.write(folder .. "/suite.jsonl", '{"id":"a|b#2%c\\n","text":"one"}\n{"id":"b","text":"two"}\n'))
  end
  return folder
end

local function sh(command)
  return assert(process.run { "bash", "-c", ("cd %s || exit; %s"):format(parent(), command), timeout = 240,
    max_bytes = 1 << 26 })
end

local function run(id, more)
  return ("%s run --model fake/a --suite suite.jsonl --run-id %s -q %s"):format(test.program, id, more or "")
end

local function results(id)
  return fs.read(("%s/runs/%s/results.json"):format(parent(), id))
end

test("with_its_streams_closed_a_run_writes_its_journal_and_nothing_else_into_it", function()
  for _, closed in ipairs { "<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-" } do
    local id = "closed" .. #closed .. closed:byte(1)
    sh(run(id, "-v " .. closed))
    for line in assert(fs.read(("%s/runs/%s/partials.jsonl"):format(parent(), id))):gmatch "[^\n]+" do
      test.ok(json.decode(line), closed .. ": " .. line)
    end
  end
end)

test("with_standard_output_closed_it_is_said_and_the_exit_code_is_4", function()
  local result = sh(test.program .. " demo >&-")
  test.eq(result.exit, 4)
  test.has(result.err, "standard output")
end)

test("a_reader_that_goes_away_ends_the_command_with_4_not_with_a_signal", function()
  local result = sh(test.program .. " help --completion zsh 2> err | true; echo ${PIPESTATUS[0]}")
  test.ok(result.out == "4\n" or result.out == "0\n", result.out) -- 0 where the pipe took it all before `true` ended
end)

test("ids_with_every_separator_resume_and_keep_their_bytes", function()
  test.eq(sh(run "odd").exit, 0)
  local first = results "odd"
  local lines = select(2, fs.read(parent() .. "/runs/odd/partials.jsonl"):gsub("\n", ""))
  test.eq(sh(run "odd").exit, 0)
  test.eq(results "odd", first)
  test.eq(select(2, fs.read(parent() .. "/runs/odd/partials.jsonl"):gsub("\n", "")), lines, "nothing was asked again")
end)

test("the_path_by_which_a_suite_is_named_is_not_in_the_results", function()
  sh "mkdir -p far/away && cp suite.jsonl far/away/"
  sh(run "near")
  sh((run "far":gsub("suite%.jsonl", "far/away/../away/suite.jsonl")))
  test.eq(results "far", results "near")
end)

test("a_link_or_a_pipe_given_as_out_stays_what_it_is", function()
  sh("echo old > target; ln -s target link; " .. run("link", "--out link"))
  sh("mkfifo pipe; cat pipe > piped & " .. run("pipe", "--out pipe") .. "; wait")
  test.eq(sh("[ -p pipe ] && [ -L link ] && echo both").out, "both\n")
  test.eq(fs.read(parent() .. "/target"), results "link")
  test.eq(fs.read(parent() .. "/piped"), results "pipe")
end)

test("few_files_may_be_open_and_the_run_still_ends_well", function()
  local base = test.nginx()
  -- Fewer than 64 connections need, and enough for what the tests' own processes hand on.
  local command = ("ulimit -n 48; %s run --model openai/m --base-url %s/v1 --suite harmful_helpful --concurrency 64 "
    .. "--run-id few -q"):format(test.program, base)
  test.eq(sh(command).exit, 0)
end)

test("little_memory_is_an_error_with_a_message_never_a_crash", function()
  test.needs_plain_build()
  local codes = {}
  for kib = 20000, 60000, 4000 do
    local result = sh(("ulimit -v %d; exec %s demo -q"):format(kib, test.program))
    -- 127: the loader could not map the libraries.
    test.ok(result.exit == 0 or result.exit == 4 or result.exit == 3 or result.exit == 127,
      ("%d KiB: %s %s"):format(kib, result.exit or "signal " .. result.signal, result.err))
    if result.exit ~= 0 then test.ok(#result.err > 0, kib .. " KiB: silence") end
    codes[result.exit] = true
  end
  test.ok(codes[0] or codes[4], "the limits were all too low to reach the program")
end)

-- The words before a command that make it somebody else's.
local function as_other()
  if sh("id -u").out ~= "0\n" then test.skip "only root can become somebody else" end
  local other = "setpriv --reuid=65534 --regid=65534 --clear-groups "
  if sh(other .. "true").exit ~= 0 then test.skip "setpriv is not here" end
  if sh(other .. "test -r " .. test.root .. "/lua/lre/cli.lua").exit ~= 0 then
    test.skip "the checkout lies where nobody else may read"
  end
  sh "chmod 755 ."
  return other
end

test("a_file_that_may_not_be_read_is_named_without_a_traceback", function()
  local other = as_other()
  sh [[printf '{"id":"a","response":"x","label":"refused"}\n' > secret.jsonl; chmod 600 secret.jsonl]]
  for _, command in ipairs { "judge --in secret.jsonl --judge refusal", "kappa secret.jsonl secret.jsonl",
    "did secret.jsonl --inner refusal --outer refusal", "import secret.jsonl" } do
    local result = sh(other .. test.program .. " " .. command)
    test.eq({ result.exit, result.err:find("traceback", 1, true) }, { 4 }, command .. result.err)
    test.has(result.err, "secret.jsonl: Permission denied")
  end
end)

test("somebody_without_permission_is_told_which_folder", function()
  local result = sh(as_other() .. run "denied")
  test.eq(result.exit, 4, result.err)
  test.has(result.err, "Permission denied")
  test.has(result.err, "runs")
end)

test("an_interrupt_ends_a_script_that_never_waits", function()
  local up = parent() .. "/up"
  assert(fs.write(parent() .. "/loop.lua", ("io.open(%q, 'w'):close()\nwhile true do end\n"):format(up)))
  local script = running.start(("%s script %s/loop.lua"):format(test.program, parent()))
  running.await("the script", function() return fs.stat(up) end)
  running.await("its end", function()
    if script.task:status() == "running" then script:signal "INT" end -- two that come close together are one
    return script.task:status() ~= "running"
  end)
  test.eq(script:wait().exit, 130)
end)
