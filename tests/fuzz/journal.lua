-- fuzz: a journal of any bytes. Every line comes once, in order, as fields or as an error; opening it for writing
-- leaves whole lines, and what is then appended is its last row.
local fs, journal = require "lre.fs", require "lre.journal"

local path = "build-fuzz/journal.tmp" -- ./dev fuzz makes the folder
local FIELDS = { "type", "key", "response.text", "response.error.kind", "a.b.c" }

local function rows()
  local n, last = 0, nil
  local pull = assert(journal.scan(path, FIELDS))
  while true do
    local row, number, err = pull()
    if not row and not number then return n, last end
    n = n + 1
    assert(number == n, "a line was passed over")
    assert(row or err, "neither a row nor an error")
    last = row
  end
end

return function(bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  local before = rows()
  local handle, info = journal.open(path)
  if not handle then return end
  assert(info.lines == before, "opening and scanning count lines apart")
  assert(handle:append '{"key":"x","type":"trial"}')
  handle:close()
  local text = assert(fs.read(path, 1 << 30))
  assert(text:sub(-1) == "\n")
  local after, last = rows()
  assert(after == before + 1 and last and last.key == "x", "the appended row is not the last")
end
