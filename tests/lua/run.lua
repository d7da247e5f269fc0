-- Runs test files: lre script tests/lua/run.lua -- [-q] [--gc] [file...]; without files, all of this folder.
-- -q: only what failed or was skipped. --gc: the collector never rests, which shows what was not anchored.
-- Exit 1: one failed; 77: none failed, one was skipped.
-- Several files get a process each: a key that one of them loads is hidden from that process for good.
local fs = require "lre.fs"
local process = require "lre.process"
local unit = require "lre.unit"

local files, flags = {}, {}
for _, word in ipairs(arg) do
  if word:sub(1, 1) == "-" then flags[#flags + 1] = word
  else files[#files + 1] = word end
end

if #files == 0 then
  local folder = unit.root .. "/tests/lua"
  for _, name in ipairs(assert(fs.list(folder))) do
    if name:match("%.lua$") and name ~= "run.lua" then files[#files + 1] = folder .. "/" .. name end
  end
end

local function run_here(path)
  for _, flag in ipairs(flags) do
    if flag == "-q" then unit.quiet = true
    elseif flag == "--gc" then collectgarbage("incremental", 1, 1000, 1)
    else error({ exit = 2, message = "unknown flag " .. flag }) end
  end
  unit.file = path:match("[^/]+$")
  local chunk, err = loadfile(path, "t")
  unit("the_file_loads", function()
    unit.ok(chunk, err)
    chunk()
  end)
end

local function run_apart(path)
  local argv = { unit.program, "script", unit.root .. "/tests/lua/run.lua", "--" }
  table.move(flags, 1, #flags, #argv + 1, argv)
  argv[#argv + 1] = path
  local out = assert(process.run(argv))
  local passed, failed, skipped = out.out:match("(%d+) passed, (%d+) failed, (%d+) skipped\n$")
  fs.print("stdout", (out.out:gsub("[^\n]*\n$", "")))
  fs.print("stderr", out.err)
  unit.passed, unit.skipped = unit.passed + (passed or 0), unit.skipped + (skipped or 0)
  unit.failed = unit.failed + (failed or 1)
  if not failed then print("FAILED  " .. path .. ": ended with " .. (out.exit or "signal " .. out.signal)) end
end

for _, path in ipairs(files) do
  if #files == 1 then run_here(path) else run_apart(path) end
end
return unit.finish()
