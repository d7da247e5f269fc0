-- suggest: "did you mean" for every name that a person types.
local text = require "lre.text"

local suggest = {}

-- Lower is nearer; nil is too far. A third of the letters may be wrong, at least one, at most four.
local function rank(word, candidate)
  local a, b = word:lower(), candidate:lower()
  if a == b then
    return 0
  end
  if #a >= 2 and (b:sub(1, #a) == a or (#b >= 2 and a:sub(1, #b) == b)) then
    return 1
  end
  local distance = text.distance(a, b)
  local allowed = math.max(1, math.min(4, math.max(#a, #b) // 3))
  return distance <= allowed and 1 + distance or nil
end

---The candidates that `word` may have meant, nearest first: another case, a common beginning, then few wrong letters.
---@param word string
---@param list string[]
---@param max integer? how many at most (3)
---@return string[]
function suggest.nearest(word, list, max)
  local found = {}
  -- Nobody types names of this length; the distance costs their product.
  if #word > 200 then
    return found
  end
  for _, candidate in ipairs(list) do
    local distance = #candidate <= 200 and rank(word, candidate)
    if distance then
      found[#found + 1] = { name = candidate, rank = distance }
    end
  end
  table.sort(found, function(a, b)
    if a.rank ~= b.rank then
      return a.rank < b.rank
    end
    return a.name < b.name
  end)
  local names = {}
  for i = 1, math.min(#found, max or 3) do
    names[i] = found[i].name
  end
  return names
end

---' Did you mean "x" or "y"?' with its leading blank, or "" where nothing is near.
---@param word string
---@param list string[]
---@return string
function suggest.sentence(word, list)
  local names = suggest.nearest(tostring(word), list, 2)
  if #names == 0 then
    return ""
  end
  return (' Did you mean "%s"?'):format(table.concat(names, '" or "'))
end

return suggest
