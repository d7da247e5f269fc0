-- fuzz: a JSONL suite of any bytes is samples or problems with their lines; nothing else.
local fs, suite = require "lre.fs", require "lre.suite"

local path = "build-fuzz/suite.jsonl" -- ./dev fuzz makes the folder

return function(bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  local ok, opened = pcall(suite.open, path)
  local checked
  if ok then ok, checked = pcall(opened.check, opened) end
  if not ok then
    local err = checked or opened
    assert(type(err) == "table" and err.exit, tostring(err))
    return
  end
  for _, problem in ipairs(checked.problems) do assert(problem.message, "a problem without words") end
  assert(fs.stat(path))
end
