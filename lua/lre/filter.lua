-- filter: which samples of a suite are asked: --filter by id, category or subcategory, with * and ? for any text and
-- any character. Of one field any pattern may match; of several fields each must.
local shape = require "lre.shape"
local suggest = require "lre.suggest"

local filter = {}

local FIELDS = { "id", "category", "subcategory" }

local function contains(word)
  for _, name in ipairs(FIELDS) do
    if name == word then return true end
  end
  return false
end

-- "PI-*" as a Lua pattern.
local function pattern_of(glob)
  local out = glob:gsub("%*+", "*"):gsub("[^%w%s*?_\128-\255]", "%%%0")
  return "^" .. out:gsub("%*", ".-"):gsub("%?", "[%%z\1-\127\194-\244][\128-\191]*") .. "$"
end

---What --filter says: "GLOB" (an id), "category=GLOB", "subcategory=GLOB", "id=GLOB". nil where nothing is filtered.
---Raises { exit = 2 }.
---@param words string[]
---@return table? filter { id = { patterns }, ... }
function filter.parse(words)
  if #words == 0 then return nil end
  local out = {}
  for _, word in ipairs(words) do
    local field, glob = word:match "^(%w+)=(.*)$"
    if field and not contains(field) then
      shape.fail(('--filter: "%s": expected id, category or subcategory before "=".%s'):format(word,
        suggest.sentence(field, FIELDS)), 2)
    end
    field, glob = field or "id", glob or word
    if glob == "" then shape.fail(('--filter: "%s": expected a pattern such as PI-*, got none'):format(word), 2) end
    out[field] = out[field] or {}
    table.insert(out[field], pattern_of(glob))
  end
  return out
end

---Does a sample pass?
---@param self table what `parse` gave
---@param sample lre.Sample
function filter.passes(self, sample)
  for _, field in ipairs(FIELDS) do
    local matched = self[field] == nil
    for _, pattern in ipairs(self[field] or {}) do
      matched = matched or type(sample[field]) == "string" and sample[field]:find(pattern) ~= nil
    end
    if not matched then return false end
  end
  return true
end

return filter
