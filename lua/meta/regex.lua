---@meta lre.regex

---@class lre.regex
local regex = {}
---Compiles a PCRE2 pattern. flags: any of "i", "m", "s", "x". Raises on a bad pattern (a script's bug).
---@param pattern string
---@param flags string?
---@return lre.Pattern
function regex.new(pattern, flags) end
---A set of patterns with ids: `{ { id = "x", pattern = "..." }, ... }` or `{ x = "..." }` (then in sorted order of
---ids).
---@param patterns table
---@param flags string?
---@return lre.PatternSet
function regex.set(patterns, flags) end
---Escapes s so that it matches itself.
---@param s string
---@return string
function regex.escape(s) end
---@class lre.Pattern
---In the main state a hit limit gives nil, err; in a rule judge it ends the row.
local pattern = {}
---First match at or after byte init (1-based): start, stop (inclusive), captures (string, or false where unset). nil:
---none.
---@param s string
---@param init integer?
---@return integer? start, integer|lre.Error|nil stop, ...
function pattern:find(s, init) end
---Captures of the first match, or the whole match; nil: none.
---@param s string
---@param init integer?
---@return string?, ...
function pattern:match(s, init) end
---@param s string
---@return boolean?, lre.Error?
function pattern:test(s) end
---How many matches, not overlapping.
---@param s string
---@return integer?, lre.Error?
function pattern:count(s) end
---Iterates over matches as match does. Raises on a limit.
---@param s string
---@return fun(): string?, ...
function pattern:gmatch(s) end
---Replaces: `with` is a string ($1, $2, $$) or a function of the captures. Returns the text and how many.
---@param s string
---@param with string|function
---@return string?, integer|lre.Error
function pattern:gsub(s, with) end
---@class lre.PatternSet
local pattern_set = {}
---Every pattern's first match: `{ { id, start, stop, text }, ... }` in the set's order.
---@param s string
---@return table?, lre.Error?
function pattern_set:scan(s) end
---The first (in the set's order) that matches: id, start, stop. nil: none.
---@param s string
---@return string?, integer|lre.Error|nil, integer?
function pattern_set:first(s) end
---The match that begins first, whichever pattern's it is; of those that begin there the first pattern's: id, start,
---stop.
---@param s string
---@return string?, integer|lre.Error|nil, integer?
function pattern_set:leftmost(s) end
---True where any matches.
---@param s string
---@return boolean?, lre.Error?
function pattern_set:any(s) end

return regex
