---@meta lre.fs

---@class lre.fs
local fs = {}
---@return string?, lre.Error?
function fs.read(path, max_bytes) end
---Temporary name, fsync, rename.
---@return boolean?, lre.Error?
function fs.write(path, data) end
---Makes a folder; `created` false where it was there. With parents like mkdir -p.
---@return boolean? created, lre.Error?
function fs.mkdir(path, parents) end
---`{ type = "file"|"folder"|"other", size, mtime }` or nil where missing.
---@return table?, lre.Error?
function fs.stat(path) end
---Are both there, and the same file, by whatever names and links?
---@return boolean
function fs.same(a, b) end
---Sorted names.
---@return string[]?, lre.Error?
function fs.list(path) end
---Iterates: line (without newline), number, offset, ended. Raises an lre.Error. One line in memory at a time.
---@return fun(): string?, integer?, integer?, boolean?
function fs.lines(path, max_line_bytes) end
---@return boolean?, lre.Error?
function fs.remove(path) end
---Writes to standard output or error and flushes: nil, err where that fails (a closed pipe, a full disk).
---@param stream "stdout"|"stderr"
---@return boolean?, lre.Error?
function fs.print(stream, data) end

return fs
