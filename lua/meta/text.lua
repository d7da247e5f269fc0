---@meta lre.text

---@class lre.text
local text = {}
---True, or false and the byte offset (0-based) of the first bad byte.
---@param s string
---@return boolean, integer?
function text.valid_utf8(s) end
---Bad bytes become U+FFFD; how many.
---@param s string
---@return string, integer
function text.repair_utf8(s) end
---Safe for a terminal: control bytes, escape sequences, bidi controls and bad UTF-8 become visible (\x1b, \u{202e});
---newlines and tabs stay where `multiline`.
---@param s string
---@param multiline boolean?
---@return string
function text.terminal(s, multiline) end
---@param s string
---@return string
function text.html(s) end
---Edit distance (Damerau-Levenshtein, bytes), for "did you mean".
---@param a string
---@param b string
---@return integer
function text.distance(a, b) end
---How many columns s takes on a terminal (wide characters 2, combining 0).
---@param s string
---@return integer
function text.columns(s) end
---Leading and trailing whitespace removed.
---@param s string
---@return string
function text.trim(s) end

return text
