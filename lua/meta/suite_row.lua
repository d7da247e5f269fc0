---@meta lre.suite_row

---@class lre.suite_row
local suite_row = {}
---A line of a suite's file that is { id, text or prompt, category?, subcategory? }, all strings and none blank: id,
---category and the sample's canonical JSON. Nothing for any other line, also a wrong one.
---@param line string
---@return string? id, string? category, string? encoded
function suite_row.common(line) end

return suite_row
