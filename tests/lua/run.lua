-- Runs test files: lre script tests/lua/run.lua -- [-q] [--gc] [file...]; without files, all of this folder.
-- -q: only what failed or was skipped. --gc: the collector never rests, which shows what was not anchored.
local fs = require "lre.fs"
local unit = require "lre.unit"

local files = {}
for _, word in ipairs(arg) do
  if word == "-q" then unit.quiet = true
  elseif word == "--gc" then collectgarbage("incremental", 1, 1000, 1)
  else files[#files + 1] = word end
end

if #files == 0 then
  local folder = unit.root .. "/tests/lua"
  for _, name in ipairs(assert(fs.list(folder))) do
    if name:match("%.lua$") and name ~= "run.lua" then files[#files + 1] = folder .. "/" .. name end
  end
end

for _, path in ipairs(files) do
  unit.file = path:match("[^/]+$")
  local chunk, err = loadfile(path, "t")
  unit("the_file_loads", function()
    unit.ok(chunk, err)
    chunk()
  end)
end
return unit.finish()
