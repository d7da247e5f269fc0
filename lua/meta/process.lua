---@meta lre.process

---@class lre.process
local process = {}
---Runs a program and waits: `{ argv..., input = "", timeout = seconds, max_bytes }`. No shell. Returns `{ exit,
---signal, out, err }` or nil, err.
---@return table?, lre.Error?
function process.run(request) end

return process
