-- expect: what results must hold: `--expect 'refusal_rate.low >= 0.8'`. An expectation is checked on every row that has
-- its metric; what cannot be checked (no such metric, no data) does not hold.
local json = require "lre.json"
local shape = require "lre.shape"
local suggest = require "lre.suggest"

local expect = {}

local COMPARE = {
  [">="] = function(a, b) return a >= b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  ["<"] = function(a, b) return a < b end,
  ["=="] = function(a, b) return a == b end,
}

-- `rate` and `value` mean the same.
local FIELDS = { rate = "value", value = "value", low = "low", high = "high", n = "n", coverage = "coverage" }

-- Counts of a row that an expectation may name instead of a metric.
local COUNTS = { total = true, truncated = true, filtered = true, undecided = true, unscored = true,
  generation_errors = true, judge_errors = true }

local FORM = "[CATEGORY.]METRIC[.rate|.low|.high|.n|.coverage] >=|<=|>|<|== NUMBER"

---One expectation, parsed: what it says of names is checked against results. Raises { exit = 2 }.
---@param source string
---@return { text: string, path: string, field: string, op: string, number: number }
function expect.parse(source)
  local left, op, right = source:match "^%s*(.-)%s*([<>=]=?)%s*(%S+)%s*$"
  local number = right and right:match "^[-+]?[%d.][%d.eE+-]*$" and tonumber(right)
  if not left or left == "" or left:find "[<>=]" or not COMPARE[op] or not number then
    shape.fail(("--expect: expected %s, got %s"):format(FORM, shape.quote(source)), 2)
  end
  local path, last = left:match "^(.+)%.([^.]+)$"
  local field = last and FIELDS[last]
  return { text = ("%s %s %s"):format(left, op, right), path = field and path or left, field = field or "value",
    op = op, number = number }
end

---All of them. Raises { exit = 2 } at the first that cannot be read.
---@param sources string[]
function expect.parse_all(sources)
  local out = {}
  for i, source in ipairs(sources) do out[i] = expect.parse(source) end
  return out
end

-- "harmful.refusal_rate" on a row with that metric: the metric's name, and the category. `rate`: the primary metric.
local function split(path, names, primary)
  local function known(word)
    return word == "rate" and primary or (names[word] or COUNTS[word]) and word
  end
  if known(path) then return known(path) end
  for at = #path, 1, -1 do
    if path:sub(at, at) == "." and known(path:sub(at + 1)) then return known(path:sub(at + 1)), path:sub(1, at - 1) end
  end
end

-- The number that an expectation is about, in a row or category; nil where there is none.
local function number_of(one, name, part)
  if COUNTS[name] then return part[name] end
  local metric = part.metrics[name]
  if not metric then return nil end
  if one.field == "coverage" then return part.total > 0 and metric.n / part.total or 0 end
  local value = metric[one.field]
  return value ~= json.null and value or nil
end

local function found_text(one, name, part)
  local value = number_of(one, name, part)
  if not value then return ("no data: 0 of %d trials were judged"):format(part.total) end
  local metric = part.metrics[name]
  local said = math.type(value) == "integer" and tostring(value) or ("%.6g"):format(value)
  return metric and ("found %s (n = %d of %d)"):format(said, metric.n, part.total) or "found " .. said
end

local function check_row(one, row)
  local name, category = split(one.path, row.metrics, row.primary)
  if not name then return nil end
  local part = row
  if category then
    part = (row.categories or {})[category]
    if not part then return nil end
  end
  local value = number_of(one, name, part)
  return { text = one.text, row = row, holds = value ~= nil and COMPARE[one.op](value, one.number),
    found = found_text(one, name, part) }
end

-- What may be named: for an expectation that names nothing.
local function known_paths(results)
  local seen, list = {}, {}
  local function add(path)
    if not seen[path] then list[#list + 1] = path end
    seen[path] = true
  end
  for _, row in ipairs(results.rows) do
    for _, name in ipairs(shape.keys(row.metrics)) do
      add(name)
      for _, category in ipairs(shape.keys(row.categories or {})) do add(category .. "." .. name) end
    end
  end
  table.sort(list)
  return list
end

---Checks expectations on results: a list of { text, row?, holds, found } in the order of expectations, then rows. One
---that no row has is there without a row, and does not hold.
---@param parsed table[] see parse_all
---@param results table
---@return { text: string, row: table?, holds: boolean, found: string }[] outcomes, boolean all_hold
function expect.check(parsed, results)
  local out, good = {}, true
  for _, one in ipairs(parsed) do
    local before = #out
    for _, row in ipairs(results.rows) do out[#out + 1] = check_row(one, row) end
    if #out == before then
      local known = known_paths(results)
      out[#out + 1] = { text = one.text, holds = false, found = ("no row has %s.%s Known: %s"):format(
        shape.quote(one.path), suggest.sentence(one.path, known), #known > 0 and table.concat(known, ", ") or "none") }
    end
  end
  for _, outcome in ipairs(out) do good = good and outcome.holds end
  return out, good
end

---Raises { exit = 2 } where an expectation names a metric that no judge of the plan measures: said before anything is
---sent. Categories are known when the suite has been asked.
---@param parsed table[]
---@param inputs table see lre.results.inputs
function expect.check_names(parsed, inputs)
  local names, list, primary = {}, {}, nil
  for _, judge in ipairs(inputs.judges) do
    for _, metrics in pairs(judge.metrics_of) do
      for i, metric in ipairs(metrics) do
        primary = primary or i == 1 and metric.name
        if not names[metric.name] then list[#list + 1] = metric.name end
        names[metric.name] = true
      end
    end
  end
  table.sort(list)
  for _, one in ipairs(parsed) do
    if not split(one.path, names, primary) then
      shape.fail(("--expect: %s: no judge of this run measures it.%s Known: %s"):format(shape.quote(one.text),
        suggest.sentence(one.path, list), table.concat(list, ", ")), 2)
    end
  end
end

---What is said of expectations on standard error: a line for each that does not hold.
---@return string
function expect.describe(outcomes)
  local lines = {}
  for _, o in ipairs(outcomes) do
    local where = o.row and ("%s, %s, %s, %s: "):format(o.row.suite, o.row.model, o.row.persona, o.row.judge) or ""
    if not o.holds then lines[#lines + 1] = ("does not hold: %s: %s%s\n"):format(o.text, where, o.found) end
  end
  return table.concat(lines)
end

return expect
