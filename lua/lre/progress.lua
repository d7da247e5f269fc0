-- progress: one line on standard error that is drawn over, only where that is a terminal.
local clock = require "lre.clock"
local fs = require "lre.fs"
local platform = require "lre.platform"

local progress = {}

-- Seconds between two drawings.
local EVERY = 0.2

local function clear()
  fs.print("stderr", "\r\27[K")
end

---A function to call after each trial with { done, total, errors }, and one that clears the line. Both do nothing
---without a terminal.
---@param quiet boolean?
---@return fun(state: table)?, fun()
function progress.new(quiet)
  if quiet or not platform.is_tty("stderr") then return nil, function() end end
  local drawn, begun, first = 0, clock.mono(), nil
  local function draw(state)
    local now = clock.mono()
    if now - drawn < EVERY then return end
    drawn = now
    first = first or state.done
    local rate = (state.done - first) / math.max(now - begun, 1e-3)
    local left = rate > 0 and (" %d s left"):format((state.total - state.done) // rate) or ""
    local errors = state.errors > 0 and (" %d failed"):format(state.errors) or ""
    local line = ("%d/%d %.0f/s%s%s"):format(state.done, state.total, rate, errors, left)
    fs.print("stderr", "\r\27[K" .. line:sub(1, math.max(20, platform.columns() - 1)))
  end
  return draw, clear
end

return progress
