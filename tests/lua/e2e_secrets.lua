-- e2e_secrets: a key is nowhere in what a run leaves behind, and a model's text does nothing to the terminal.
local fs, http, process = require "lre.fs", require "lre.http", require "lre.process"
local test = require "lre.unit"
local running = dofile(test.root .. "/tests/fixtures/running.lua")

-- No key of anybody. Its bytes are chosen so that each encoding changes it.
local KEY = "sk-test-PLANTED+/=Zx81 Qv9&<>\"end"
local folder

local function parent()
  if not folder then
    folder = test.folder()
    assert(fs.write(folder .. "/suite.jsonl", '{"id":"a","text":"first invented question"}\n'
      .. '{"id":"b","text":"second invented question"}\n'))
    assert(fs.write(folder .. "/key", KEY))
  end
  return folder
end

local function percent(s, keep)
  return (s:gsub("[^" .. keep .. "]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function base64(s)
  return assert(process.run { "base64", "-w0", input = s }).out
end

-- The key as it may be written down. Base64 at each of the three places that a prefix can push it to, less the ends
-- that depend on what stands beside it.
local function forms()
  local out = { raw = KEY, percent = percent(KEY, "%w._~-"), json = KEY:gsub('"', '\\"'),
    json_slash = KEY:gsub('"', '\\"'):gsub("/", "\\/"), core = "PLANTED+/=Zx81" }
  for shift = 0, 2 do
    local encoded = base64(("x"):rep(shift) .. KEY)
    out["base64_" .. shift] = encoded:sub(shift == 0 and 1 or 5, #encoded // 4 * 4 - 4)
  end
  return out
end

local function nowhere(where, text)
  for name, form in pairs(forms()) do
    if text then test.ok(not text:find(form, 1, true), ("the key (%s) is in %s"):format(name, where)) end
    local found = process.run { "grep", "-rlF", "--exclude=key", "-e", form, parent() }
    test.eq(found.out, "", ("the key (%s) is in a file after %s"):format(name, where))
  end
end

-- A run with the key in OPENAI_API_KEY, with everything on that could leak it.
local function run(path, id, more)
  local command = ("cd %s && export OPENAI_API_KEY=\"$(cat key)\" && ulimit -c unlimited && exec %s run --model "
    .. "openai/m --base-url %s%s/v1 --suite suite.jsonl --run-id %s --concurrency 1 --retries 1 --log-level DEBUG "
    .. "--dump-raw %s.raw --out %s.json %s"):format(parent(), test.program, test.nginx(), path, id, id, id, more or "")
  local result = assert(process.run { "bash", "-c", command, timeout = 60 })
  nowhere(id, result.out .. result.err)
  return result
end

local function sent_key(base, token)
  local requests = assert(http.request { method = "GET", url = base .. "/requests/" .. token }).body
  return requests:find("PLANTED", 1, true) ~= nil
end

test("a_key_that_the_server_echoes_in_a_refusal_is_nowhere", function()
  local base = test.nginx()
  local result = run("/faults/401/s401", "echo401")
  test.eq(result.exit, 4)
  test.ok(sent_key(base, "s401"), "the key was sent: the test looks for what could be there")
  test.has(result.err, "[redacted]")
end)

test("a_key_that_the_model_repeats_is_nowhere_in_answers_verdicts_or_the_dump", function()
  local base = test.nginx()
  test.eq(run("/faults/echo-key/secho", "echo").exit, 0)
  test.ok(sent_key(base, "secho"))
  test.has(fs.read(parent() .. "/echo.raw"), "[redacted]")
end)

test("a_key_is_nowhere_whatever_goes_wrong_on_the_way", function()
  test.nginx()
  for _, fault in ipairs { "404-html", "reset-mid-body", "truncated-json", "200-error", "400" } do
    run("/faults/" .. fault .. "/sx", fault)
  end
end)

test("a_script_cannot_have_the_key_and_what_it_prints_of_an_error_is_redacted", function()
  local base = test.nginx()
  assert(fs.write(parent() .. "/leak.lua", ([[
    local lre = require "lre"
    local run = lre.experiment { suites = { "suite.jsonl" }, models = { "openai/m" }, base_url = "%s/faults/401/sk/v1",
      run_id = "script", concurrency = 1 }:run()
    print(run.asked.stopped.message, lre.json.encode(run.results))
    print(pcall(os.getenv, "OPENAI_API_KEY"))
    error(run.asked.stopped.message)
  ]]):format(base)))
  local result = process.run { "bash", "-c", ("cd %s && OPENAI_API_KEY=\"$(cat key)\" %s script leak.lua"):format(
    parent(), test.program), timeout = 60 }
  test.eq(result.exit, 3)
  test.has(result.err, "leak.lua:")
  test.has(result.out, "status 401")
  nowhere("a script", result.out .. result.err)
end)

-- A run with the key whose requests the server holds, in the tests' folder, where cores may be written.
local function held(base, token)
  running.allow(base, token, 0)
  local program = running.start(([[bash -c 'cd %s; ulimit -c unlimited 2>/dev/null; export OPENAI_API_KEY="$(cat key)"
    exec %s run --model openai/m --base-url %s/hold/%s/v1 --suite suite.jsonl --run-id %s -q >out 2>err']]):format(
    parent(), test.program, base, token, token))
  running.await("its requests", function() return running.asked(base, token) > 0 end)
  return program
end

test("the_command_line_of_a_running_run_does_not_show_the_key_and_its_core_would_not_be_written", function()
  local base = test.nginx()
  local program = held(base, "proc")
  assert(process.run { "sh", "-c", [[cd "$1"; tr '\0' '\n' < /proc/$0/cmdline > seen.cmdline
    cat /proc/$0/limits > seen.limits]], program.pid, parent() })
  running.allow(base, "proc")
  test.eq(program:wait().exit, 0)
  test.has(fs.read(parent() .. "/seen.cmdline"), "--run-id")
  test.ok(fs.read(parent() .. "/seen.limits"):find "Max core file size%s+0 ", "a core of 0 bytes is the most")
  test.ok(sent_key(base, "proc"))
  nowhere "/proc"
end)

test("a_crash_leaves_no_core_with_the_key", function()
  test.needs_plain_build()
  local base = test.nginx()
  local program = held(base, "core")
  program:signal "SEGV"
  test.eq(program:wait().signal, 11)
  running.allow(base, "core")
  test.ok(sent_key(base, "core"))
  nowhere "a crash"
end)

test("a_key_goes_to_no_other_host_by_a_redirect", function()
  local base = test.nginx()
  run("/faults/302/moved", "moved")
  test.ok(sent_key(base, "moved"))
  nowhere "a redirect"
end)

-- ---- a model's text on the terminal ----

local HOSTILE = "\27[31mred\27]0;title\7\27[2J\u{202e}txet\u{2066}\u{200b}\r\nrm -rf\8\8\u{9b}31m"

local function harmless(text, where)
  test.ok(not text:find "[\1-\8\11-\31\127]", where .. ": a control byte reached the terminal")
  for _, bidi in ipairs { "\u{202e}", "\u{2066}", "\u{9b}" } do
    test.ok(not text:find(bidi, 1, true), where .. ": " .. ("U+%04X"):format(utf8.codepoint(bidi)))
  end
end

test("escapes_in_an_answer_a_label_a_name_or_an_error_reach_no_terminal", function()
  local base = test.nginx()
  local dir = test.folder()
  local json = require "lre.json"
  assert(fs.write(dir .. "/s.jsonl", assert(json.encode { id = "id " .. HOSTILE, text = HOSTILE,
    category = "cat " .. HOSTILE }) .. "\n"))
  assert(fs.mkdir(dir .. "/judges"))
  assert(fs.write(dir .. "/judges/echoes.lua", [[
    return require "lre".judge { name = "echoes", version = "1", kind = "rule", labels = { "a" },
      judge = function(_, response) error(response.text, 0) end }
  ]]))
  for _, path in ipairs { "/faults/echo", "/faults/404-html", "/faults/400" } do
    for _, level in ipairs { "WARNING", "DEBUG" } do
      local command = ("cd %s && exec %s run --model openai/m --base-url %s%s/v1 --suite s.jsonl --judge echoes "
        .. "--judge refusal --retries 0 --log-level %s"):format(dir, test.program, base, path, level)
      local result = assert(process.run { "bash", "-c", command, timeout = 60 })
      harmless(result.out, path .. " out")
      harmless(result.err, path .. " err " .. level)
      test.has(result.out .. result.err, "red")
    end
  end
  for _, word in ipairs { "lint s.jsonl", "list judges", "run --model fake/a --suite s.jsonl --dry-run" } do
    local result = process.run { "bash", "-c", ("cd %s && exec %s %s"):format(dir, test.program, word) }
    harmless(result.err, word .. " err")
  end
  local result = process.run { "bash", "-c", ("cd %s && exec %s run --suite %q --model %q"):format(dir, test.program,
    "no\27[31m", "x\27[2J") }
  harmless(result.err, "names")
end)
