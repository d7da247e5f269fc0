---@meta lre.writer

---@class lre.writer
local writer = {}
---A function that writes an object of these fields (names of small letters and _) as canonical JSON: its arguments are
---the values in the order of `names`, nil leaves a field out; those of `encoded` are canonical JSON already.
---@param names string[]
---@param encoded string[]?
---@return fun(...): string?, lre.Error?
function writer.new(names, encoded) end

return writer
