---@meta lre.clock

---@class lre.clock
local clock = {}
---Seconds since some start; never jumps.
---@return number
function clock.mono() end
---Seconds since 1970 (SOURCE_DATE_EPOCH fixes it).
---@return number
function clock.unix() end
---UTC, "2025-01-01T12:30:00.123456Z"; without `unix` it is now; `micros` (default true).
---@param unix number?
---@param micros boolean?
---@return string
function clock.iso(unix, micros) end
---"YYYYmmdd_HHMMss" in UTC.
---@param unix number?
---@return string
function clock.stamp(unix) end
---Seconds since 1970 of an HTTP date, or nil.
---@param s string
---@return integer?
function clock.http_date(s) end
---SOURCE_DATE_EPOCH where set and valid; nil, err (code "invalid") where set and not a non-negative integer.
---@return integer?, lre.Error?
function clock.epoch() end

return clock
