-- unit: a small runner for tests in Lua. A test's name states the promise that it keeps.
--
--   local test = require "lre.unit"
--   test("a_promise", function() test.eq(1 + 1, 2) end)
--
-- tests/lua/run.lua runs the files, prints what failed and was skipped, and ends with "N passed, N failed, N skipped".
local fs = require "lre.fs"
local platform = require "lre.platform"
local process = require "lre.process"

-- root: the repository; shared: vectors that live outside it, often absent.
local unit = {
  passed = 0, failed = 0, skipped = 0, quiet = false, file = "",
  root = platform.share_dir,
  program = platform.program,
  shared = os.getenv("LRE_SHARED") or platform.share_dir .. "/../shared",
}

local SKIP = {} -- its identity says that an error is a skip

local function is_plain(value)
  local meta = getmetatable(value)
  return type(value) == "table" and (meta == nil or type(meta) == "table" and meta.__tostring == nil)
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    if type(a) == "number" or type(a) == "string" then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end

---A value as text, tables with sorted keys.
---@param value any
---@return string
function unit.show(value, depth)
  if type(value) == "string" then return ("%q"):format(value) end
  if not is_plain(value) then return tostring(value) end
  if (depth or 0) > 8 then return "{...}" end
  local parts = {}
  for _, key in ipairs(sorted_keys(value)) do
    local name = math.type(key) == "integer" and "" or tostring(key) .. " = "
    parts[#parts + 1] = name .. unit.show(value[key], (depth or 0) + 1)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function same(a, b)
  if a == b then return math.type(a) == math.type(b) end
  if type(a) ~= "table" or type(b) ~= "table" then return a ~= a and b ~= b end
  for key, value in next, a do
    if not same(value, b[key]) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

local function fail(message, note)
  error((note and note .. ": " or "") .. message, 3)
end

---Deep equality; 1 and 1.0 differ, NaN equals NaN.
function unit.eq(got, want, note)
  if not same(got, want) then fail(("got %s, want %s"):format(unit.show(got), unit.show(want)), note) end
end

---Anything but nil and false.
function unit.ok(value, note)
  if not value then fail("got " .. unit.show(value) .. ", want a true value", note) end
  return value
end

---|got - want| <= rel * |want|
function unit.near(got, want, rel, note)
  local close = type(got) == "number" and math.abs(got - want) <= (rel or 1e-12) * math.abs(want) -- false for NaN
  if not close then
    fail(("got %s, want %.17g within %g of it"):format(unit.show(got), want, rel or 1e-12), note)
  end
end

---fn raises, and its message holds `text` (plain). Returns the error.
function unit.raises(fn, text, note)
  local ok, err = pcall(fn)
  if ok then fail("nothing was raised, want an error with " .. unit.show(text), note) end
  local message = type(err) == "table" and err.message or tostring(err)
  if not tostring(message):find(text, 1, true) then
    fail(("raised %s, want an error with %s"):format(unit.show(message), unit.show(text)), note)
  end
  return err
end

---Text that holds another (plain).
function unit.has(text, part, note)
  if type(text) ~= "string" or not text:find(part, 1, true) then
    fail(("got %s, want it to hold %s"):format(unit.show(text), unit.show(part)), note)
  end
end

---Ends this test as skipped.
function unit.skip(reason)
  error(setmetatable({ reason = reason }, SKIP), 0)
end

---A fresh folder; gone when the runner ends. `in_memory`: where syncs cost nothing, if there is such a place.
---@param in_memory boolean?
---@return string
function unit.folder(in_memory)
  local made = in_memory and process.run { "mktemp", "-d", "/dev/shm/lre-test-XXXXXX" }
  if not made or made.exit ~= 0 then made = assert(process.run { "mktemp", "-d" }) end
  local path = made.out:gsub("\n$", "")
  unit.folders = unit.folders or {}
  table.insert(unit.folders, path)
  return path
end

---The tests' nginx, started at first use and stopped at the end: the base of its URLs. Skips the test where nginx is
---not installed.
---@return string url "http://127.0.0.1:PORT"
---@return string folder with its logs, port, tls_port and ca.pem
function unit.nginx()
  if not unit.nginx_url then
    local folder = unit.folder()
    local out = assert(process.run { "sh", unit.root .. "/tests/nginx/start.sh", folder, timeout = 60 })
    if out.exit == 77 then unit.skip(out.err) end
    assert(out.exit == 0, out.err)
    unit.nginx_folder, unit.nginx_url = folder, "http://127.0.0.1:" .. out.out:match("%d+")
  end
  return unit.nginx_url, unit.nginx_folder
end

---A `lre mock` of its own, stopped at the end: the URL that it printed, and its process's id.
---@param words string its flags
---@return string url "http://127.0.0.1:PORT/v1"
---@return string pid
function unit.mock(words)
  local out = unit.folder() .. "/url"
  -- It has left this script's process group, and says where it is, before the script ends.
  local started = assert(process.run { "bash", "-c", ([[setsid %s mock %s >%s 2>%s.err </dev/null & pid=$!
    until [ -s %s ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done; echo $pid]]):format(unit.program, words, out,
    out, out), timeout = 300 })
  local pid = started.out:match "%d+"
  unit.mocks = unit.mocks or {}
  table.insert(unit.mocks, pid)
  local url = (fs.read(out) or ""):match "^[^\n]+"
  return assert(url, "lre mock ended: " .. tostring(fs.read(out .. ".err"))), pid
end

---The program under test, for tests that need a process of its own: runs it with these arguments.
---@param ... string
---@return table result see process.run
function unit.lre(...)
  return assert(process.run { unit.program, ... })
end

---Skips, saying so, where the program was built with a sanitizer: it takes memory and signals for itself.
function unit.needs_plain_build()
  local found = assert(process.run { "grep", "-qE", "__(asan|tsan)_init", unit.program })
  if found.exit == 0 then unit.skip "this build has a sanitizer in it" end
end

local function say(text)
  fs.print("stdout", text .. "\n")
end

local function explain(err)
  if getmetatable(err) == SKIP then return err end
  return debug.traceback(type(err) == "table" and tostring(err.message or err) or tostring(err), 2)
end

local function run(name, fn)
  local ok, err = xpcall(fn, explain)
  local where = (unit.file ~= "" and unit.file .. ": " or "") .. name
  if ok then
    unit.passed = unit.passed + 1
    if not unit.quiet then say("ok      " .. where) end
  elseif getmetatable(err) == SKIP then
    unit.skipped = unit.skipped + 1
    say("skipped " .. where .. ": " .. tostring(err.reason))
  else
    unit.failed = unit.failed + 1
    say("FAILED  " .. where .. "\n" .. err)
  end
end

---Prints the summary; the exit code that goes with it: 77 where none failed and one was skipped, which ctest shows.
---@return integer
function unit.finish()
  if unit.nginx_folder then process.run { "sh", unit.root .. "/tests/nginx/stop.sh", unit.nginx_folder } end
  for _, pid in ipairs(unit.mocks or {}) do process.run { "kill", pid } end
  for _, path in ipairs(unit.folders or {}) do process.run { "rm", "-rf", path } end
  say(("%d passed, %d failed, %d skipped"):format(unit.passed, unit.failed, unit.skipped))
  if unit.passed + unit.failed + unit.skipped == 0 then
    say("no test ran")
    return 1
  end
  if unit.failed > 0 then return 1 end
  return unit.skipped > 0 and 77 or 0
end

return setmetatable(unit, {
  __call = function(_, name, fn) run(name, fn) end,
})
