---@meta lre.csv

---@class lre.csv
local csv = {}
---Iterates over the records of a CSV text: fields (a list of strings), line (1-based). Raises an lre.Error on bad
---quoting.
---@param text string
---@return fun(): string[]?, integer?
function csv.records(text) end
---One record as text, with "\n".
---@param fields string[]
---@return string
function csv.format(fields) end

return csv
