-- pairing: the trials that two runs have in common, one after the other. However many there are, what is held is a hash
-- a trial and side: the journals are read again instead.
local plan = require "lre.plan"
local set = require "lre.set"

local pairing = {}

---What two trials must share to be a pair: the key without the model.
---@param key string
---@return string
function pairing.id(key)
  return (key:gsub("|[^|#]*(#?%d*)$", "%1"))
end

-- ---- what became of each trial of a side ----

-- A word is an outcome behind "+" (a label) or "-" (none).
local Side = {}
Side.__index = Side

local function new_side(source, judge, wanted)
  local self = setmetatable({ source = source, wanted = wanted, judge = judge, words = {}, known = {},
    there = set.new() }, Side)
  source:outcomes({ [judge] = true }, function(key, outcome, scored, by)
    if by and wanted(key) then self:note(pairing.id(key), (scored and "+" or "-") .. outcome) end
  end)
  return self
end

function Side:note(id, word)
  if not self.known[word] then
    self.known[word], self.words[#self.words + 1] = true, word
  end
  self.there:add(id .. "\0" .. word)
end

function Side:find(id)
  for _, word in ipairs(self.words) do
    if self.there:has(id .. "\0" .. word) then return word end
  end
end

-- Calls each(key, category, word) for every trial; one without a verdict failed, or is unscored.
function Side:trials(each)
  self.source:trials_of(function(key, category, failed)
    if not self.wanted(key) then return end
    each(key, category, self:find(pairing.id(key)) or failed and "-generation_error" or "-unscored")
  end)
end

-- ---- both ----

local Pairing = {}
Pairing.__index = Pairing

-- The trials of a model on some suites and personas ({ suite = { name }, persona }).
local function filter(model, rows)
  local cells = {}
  for _, one in ipairs(rows) do cells[one.suite.name .. "\0" .. one.persona] = true end
  return function(key)
    local suite, _, who, label = plan.parse_key(key)
    return suite ~= nil and label == model and cells[suite .. "\0" .. who] or false
  end
end

---a, b: { source, model, rows }. After the first `each`, `both` is how many pairs there are, and only_a and only_b how
---many trials of one side.
---@param a table
---@param b table
---@param judge string
function pairing.of(a, b, judge)
  local self = setmetatable({ a = new_side(a.source, judge, filter(a.model, a.rows)),
    b = new_side(b.source, judge, filter(b.model, b.rows)) }, Pairing)
  local trials_b = 0
  self.b:trials(function(key, _, word)
    trials_b = trials_b + 1
    if word:sub(1, 1) == "-" then self.b:note(pairing.id(key), word) end
  end)
  self.trials_b = trials_b
  return self
end

---Calls each(key, category, x, y) for every pair, in the order of A's journal. x, y: { outcome, scored } of A and of B.
---@param each fun(key: string, category: string?, x: table, y: table)
function Pairing:each(each)
  local parts = {}
  local function taken_apart(word)
    parts[word] = parts[word] or { outcome = word:sub(2), scored = word:sub(1, 1) == "+" }
    return parts[word]
  end
  local both, only_a = 0, 0
  self.a:trials(function(key, category, word)
    local other = self.b:find(pairing.id(key))
    if not other then
      only_a = only_a + 1
      return
    end
    both = both + 1
    each(key, category, taken_apart(word), taken_apart(other))
  end)
  self.both, self.only_a, self.only_b = both, only_a, self.trials_b - both
end

return pairing
