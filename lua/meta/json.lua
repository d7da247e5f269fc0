---@meta lre.json

---@class lre.json
local json = {}
---Parses one JSON text, strictly. Options: `max_depth` (64), `max_bytes`, `bigint` ("error" | "string").
---Arrays carry an array metatable, null is json.null, a number with '.', 'e' or 'E' is a float.
---@param text string
---@param options table?
---@return any value, lre.Error? err
function json.decode(text, options) end
---Canonical JSON: sorted keys, shortest floats. `indent` 0 (default) or 2 (then a newline at the end). Raises nothing:
---nil, err.
---@param value any
---@param indent integer?
---@return string? text, lre.Error? err
function json.encode(value, indent) end
---Marks t as an array (so that an empty one is written as []) and returns it.
---@param t table?
---@return table
function json.array(t) end
---@param t any
---@return boolean
function json.is_array(t) end
---A number to 12 significant digits, for canonical files (integers pass through).
---@param x number
---@return number
function json.round(x) end
---@type lightuserdata
json.null = nil

return json
