-- memory_store: a run's journal in memory, with the same methods as a run folder. For runs that leave nothing behind.
local json = require "lre.json"

local Store = {}
Store.__index = Store

function Store.new()
  return setmetatable({ rows = {}, lines = 0, id = "memory" }, Store)
end

function Store:append(...)
  for _, row in ipairs { ... } do
    self.lines = self.lines + 1
    self.rows[self.lines] = type(row) == "string" and assert(json.decode(row, { max_depth = 190 })) or row
  end
end

local function pick(row, path)
  for part in path:gmatch("[^.]+") do
    row = type(row) == "table" and row[part] or nil
  end
  return row == nil and false or row
end

---As lre.journal.scan: only the named fields, `false` for what is absent.
function Store:scan(fields)
  local rows, i, last = self.rows, 0, self.lines
  return function()
    if i == last then return nil end
    i = i + 1
    local out = {}
    for _, path in ipairs(fields) do out[path] = pick(rows[i], path) end
    return out, i
  end
end

function Store.flush() end

function Store.close() end

return Store
