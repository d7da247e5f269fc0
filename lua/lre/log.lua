-- log: what is said on standard error, by level, and the run's log file. Every line is redacted.
local clock = require "lre.clock"
local fs = require "lre.fs"
local http = require "lre.http"
local text = require "lre.text"

local log = {}

local RANK = { DEBUG = 1, INFO = 2, WARNING = 3, ERROR = 4 }
local level = "WARNING"
local file -- the run's log; nil outside a run
local done, total = 0, 0
local over -- clears what is drawn on standard error

---Sets (and returns) what is shown on standard error: "DEBUG" | "INFO" | "WARNING" | "ERROR".
function log.level(name)
  if name then level = name end
  return level
end

---True where a message of that level would be shown or written: building an expensive one can be left out.
function log.enabled(name)
  return RANK[name] >= RANK[level] or (file ~= nil and RANK[name] >= RANK.INFO)
end

---Opens the run's log for appending. Returns true, or nil and a message.
function log.open(path)
  local stat = fs.stat(path)
  if stat and stat.type ~= "file" then return nil, path .. ": expected a file" end -- a FIFO would wait for its reader
  local handle, err = io.open(path, "a")
  if not handle then return nil, err end
  handle:setvbuf("line")
  file = handle
  return true
end

function log.close()
  if file then file:close() end
  file = nil
end

---Called before each message on standard error: it clears a line that is drawn there. nil: nothing is.
---@param fn function?
function log.over(fn)
  over = fn
end

---What "done/total" says in the following lines.
function log.position(n, of)
  done, total = n, of
end

local function write(name, what, message)
  local who = what and ("%s %s try %s"):format(what.model or "-", what.key or "-", what.attempt or "-") or "- - try -"
  local line = ("%s %-7s %d/%d %s: %s"):format(clock.iso(), name, done, total, who, message)
  if not file:write(text.terminal(http.redact(line), false), "\n") then
    file = nil -- the disk is full: the journal says so with an exit code
  end
end

---One message. `what` (optional) names a model, a trial key and an attempt.
function log.say(name, message, what)
  if file and (RANK[name] >= RANK.INFO or RANK[name] >= RANK[level]) then write(name, what, message) end
  if RANK[name] < RANK[level] then return end
  local prefix = RANK[name] >= RANK.WARNING and "lre: " .. name:lower() .. ": " or "lre: "
  local who = what and what.key and what.key .. ": " or ""
  if over then over() end
  fs.print("stderr", prefix .. text.terminal(http.redact(who .. message), true) .. "\n")
end

for name in pairs(RANK) do
  log[name:lower()] = function(message, what) log.say(name, message, what) end
end

return log
