--- How fast a provider is asked: its stop, its pause, its connections, and a token bucket a model.
---
--- Connections adapt: a 429 halves how many requests may be under way, and as many good answers as there are places
--- give one place back, up to the bound that was there before (additive increase, multiplicative decrease; Chiu and
--- Jain 1989, https://doi.org/10.1016/0169-7552(89)90019-6). Answers to requests of before the last halving do not
--- halve again: they tell of the pace that was given up already. Nothing of this costs anything until the first 429.
---
--- Whoever must wait here leaves the trial's place first (`hooks.pause`) and takes it back after (`hooks.resume`), so
--- that one slow provider does not hold up the others.
local clock = require "lre.clock"
local sched = require "lre.sched"

local limiter = {}

-- Refusals take at most all but this share of the places. Who still refuses then is not helped by fewer at a time: what
-- holds is its own delay, and the backoff of each request.
local LEAST_SHARE = 16

-- A sleeper looks this often whether the provider was stopped or the run interrupted (seconds).
local look = 0.5

--- How many requests were refused for coming too fast, so far.
limiter.limited = 0

local Provider, Bucket = {}, {}
Provider.__index, Bucket.__index = Provider, Bucket

local providers = {}
local NO_BOUND = 1 << 30

local function resize(provider, connections)
  if provider.gate then provider.gate:resize(connections) else provider.gate = sched.gate(connections) end
  provider.connections = connections
end

-- As if there had been no 429.
local function restore(provider)
  local shrunk = provider.shrunk
  provider.shrunk = nil
  if provider.bound then return resize(provider, provider.bound) end
  if not shrunk then return end
  resize(provider, NO_BOUND) -- who still queues is let in; who holds a place gives it back to this gate
  provider.gate, provider.connections, provider.used = nil, nil, 0
end

--- The state that all models of one provider share. `key` tells providers apart (adapter, endpoint and key variable).
--- `connections` (nil: no bound) holds for all of them: the last one given counts. `adaptive_cap` (nil: never less than
--- `connections`): how many requests are under way at most, which is what the first 429 halves.
function limiter.provider(key, connections, adaptive_cap)
  local provider = providers[key]
  if not provider then
    provider = setmetatable({ key = key, learned = {}, buckets = {}, used = 0, retrying = 0, epoch = 0 }, Provider)
    providers[key] = provider
  end
  provider.bound = connections or provider.bound
  provider.cap = adaptive_cap and math.min(adaptive_cap, provider.bound or adaptive_cap)
  restore(provider)
  return provider
end

--- Asks nothing of this provider any more; the error tells why.
function Provider:stop(err)
  self.stopped = self.stopped or err
end

--- The provider said that it is asked too much; `epoch` is what provider.epoch was when that request was sent.
function Provider:limited(epoch)
  if not self.cap or epoch ~= self.epoch then return end
  self.epoch, self.good = self.epoch + 1, 0
  local now = self.connections and math.min(self.connections, self.used + 1) or self.cap
  self.shrunk = true
  resize(self, math.max(1, self.cap // LEAST_SHARE, now // 2))
end

--- A good answer came while there are fewer places than there might be (`shrunk`).
function Provider:grow()
  self.good = self.good + 1
  if self.good < self.connections then return end
  self.good = 0
  resize(self, self.connections + 1)
  if self.connections < self.cap then return end
  restore(self)
end

--- Everyone waits until `seconds` from now: the provider said so to one of us.
function Provider:pause(seconds)
  local till = clock.mono() + seconds
  if seconds > 0 and (not self.paused_till or till > self.paused_till) then self.paused_till = till end
end

--- Nobody asks until `seconds` from now: the provider wants a wait that is longer than the run will wait. Whoever would
--- ask is given the error instead, so that a long suite does not knock once a trial.
function Provider:bar(seconds, err)
  self.barred_till = clock.mono() + seconds
  self.barred_by = {
    kind = err.kind, code = err.code, status = err.status, final = true, message = "not asked: " .. err.message,
  }
end

--- The error that bars now, or nil.
function Provider:barred()
  if not self.barred_till then return nil end
  if clock.mono() >= self.barred_till then
    self.barred_till = nil
    return nil
  end
  return self.barred_by
end

-- Sleeps until `till`, in pieces. Nil and an error where waiting has lost its point; `hooks.ended` says so for a run
-- whose time is up.
local function sleep_till(provider, till, hooks)
  while true do
    if provider.stopped then return nil, provider.stopped end
    if sched.interrupted() or hooks and hooks.ended and hooks.ended() then
      return nil, { kind = "run", code = "interrupted", message = "the run was interrupted while this request waited" }
    end
    local rest = till - clock.mono()
    if rest <= 0 then return true end
    sched.sleep(math.min(rest, look))
  end
end

local function with_place_left(hooks, fn, ...)
  if not (hooks and hooks.pause) then return fn(...) end
  hooks.pause()
  local ok, err = fn(...)
  hooks.resume()
  return ok, err
end

local Count = {}
Count.__close = function(count) count.of[count.name] = count.of[count.name] - 1 end

-- One more in `of[name]`, until it is closed.
local function counted(of, name)
  of[name] = of[name] + 1
  return setmetatable({ of = of, name = name }, Count)
end

--- Waits before a retry. True, or nil and why not.
function Provider:wait(seconds, hooks)
  local count <close> = counted(self, "retrying") -- luacheck: ignore
  return with_place_left(hooks, sleep_till, self, clock.mono() + seconds, hooks)
end

local Place, Guard = {}, {}

Place.__close = function(place)
  if place.gate == place.provider.gate then place.provider.used = place.provider.used - 1 end
  if place.held then place.held:leave() end
end

Guard.__close = function(guard)
  if guard.place then Place.__close(guard.place) end
end

-- The task may be cancelled in the queue, or on its way back to its place: then what it has is given back.
local function queue_for(place, hooks)
  local guard <close> = setmetatable({ place = place }, Guard)
  if hooks and hooks.pause then hooks.pause() end
  place.held = place.gate:enter()
  if hooks and hooks.resume then hooks.resume() end
  guard.place = nil
end

--- A place among this provider's connections (a to-be-closed value), or nil where there is no bound.
function Provider:enter(hooks)
  if not self.gate then return nil end
  self.used = self.used + 1
  local place = setmetatable({ provider = self, gate = self.gate }, Place)
  if self.used <= self.connections then
    place.held = self.gate:enter()
  else
    queue_for(place, hooks)
  end
  return place
end

--- The token bucket of one model of a provider: `rps` requests a second (nil or 0: no bound), at most `burst` at once
--- after a rest. Labels that stand for one model share it.
function limiter.bucket(provider, id, rps, burst)
  rps = rps and rps > 0 and rps or nil
  burst = math.max(1, burst or 1)
  local bucket = provider.buckets[id]
  if bucket and bucket.rps == rps and bucket.burst == burst then return bucket end
  bucket = setmetatable({
    provider = provider, rps = rps, burst = burst, tokens = burst, filled_at = clock.mono(), turnstile = sched.gate(1),
    waiting = 0,
  }, Bucket)
  provider.buckets[id] = bucket
  return bucket
end

--- Nobody asks this model until `seconds` from now: its last answer said that nothing is left until then.
Bucket.pause = Provider.pause

-- A sleeper wakes a little late, by which the rate would fall behind: while somebody waits, tokens of so many seconds
-- (and no more: a process that was stopped must not flood) are kept beside the burst.
local LATE = 0.05

function Bucket:_fill()
  local now = clock.mono()
  local most = self.waiting > 0 and self.burst + LATE * self.rps or self.burst
  self.tokens = math.min(most, self.tokens + (now - self.filled_at) * self.rps)
  self.filled_at = now
end

-- At the head of the queue: only one task at a time sleeps here, the others stand behind it in order.
local function take_turn(bucket, hooks)
  local provider = bucket.provider
  local turn <close> = bucket.turnstile:enter() -- luacheck: ignore
  while provider.paused_till or bucket.paused_till do
    local whose = provider.paused_till and provider or bucket
    local till = whose.paused_till
    local ok, err = sleep_till(provider, till, hooks)
    if not ok then return nil, err end
    if whose.paused_till == till then whose.paused_till = nil end -- else it grew meanwhile, or is over
  end
  if not bucket.rps then return true end
  bucket:_fill()
  -- The sleep may end a little early by rounding; the token goes below zero by no more than that.
  if bucket.tokens < 1 then
    local ok, err = sleep_till(provider, clock.mono() + (1 - bucket.tokens) / bucket.rps, hooks)
    if not ok then return nil, err end
    bucket:_fill()
  end
  bucket.tokens = bucket.tokens - 1
  return true
end

--- Takes one token, after the provider's pause and everyone who came before. True, or nil and why not.
function Bucket:take(hooks)
  if self.waiting == 0 and not self.provider.paused_till and not self.paused_till then
    if not self.rps then return true end
    self:_fill()
    if self.tokens >= 1 then
      self.tokens = self.tokens - 1
      return true
    end
  end
  local count <close> = counted(self, "waiting") -- luacheck: ignore
  return with_place_left(hooks, take_turn, self, hooks)
end

--- Who waits for what, provider by provider (sorted): `{ provider, paused (seconds or nil), rate, connection, retry }`,
--- the last three how many requests wait for a token or the pause's end, for a place, and before they are sent again.
--- Only providers with someone waiting.
function limiter.waits()
  local out = {}
  for key, provider in pairs(providers) do
    local row = { provider = key:match "^%S+", key = key, rate = 0, retry = provider.retrying,
      connection = provider.connections and math.max(0, provider.used - provider.connections) or 0,
      limit = provider.shrunk and provider.connections or nil }
    for _, bucket in pairs(provider.buckets) do row.rate = row.rate + bucket.waiting end
    local till = provider.paused_till
    row.paused = till and till > clock.mono() and till - clock.mono() or nil
    if row.rate + row.retry + row.connection > 0 then out[#out + 1] = row end
  end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

return limiter
