-- bench/resume.lua FOLDER URL ROWS kept|lost: makes a run whose journal has so many rows (trials and their verdicts),
-- all but the last trial answered, with its index or without; resumes it until the server at URL has its first request.
-- Prints "seconds BYTES" of the resume.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local clock, http, sched = require "lre.clock", require "lre.http", require "lre.sched"
local platform = require "lre.platform"

local folder, base, rows, lost = arg[1], arg[2], math.tointeger(tonumber(arg[3])), arg[4] == "lost"
local SAMPLES = 5000
local repeats = rows // 2 // SAMPLES
local suite = folder .. "/suite.jsonl"
local program = platform.program

local function asked()
  return tonumber(assert(http.request { method = "GET", url = base .. "/count/resume" }).body)
end

local words = { program, "run", "-q", "--model", "openai/mock", "--base-url", base .. "/hold/resume/v1", "--suite",
  suite, "--judge", "examples/brevity.lua", "--repeats", tostring(repeats), "--run-dir", folder, "--run-id", "big" }

local lines = {}
for i = 1, SAMPLES do
  lines[i] = ('{"id":"q%06d","category":"helpful","text":"Question number %d: what is the capital of country %d?"}\n')
    :format(i, i, i)
end
assert(fs.write(suite, table.concat(lines)))

http.request { method = "GET", url = ("%s/allow/resume/%d"):format(base, 1 << 40) } -- held since the last one?

-- Trials that are really asked give run.json, and the shape of a row.
local first = table.move(words, 1, #words, 1, {})
first[#first + 1], first[#first + 2] = "--limit", "1"
assert(process.run(first).exit == 0)
local journal = folder .. "/big/partials.jsonl"
local templates = {}
for line in fs.lines(journal) do
  local row = json.decode(line)
  templates[row.type] = templates[row.type] or line
end
local out = assert(io.open(journal, "w"))
out:setvbuf("full", 1 << 20)
local function put(template, id, n)
  local line = template:gsub("q000001", id)
  line = line:gsub('|openai/mock[^"]*"', n > 1 and ('|openai/mock#%d"'):format(n) or '|openai/mock"', 1)
  out:write(line:gsub('"repeat":%d+', '"repeat":' .. n, 1), "\n")
end
for i = 1, SAMPLES do
  local id = ("q%06d"):format(i)
  for n = 1, i == SAMPLES and repeats - 1 or repeats do
    put(templates.trial, id, n)
    put(templates.verdict, id, n)
  end
end
out:close()
fs.remove(folder .. "/big/state.sqlite")
if not lost then -- as it is after a session that ended
  local store = require "lre.store"
  local s = assert(store.open(folder .. "/big/state.sqlite"))
  assert(s:update(journal))
  s:close()
end

local before, began = asked(), clock.mono()
http.request { method = "GET", url = ("%s/allow/resume/%d"):format(base, before) }
local note = folder .. "/pid"
local task = sched.spawn(process.run, { "sh", "-c", ("echo $$ > %s; exec \"$@\""):format(note), "sh",
  table.unpack(words) })
while asked() == before and task:status() == "running" do sched.sleep(0.005) end
local seconds = clock.mono() - began
local pid = fs.read(note):match "%d+"
local peak = (fs.read(("/proc/%s/status"):format(pid)) or ""):match "VmHWM:%s*(%d+)"
process.run { "kill", "-KILL", pid }
pcall(task.wait, task)
print(("%.3f %d"):format(seconds, (tonumber(peak) or 0) * 1024))
