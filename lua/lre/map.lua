-- map: a function over many things, a bounded number at a time, results in order.
local sched = require "lre.sched"

-- As many as a run has trials in flight.
local DEFAULT_LIMIT = 16

-- A list gives (element, index); an iterator gives what it gives.
local function puller(source)
  if type(source) == "function" then
    return source
  elseif type(source) ~= "table" then
    error("lre.map: expected a list or an iterator, got " .. type(source), 3)
  end
  local i = 0
  return function()
    i = i + 1
    return source[i], i
  end
end

local function cancel_all(running, n)
  for i = 1, n do
    local task = running[i]
    if task then
      running[i] = nil
      task:cancel()
    end
  end
end

local function traceback(err)
  return type(err) == "string" and debug.traceback(err, 2) or err
end

---Calls fn(element, index) for each element of a list, or fn(a, b) for what an iterator gives, `limit` at a time (16).
---Results come in the order of the source; the first error cancels the rest and is raised. An iterator is pulled only
---as places get free. With `collect = false` nothing is kept.
---@param source any[]|fun(): any
---@param fn function
---@param opt { limit: integer?, collect: boolean? }?
---@return any[]? results, integer n how many there were
local function map(source, fn, opt)
  opt = opt or {}
  for name in pairs(opt) do
    if name ~= "limit" and name ~= "collect" then
      error(("lre.map: unknown option %s; there are limit and collect"):format(tostring(name)), 2)
    end
  end
  local limit = opt.limit or DEFAULT_LIMIT
  if math.type(limit) ~= "integer" or limit < 1 then
    error("lre.map: limit: expected an integer, at least 1, got " .. tostring(limit), 2)
  end
  local pull = puller(source)
  local results = opt.collect ~= false and {} or nil
  local gate, over = sched.gate(limit), sched.event()
  local running, active, n = {}, 0, 0
  local drained, failure

  local function work(i, place, a, b)
    local held <close> = place -- luacheck: ignore held
    local ok, value = xpcall(fn, traceback, a, b)
    running[i] = nil
    active = active - 1
    if ok then
      if results then
        results[i] = value
      end
    elseif not failure then
      failure = { value }
      cancel_all(running, n)
    end
    if failure or drained and active == 0 then
      over:set()
    end
  end

  -- Also where the caller itself is cancelled, or the iterator raises.
  local guard <close> = setmetatable({}, { -- luacheck: ignore guard
    __close = function()
      cancel_all(running, n)
    end,
  })
  while true do
    local place = gate:enter()
    if failure then
      break
    end
    local a, b = pull()
    if a == nil or failure then
      break
    end
    n, active = n + 1, active + 1
    local i = n
    running[i] = false
    local task = sched.spawn(work, i, place, a, b)
    if running[i] == false then
      running[i] = task
    end
  end
  drained = true
  if active > 0 and not failure then
    over:wait()
  end
  if failure then
    error(failure[1], 0)
  end
  return results, n
end

return map
