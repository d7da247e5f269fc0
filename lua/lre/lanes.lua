-- lanes: which trial is next where several models are asked. The one whose model has the fewest under way, so that a
-- model that must wait (its rate, its provider's pause) takes neither the others' places nor their turn.
local lanes = {}

-- The plan goes from model to model, so looking for one model's next trial finds the others': they are held, so many of
-- a model. A fast model is thereby at most this far ahead of a slow one, which is the one that the run waits for.
local MAX_HELD = 8192

local Lane = {}
Lane.__index = Lane

local function new_lane()
  return setmetatable({ first = 1, last = 0, under_way = 0, taken = 0 }, Lane)
end

function Lane:push(trial)
  self.last = self.last + 1
  self[self.last] = trial
end

function Lane:pop()
  local trial = self[self.first]
  self[self.first] = nil
  self.first = self.first + 1
  return trial
end

function Lane:held()
  return self.last - self.first + 1
end

-- The fewest under way; of several the one that was asked the least, which keeps to the plan's order.
local function before(a, b)
  if a.under_way ~= b.under_way then return a.under_way < b.under_way end
  return a.taken < b.taken
end

local function best(list, wanted)
  local found
  for _, lane in ipairs(list) do
    if wanted(lane) and (not found or before(lane, found)) then found = lane end
  end
  return found
end

local function is_holding(lane) return lane:held() > 0 end

-- Reads on until the lane has a trial, the plan ends, or another lane holds all it may.
local function read_for(self, lane)
  while not self.ended and not is_holding(lane) do
    local trial = self.pull()
    if not trial then
      self.ended = true
      return
    end
    local its = self.of[trial.model]
    trial.lane = its
    its:push(trial)
    if its:held() >= MAX_HELD then return end
  end
end

local function any() return true end

local function next_of(self)
  local lane = best(self.list, self.ended and is_holding or any)
  if not lane then return nil end
  read_for(self, lane)
  if not is_holding(lane) then lane = best(self.list, is_holding) end
  if not lane then return nil end
  lane.taken = lane.taken + 1
  return lane:pop()
end

---A function that gives the plan's trials one by one, each once. Where there are several models a trial has `lane`:
---`lane.under_way` is the caller's to count.
---@param plan table
---@param open fun(entry: table)? how a suite's samples are read (see Plan:trials)
---@param skip (fun(key: string): boolean)? which trials are left out
---@return fun(): table?
function lanes.of(plan, open, skip)
  local pull = plan:trials(open, skip)
  if #plan.models == 1 then return pull end
  local self = { pull = pull, list = {}, of = {}, ended = false }
  for i, model in ipairs(plan.models) do
    self.list[i] = new_lane()
    self.of[model] = self.list[i]
  end
  return function() return next_of(self) end
end

return lanes
