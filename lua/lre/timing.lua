-- timing: what may differ from run to run: latencies, retries, tokens, memory. Never part of a canonical file.
local clock = require "lre.clock"
local json = require "lre.json"
local platform = require "lre.platform"

local timing = {}
local Timing = {}
Timing.__index = Timing

-- Latencies are kept in buckets of 2 %, so that a run of any length takes the same memory.
local STEP = math.log(1.02)

function timing.new()
  return setmetatable({ phases = {}, buckets = {}, n = 0, longest = 0, retries = 0, tokens = {}, cost = 0,
    begun = clock.mono(),
    started_at = clock.iso() }, Timing)
end

local function rounded(x)
  return x and tonumber(("%.6g"):format(x)) or json.null
end

local function add_usage(self, usage)
  for _, name in ipairs { "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens" } do
    local n = usage[name]
    if math.type(n) == "integer" then self.tokens[name] = (self.tokens[name] or 0) + n end
  end
  if type(usage.cost_usd) == "number" then self.cost = self.cost + usage.cost_usd end
end

---Counts one trial.
function Timing:add(seconds, response, err)
  local bucket = math.floor(math.log(math.max(seconds, 1e-7)) / STEP)
  self.buckets[bucket] = (self.buckets[bucket] or 0) + 1
  self.n = self.n + 1
  if seconds > self.longest then self.longest = seconds end
  local attempts = (response or err).attempts
  if math.type(attempts) == "integer" then self.retries = self.retries + math.max(0, attempts - 1) end
  if response and type(response.usage) == "table" then add_usage(self, response.usage) end
end

---Ends a phase ("ask", "judge", "results") and notes how long it took.
function Timing:phase(name)
  local now = clock.mono()
  self.phases[name] = rounded(now - (self.mark or self.begun))
  self.mark = now
end

---A quantile of the latencies in seconds, to 2 %; nil where there are none.
function Timing:quantile(q)
  local keys = {}
  for key in pairs(self.buckets) do keys[#keys + 1] = key end
  table.sort(keys)
  local rank, seen = math.max(1, math.ceil(q * self.n)), 0
  for _, key in ipairs(keys) do
    seen = seen + self.buckets[key]
    if seen >= rank then return math.min(math.exp((key + 1) * STEP), self.longest) end
  end
end

---The contents of timing.json.
function Timing:data(asked)
  local took = clock.mono() - self.begun
  return {
    schema = 1, started_at = self.started_at, completed_at = clock.iso(), seconds = rounded(took), trials = asked,
    trials_per_second = rounded(took > 0 and asked / took or 0), retries = self.retries, tokens = self.tokens,
    cost_usd = self.cost, cache = self.cache or { hits = 0, misses = asked, writes = 0 },
    peak_memory_bytes = platform.peak_memory(),
    phases = self.phases,
    latency_seconds = { p50 = rounded(self:quantile(0.5)), p90 = rounded(self:quantile(0.9)),
    p99 = rounded(self:quantile(0.99)),
      max = rounded(self.n > 0 and self.longest or nil) },
  }
end

return timing
