---@meta lre.sched

---@class lre.sched
local sched = {}
---Starts a task. Returns its handle. A task that fails while nobody ever waits for it is reported on stderr, one line,
---when its handle
---is collected or the process ends; the exit code is then not 0.
---@return lre.Task
function sched.spawn(fn, ...) end
---@param seconds number
function sched.sleep(seconds) end
---Runs fn(...) in this task with a deadline: nil, err (kind "limit", code "deadline") when it passes. Its errors pass
---through.
---A coroutine cannot yield out of a deadline that it began itself.
function sched.deadline(seconds, fn, ...) end
---A gate for at most `limit` holders, FIFO. `limit` can be changed.
---@return lre.Gate
function sched.gate(limit) end
---A one-shot signal: :wait() returns what :set(...) was given; also after it was set.
---@return lre.Event
function sched.event() end
---True once SIGINT or SIGTERM came: start nothing new, finish what runs. Second result: the signal's number.
---@return boolean, integer?
function sched.interrupted() end
---What the first SIGINT or SIGTERM from now on says on standard error, at once and once. nil: nothing.
---@param text string?
function sched.notice(text) end
---Names the running task for SIGUSR1's print.
function sched.name(text) end
---@class lre.Task
local task = {}
---Waits for the end: what the function returned; raises what it raised.
function task:wait() end
function task:cancel() end
---@return "running"|"done"|"failed"|"cancelled"
function task:status() end
---@class lre.Gate
local gate = {}
---Waits for a place. Use as `local place <close> = gate:enter()`, or place:leave().
---@return lre.Place
function gate:enter() end
function gate:resize(limit) end
---@class lre.Place
local place = {}
function place:leave() end
---@class lre.Event
local event = {}
function event:set(...) end
function event:wait() end

return sched
