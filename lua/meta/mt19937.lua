---@meta lre.mt19937

---@class lre.mt19937
local mt19937 = {}
---A generator that draws what CPython's random.Random(seed) draws.
---@param seed integer
---@return lre.Random
function mt19937.new(seed) end
---@class lre.Random
local random = {}
---@return number in [0, 1)
function random:random() end
---@param n integer
---@return integer in [0, n)
function random:below(n) end
---random.sample(range(population), n), 0-based, in draw order.
---@param population integer
---@param n integer
---@return integer[]
function random:sample(population, n) end

return mt19937
