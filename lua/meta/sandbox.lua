---@meta lre.sandbox

---@class lre.sandbox
local sandbox = {}
---Builds a judge's state: spec = { name = "@judges/x.lua", source, modules = { name = { chunk, source } }, options =
---table?, limits = { steps, bytes, regex_match } }.
---@return lre.Sandbox?, lre.Error?
function sandbox.new(spec) end
---Judges the lines of a file of answers, { id, prompt, response }, on a worker thread (waits): a line a row and judge.
---`name` is what stands between a row's id and the verdict. Lines of another shape are left out: `odd` has each one's
---number, the byte of the result before which it belongs, and its text.
---@param judges { [1]: lre.Sandbox, [2]: string }[] sandbox, name
---@param text string whole lines
---@return string? lines, lre.Error|{ lines: integer, rows: integer, errors: integer, odd: table[] }
function sandbox.judge_lines(judges, text) end
---@class lre.Sandbox
local sandbox_object = {}
---A plain copy of the table that the chunk returned; functions are placeholders.
---@return table?, lre.Error?
function sandbox_object:declared() end
---Judges one row (JSON text of { trial, response }): the verdict as a table. nil, err only for what is not the judge's
---fault.
---@return table?, lre.Error?
function sandbox_object:judge(row_json) end
---Judges lines on a worker thread (waits): a verdict line a row line, in order.
---@return string?, lre.Error?
function sandbox_object:judge_block(rows) end
---Frees the states that wait; one that is needed again is built again.
function sandbox_object:rest() end
function sandbox_object:close() end

return sandbox
