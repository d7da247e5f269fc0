-- civil: days of the civil calendar since 1970-01-01, whatever the machine's zone (os.time would use it).
-- https://howardhinnant.github.io/date_algorithms.html#days_from_civil
local civil = {}

---@param year integer
---@param month integer
---@param day integer
---@return integer
function civil.days(year, month, day)
  if month <= 2 then year = year - 1 end
  local era, of_era = year // 400, year % 400
  local of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

---Seconds since 1970 of "2025-01-01T12:30:00", taken as UTC whatever follows; nil where s begins otherwise.
---@param s string
---@return integer?
function civil.seconds(s)
  local y, m, d, hour, minute, second = s:match "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt](%d%d):(%d%d):(%d%d)"
  if not y then return nil end
  local days = civil.days(math.tointeger(y), math.tointeger(m), math.tointeger(d))
  return ((days * 24 + math.tointeger(hour)) * 60 + math.tointeger(minute)) * 60 + math.tointeger(second)
end

return civil
