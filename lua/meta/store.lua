---@meta lre.store

---@class lre.store
local store = {}
---Opens or makes the index over a run's journal (state.sqlite). Without a path a temporary one. One that is foreign,
---older or damaged is made anew.
---@param path string?
---@return lre.Store?, lre.Error?
function store.open(path) end
---@class lre.Store
local store_object = {}
---Brings it up to date with what the journal has now, on a thread of its own (waits; meanwhile the index is good for
---nothing else): { rebuilt, n_problems, problems = { { line, err } } }. Of the problems (lines that are not taken;
---err.code "duplicate": a second answer to one key, which is taken) the first 100.
---@param journal string
---@return table?, lre.Error?
function store_object:update(journal) end
---What is in it: { done, failed, verdicts, lines }.
---@return table?, lre.Error?
function store_object:count() end
---The keys that have a good answer, also those of lines that are not indexed yet.
---@param journal string
---@param expected integer?
---@return lre.Set?, lre.Error?
function store_object:answered(journal, expected) end
---Writes the trials as a table, twice: { journal, csv, parquet (paths), judges = { { name, hash } }, left_out and
---left_out_verdict (dotted names) }.
---@param spec table
---@return boolean?, lre.Error?
function store_object:table(spec) end
---The trials in the order of their keys: the journal's line of each, and the lines of its verdicts as they came.
---@param journal string
---@return fun(): string?, string[]?
function store_object:trials(journal) end
function store_object:close() end

return store
