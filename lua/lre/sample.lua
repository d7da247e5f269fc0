-- sample: which samples of a suite `--sample N --seed K` takes: those of CPython's random.Random(K).sample, in suite
-- order.
local mt19937 = require "lre.mt19937"

local sample = {}

---The tag that a sampled suite's name carries; "" where every sample is taken by N == M.
---@param n integer asked for
---@param count integer how many the suite has
---@param seed integer
---@return string
function sample.tag(n, count, seed)
  if n == count then return "" end
  if n > count then return ("[sampled %d/%d, seed=%d, capped]"):format(count, count, seed) end
  return ("[sampled %d/%d, seed=%d]"):format(n, count, seed)
end

---The chosen positions as a set, 1-based; nil where all are taken.
---@return table<integer, boolean>?
function sample.positions(n, count, seed)
  if n >= count then return nil end
  local chosen = {}
  for _, index in ipairs(mt19937.new(seed):sample(count, n)) do chosen[index + 1] = true end
  return chosen
end

return sample
