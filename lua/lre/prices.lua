-- prices: what a model's tokens cost. Tables with dates, in Lua: the bundled one (lua/prices.lua) and one of the
-- user's.
local fs = require "lre.fs"
local platform = require "lre.platform"
local shape = require "lre.shape"

local prices = {}

local usd = shape.number { min = 0, max = 1e6 }

local schema = shape.list(shape.record {
  provider = shape.string { min = 1 },
  model = shape.string { min = 1 },
  input = usd, output = usd, cached = shape.optional(usd),
  taken = shape.string { pattern = "^%d%d%d%d%-%d%d%-%d%d$", what = 'a date such as "2025-09-01"' },
  source = shape.optional(shape.string()),
})

-- A table of prices is data: it sees nothing and can call nothing.
local function read(path)
  local source, err = fs.read(path, 1 << 20)
  if not source then error({ exit = 3, message = ("%s: %s"):format(path, tostring(err)) }, 0) end
  local chunk, why = load(source, "@" .. path, "t", {})
  if not chunk then error({ exit = 3, message = tostring(why) }, 0) end
  local ok, rows = pcall(chunk)
  if not ok then error({ exit = 3, message = tostring(rows) }, 0) end
  shape.assert(schema, rows, path)
  for _, row in ipairs(rows) do row.file = path end
  return rows
end

---Rows of prices, the user's first. `path`: a file of theirs (nil: ./prices.lua where it is there).
---Raises { exit = 3 } with file and field.
---@param path string?
function prices.open(path)
  local own = path or fs.stat "prices.lua" and "prices.lua"
  local rows = own and read(own) or {}
  local bundled = read(platform.lua_dir .. "/prices.lua")
  return table.move(bundled, 1, #bundled, #rows + 1, rows)
end

-- "gpt-4o-mini-2024-07-18", "claude-3-haiku-20240307", "x-latest", "x@20250101": the name without its date.
local function undated(id)
  local bare = id:gsub("[-@]%d%d%d%d%-%d%d%-%d%d$", ""):gsub("[-@]%d%d%d%d%d%d%d%d$", ""):gsub("%-latest$", "")
  return (bare:gsub("%-%d%d%d$", ""))
end

local function matches(pattern, id)
  if pattern == id then return true end
  local head, tail = pattern:match "^(.-)%*(.*)$"
  if not head then return false end
  return #id >= #head + #tail and id:sub(1, #head) == head and (tail == "" or id:sub(-#tail) == tail)
end

local function lookup(rows, provider, id)
  for _, wanted in ipairs { id, undated(id) } do
    for _, row in ipairs(rows) do
      if (row.provider == provider or row.provider == "*") and matches(row.model, wanted) then return row end
    end
  end
end

-- Which adapter a router's vendor is: routers pass a vendor's list price on.
local vendors = { openai = "openai", anthropic = "anthropic", google = "gemini" }

---The row for a model, or nil where nothing is known of it.
---@param rows table what prices.open gave
---@param provider string the adapter's name
---@param id string
function prices.find(rows, provider, id)
  local row = lookup(rows, provider, id)
  if row or provider ~= "openrouter" then return row end
  local vendor, name = id:match "^([^/]+)/(.+)$"
  return vendors[vendor] and lookup(rows, vendors[vendor], name)
end

---What so many tokens cost, in billionths of a dollar, rounded up: sums of integers are the same in any order.
---@return integer
function prices.cost(row, input_tokens, output_tokens, cached_tokens)
  local cached = math.min(cached_tokens or 0, input_tokens)
  local micro = (input_tokens - cached) * row.input + cached * (row.cached or row.input) + output_tokens * row.output
  return math.ceil(micro * 1000)
end

return prices
