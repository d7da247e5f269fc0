---@meta lre.journal

---@class lre.journal
local journal = {}
---Opens or creates: handle, `{ torn_bytes, lines }`. err.code "locked" where another process has it.
---@return lre.Journal?, table|lre.Error
function journal.open(path) end
---Whether some process has it open for appending, and its number where that can be told.
---@param path string
---@return boolean held, integer? pid
function journal.holder(path) end
---Passes over a journal's whole lines: calls per line `row, number` with only the named fields (dotted paths) of each
---JSON row, `false` for what is absent.
---A line that is not JSON gives nil, number, err: the caller says so and goes on; the end gives nothing. A torn last
---line is not a
---row. nil, err where the file cannot be opened; raises where it cannot be read.
---@param path string
---@param fields string[]
---@param rows boolean? a line that is no row of a run (err.code "foreign"), or one of a newer version ("future"), is
---not given either
---@return fun(): table?, integer?, lre.Error?
function journal.scan(path, fields, rows) end
---@class lre.Journal
local journal_object = {}
---Appends lines (text without newline) with one write; redacted first. Does not wait for the disk.
---@param ... string
---@return boolean?, lre.Error?
function journal_object:append(...) end
---Lines known to be on disk.
---@return integer?, lre.Error?
function journal_object:synced() end
---Waits (yields) until all appended lines are on disk.
---@return boolean?, lre.Error?
function journal_object:flush() end
---@return boolean?, lre.Error?
function journal_object:close() end

return journal
