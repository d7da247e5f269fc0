---@meta lre.hash

---@class lre.hash
local hash = {}
---SHA-256 in lower-case hex.
---@param s string
---@return string
function hash.sha256(s) end
---SHA-1 in lower-case hex, for ids that other programs made with it; it protects nothing.
---@param s string
---@return string
function hash.sha1(s) end
---First 8 bytes of SHA-256, big-endian, over 2^64: a number in [0, 1).
---@param s string
---@return number
function hash.unit(s) end
---A running SHA-256.
---@return lre.Hasher
function hash.new() end
---@class lre.Hasher
local hasher = {}
---@param s string
---@return lre.Hasher self
function hasher:update(s) end
---@return string hex
function hasher:hex() end

return hash
