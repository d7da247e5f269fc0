-- fuzz: a JSON text that was read is written canonically, and what was written is read and written the same.
local json = require "lre.json"

return function(bytes)
  local value = json.decode(bytes, { bigint = "string" })
  if value == nil then return end
  local text = assert(json.encode(value))
  assert(json.encode((json.decode(text, { bigint = "string" }))) == text, "canonical text does not stay itself")
  local wide = assert(json.encode(value, 2))
  assert(json.encode((json.decode(wide, { bigint = "string" }))) == text, "indenting changes the value")
end
