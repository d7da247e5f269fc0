-- metrics: what a suite or a judge says is to be measured: the rate of one label among others.
local json = require "lre.json"
local shape = require "lre.shape"

local metrics = {}

local function fields(more)
  local all = {
    rate = shape.string { min = 1 },
    of = shape.list(shape.string { min = 1 }, { min = 1 }),
    primary = shape.optional(shape.boolean()),
    summary = shape.optional(shape.string()),
  }
  for key, schema in pairs(more or {}) do
    all[key] = schema
  end
  return shape.record(all)
end

local either = shape.either(shape.list(fields { name = shape.name }, { min = 1 }), shape.map(fields()))

-- Lua does not keep the order of `{ a = ..., b = ... }`: which is the first must be said.
metrics.schema = {
  what = either.what,
  check = function(_, value, path, out)
    local before = #out
    either:check(value, path, out)
    if #out > before or #value > 0 or #shape.keys(value) < 2 then
      return
    end
    local primary = 0
    for _, entry in pairs(value) do
      primary = primary + (entry.primary and 1 or 0)
    end
    if primary ~= 1 then
      local expected = "expected one metric with `primary = true` (or a list: { { name = ... }, ... }), got %d"
      out[#out + 1] = { path = path, detail = expected:format(primary) }
    end
  end,
}

---A declared `metrics` table as a list, the primary one first: `{ name, rate = label, of = { labels } }`.
---@param declared table?
---@return lre.Metric[]?
function metrics.normalise(declared)
  if not declared then
    return nil
  end
  local list = json.array {}
  local function add(name, entry, at)
    table.insert(list, at, { name = name, rate = entry.rate, of = entry.of, summary = entry.summary })
  end
  for _, entry in ipairs(declared) do
    add(entry.name, entry, entry.primary and 1 or #list + 1)
  end
  if #declared == 0 then
    for _, name in ipairs(shape.keys(declared)) do
      add(name, declared[name], declared[name].primary and 1 or #list + 1)
    end
  end
  return list
end

return metrics
