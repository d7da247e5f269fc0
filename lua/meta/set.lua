---@meta lre.set

---@class lre.set
local set = {}
---A set of strings in 8 bytes each (64-bit hashes): "probably seen".
---@param expected integer?
---@return lre.Set
function set.new(expected) end
---@class lre.Set
local set_object = {}
---@param key string
---@return boolean added false: was (probably) there
function set_object:add(key) end
---@param key string
---@return boolean
function set_object:has(key) end
---@return integer
function set_object:count() end

return set
