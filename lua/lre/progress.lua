-- progress: how far a run is, while it goes on: a bar that is drawn over, lines, or JSON, on standard error; and a
-- small file in the run's folder for `lre status`. A task of its own looks at the run now and then: a trial pays
-- nothing.
local clock = require "lre.clock"
local fs = require "lre.fs"
local json = require "lre.json"
local limiter = require "lre.limiter"
local log = require "lre.log"
local platform = require "lre.platform"
local prices = require "lre.prices"
local sched = require "lre.sched"
local text = require "lre.text"

local progress = {}
local Progress = {}
Progress.__index = Progress

-- Seconds between two drawings, by mode; and between two writings of the file.
local EVERY = { bar = 0.2, plain = 5, json = 1, none = 2 }
local FILE_EVERY = 2
-- The rate is that of the last half minute: a pause shows, and one slow answer does not.
local WINDOW = 30
local NANO = 1000000000
local FILE = "status.json"

---What is drawn where nothing was said: a bar on a terminal, else lines.
---@param wish string? "auto"|"bar"|"plain"|"json"|"none"
---@param quiet boolean?
function progress.new(wish, quiet)
  local mode = wish or "auto"
  local asked = mode ~= "auto"
  if not asked then mode = platform.is_tty "stderr" and "bar" or "plain" end
  if quiet and not asked then mode = "none" end
  return setmetatable({ mode = mode, asked = asked, drawn = 0 }, Progress)
end

-- ---- what there is to tell ----

local function rate_of(self, run, now)
  local seen = self.seen
  seen[#seen + 1] = { at = now, asked = run.asked }
  while #seen > 2 and now - seen[2].at >= WINDOW do table.remove(seen, 1) end
  local took = now - seen[1].at
  return took > 0 and (run.asked - seen[1].asked) / took or 0
end

---The state of a run as data: done, total, rate (trials a second), seconds_left, in_flight, waiting (who, for what),
---rate_limited, errors, tokens, usd (null where nothing told a price).
function Progress:state()
  local run, now = self.run, clock.mono()
  local rate = rate_of(self, run, now)
  local waits = json.array(limiter.waits())
  for _, row in ipairs(waits) do row.key = nil end
  local timing = run.timing
  local nano = timing.nano
  return { done = run.done, total = run.total, asked = run.asked, errors = run.errors, rate = json.round(rate),
    seconds_left = rate > 0 and json.round((run.total - run.done) / rate) or json.null,
    in_flight = math.max(0, math.min(run.concurrency, run.workers - run.waiting)), waiting = waits,
    rate_limited = limiter.limited,
    budget_waiting = run.budget and run.budget.waiting or 0, retries = timing.retries,
    tokens = { input = timing.tokens.input_tokens or 0, output = timing.tokens.output_tokens or 0 },
    usd = nano and json.round(nano / NANO) or json.null }
end

local function clock_text(seconds)
  if seconds == json.null then return "?" end
  local s = math.ceil(seconds)
  if s < 3600 then return ("%d:%02d"):format(s // 60, s % 60) end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

local function why(row)
  local parts = {}
  if row.paused then parts[#parts + 1] = ("paused for %s"):format(clock_text(row.paused)) end
  if row.rate > 0 then parts[#parts + 1] = ("%d %s"):format(row.rate, row.paused and "held" or "for the rate") end
  if row.retry > 0 then parts[#parts + 1] = ("%d before a retry"):format(row.retry) end
  if row.connection > 0 then
    parts[#parts + 1] = ("%d for a place%s"):format(row.connection, row.limit and " of " .. row.limit or "")
  end
  return row.provider .. " " .. table.concat(parts, ", ")
end

local function short(n)
  if n < 10000 then return ("%d"):format(n) end
  if n < 10000000 then return ("%.0fk"):format(n / 1000) end
  return ("%.1fM"):format(n / 1000000)
end

---One line of words, the same for the bar and for plain lines.
function progress.words(state)
  local parts = { ("%d/%d"):format(state.done, state.total), ("%.1f/s"):format(state.rate),
    clock_text(state.seconds_left) .. " left", ("%d in flight"):format(state.in_flight) }
  for _, row in ipairs(state.waiting) do parts[#parts + 1] = why(row) end
  if state.budget_waiting > 0 then parts[#parts + 1] = ("%d for the budget"):format(state.budget_waiting) end
  if state.rate_limited > 0 then parts[#parts + 1] = ("%d x 429"):format(state.rate_limited) end
  if state.errors > 0 then parts[#parts + 1] = ("%d failed"):format(state.errors) end
  parts[#parts + 1] = ("tokens %s in, %s out"):format(short(state.tokens.input), short(state.tokens.output))
  if state.usd ~= json.null then parts[#parts + 1] = ("$%.4f"):format(state.usd) end
  return table.concat(parts, "; ")
end

local BAR = 20

local function bar(state)
  local full = state.total > 0 and math.floor(BAR * state.done / state.total) or BAR
  return "[" .. ("#"):rep(full) .. ("."):rep(BAR - full) .. "] " .. progress.words(state)
end

-- ---- telling it ----

local function clear()
  fs.print("stderr", "\r\27[K")
end

local DRAW = {
  bar = function(state)
    fs.print("stderr", "\r\27[K" .. text.terminal(bar(state)):sub(1, math.max(20, platform.columns() - 1)))
  end,
  plain = function(state) fs.print("stderr", "lre: " .. text.terminal(progress.words(state)) .. "\n") end,
  json = function(state) fs.print("stderr", assert(json.encode(state)) .. "\n") end,
  none = function() end,
}

local function draw(self, ended)
  local state = self:state()
  state.ended = ended or nil
  DRAW[self.mode](state)
  self.drawn = self.drawn + 1
  return state
end

-- Not synced, and nothing fails where it cannot be written: it is only looked at, and only while the run goes on.
local function write_file(self, state)
  if not self.path then return end
  local file = io.open(self.path .. ".tmp", "w")
  if not file then return end
  state.schema, state.pid, state.at = 1, platform.pid(), clock.iso(nil, false)
  file:write(assert(json.encode(state, 2)))
  file:close()
  os.rename(self.path .. ".tmp", self.path)
  self.wrote = true
end

local function look_on(self)
  local every, written = EVERY[self.mode], clock.mono()
  while true do
    sched.sleep(every)
    local state = draw(self)
    if clock.mono() - written >= 0.9 * FILE_EVERY then -- a tick may come a moment early
      written = clock.mono()
      write_file(self, state)
    end
  end
end

-- What the tokens cost, for who knows no budget.
local function price(models)
  local rows
  for _, model in ipairs(models) do
    if not model._price and model._adapter and not model._adapter.call then
      rows = rows or prices.open()
      model._price = prices.find(rows, model.adapter, model.id)
    end
  end
end

---Looks on from now. `run`: run.ask's state.
function Progress:begin(run, plan)
  self.run, self.seen = run, { { at = clock.mono(), asked = 0 } }
  self.path = run.store.path and run.store.path .. "/" .. FILE
  price(plan.models)
  if self.mode == "bar" then log.over(clear) end
  if self.mode == "json" then draw(self) end
  self.task = sched.spawn(look_on, self)
end

---Looks on no more: the last line, and the file is gone.
function Progress:finish()
  if not self.task then return end
  self.task:cancel()
  self.task = nil
  log.over(nil)
  if self.mode == "bar" then
    clear()
  elseif self.mode == "json" or self.mode == "plain" and (self.asked or self.drawn > 0) then
    draw(self, true)
  end
  if self.wrote then os.remove(self.path) end
end

return progress
