-- metrics: what a suite or a judge says is to be measured: the rate of one label among others, or the mean of a number
-- that verdicts carry.
local json = require "lre.json"
local shape = require "lre.shape"

local metrics = {}

local mean_path = {
  what = '"value" or a path below value or evidence',
  check = function(_, value, path, out)
    local first, rest = tostring(value):match "^([^.]+)%.?(.*)$"
    local fits = first == "value" or first == "evidence" and rest ~= ""
    if type(value) ~= "string" or not fits or value:find "%.%." or value:find "%.$" then
      local expected = 'expected "value", or a path like "value.overall" or "evidence.safety.score", got '
      out[#out + 1] = { path = path, detail = expected .. shape.show(value) }
    end
  end,
}

-- A metric is a rate or a mean.
local function check_entry(value, path, out)
  local function say(field, detail) out[#out + 1] = { path = path .. "." .. field, detail = detail } end
  if value.mean ~= nil then
    if value.rate ~= nil or value.of ~= nil then say("mean", "a metric is a rate or a mean; give one") end
  elseif value.min ~= nil or value.max ~= nil then
    say(value.min ~= nil and "min" or "max", "only a mean has one: a rate is from 0 to 1")
  elseif value.rate == nil then
    say("rate", "expected a label or several (or `mean`, for the mean of a number), got nil")
  elseif value.of == nil then
    say("of", "expected the list of labels that are counted, got nil")
  end
end

local function fields(more)
  local all = {
    rate = shape.optional(shape.either(shape.string { min = 1 }, shape.list(shape.string { min = 1 }, { min = 1 }))),
    of = shape.optional(shape.list(shape.string { min = 1 }, { min = 1 })),
    -- Where a verdict has the number: "value", or a path in its value or evidence.
    mean = shape.optional(mean_path),
    min = shape.optional(shape.number()), -- of that number: what its interval cannot go beyond
    max = shape.optional(shape.number()),
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
    if #out > before then
      return
    end
    for name, entry in pairs(value) do
      check_entry(entry, path .. (type(name) == "number" and ("[%d]"):format(name) or "." .. name), out)
    end
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

---A declared `metrics` table as a list, the primary one first: `{ name, rate = label, of = { labels } }` or
---`{ name, mean = path }`.
---@param declared table?
---@return lre.Metric[]?
function metrics.normalise(declared)
  if not declared then
    return nil
  end
  local list = json.array {}
  local function add(name, entry, at)
    table.insert(list, at, { name = name, rate = entry.rate, of = entry.of, mean = entry.mean,
      min = entry.min, max = entry.max,
      summary = entry.summary })
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
