-- timing: what may differ from run to run: latencies, retries, tokens, memory. Never part of a canonical file. What was
-- asked and paid for is of the whole journal, however many sessions it took; clocks and memory are of the last session.
local budget = require "lre.budget"
local clock = require "lre.clock"
local json = require "lre.json"
local platform = require "lre.platform"

local timing = {}
local Timing = {}
Timing.__index = Timing

-- Latencies are kept in buckets of 2 %, so that a run of any length takes the same memory.
local STEP = math.log(1.02)

local function nothing_counted(self)
  self.buckets, self.n, self.longest, self.retries, self.tokens, self.cost = {}, 0, 0, 0, {}, nil
  self.judge_requests, self.judge_retries = 0, 0
  return self
end

function timing.new()
  return nothing_counted(setmetatable({ phases = {}, begun = clock.mono(), started_at = clock.iso() }, Timing))
end

local function rounded(x)
  return x and tonumber(("%.6g"):format(x)) or json.null
end

local TOKENS = { "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens" }

-- `cost` is told beside it: a journal's rows are flat, and have other names for all of it.
local function add_usage(self, usage, names, cost)
  local tokens = self.tokens
  for i = 1, #TOKENS do
    local n, name = usage[names[i]], TOKENS[i]
    if n and math.type(n) == "integer" then tokens[name] = (tokens[name] or 0) + n end
  end
  if type(cost) == "number" then self.cost = (self.cost or 0) + cost end
end

local function add_latency(self, seconds)
  local bucket = math.log(seconds > 1e-7 and seconds or 1e-7) // STEP
  self.buckets[bucket] = (self.buckets[bucket] or 0) + 1
  self.n = self.n + 1
  if seconds > self.longest then self.longest = seconds end
end

local function add_asking(self, seconds, attempts)
  if type(seconds) == "number" then add_latency(self, seconds) end
  if math.type(attempts) == "integer" then self.retries = self.retries + math.max(0, attempts - 1) end
end

---Counts a trial that was written now. `price`: of its model, where it is known (see lre.prices); then `nano` is what
---all of them cost, in billionths of a dollar.
function Timing:add(seconds, attempts, usage, price)
  add_asking(self, seconds, attempts)
  if type(usage) ~= "table" then return end
  add_usage(self, usage, TOKENS, usage.cost_usd)
  local cost = (price or usage.cost_usd) and attempts ~= 0 and budget.cost(usage, price)
  if cost then self.nano = (self.nano or 0) + cost end
end

---Counts what a model judge asked for one verdict (a verdict's `asked`).
function Timing:add_judging(asked)
  for _, request in ipairs(asked) do
    if not request.cached and math.type(request.attempts) == "integer" then
      self.judge_requests = self.judge_requests + 1
      self.judge_retries = self.judge_retries + math.max(0, request.attempts - 1)
    end
  end
end

local FIELDS, FLAT = { "type", "seconds", "attempts", "response.usage.cost_usd", "asked" }, {}
for i, name in ipairs(TOKENS) do FLAT[i] = "response.usage." .. name end
table.move(FLAT, 1, #FLAT, #FIELDS + 1, FIELDS)

---Counts a whole journal anew, for one that was not empty. Superseded rows were paid for, too.
function Timing:count(store)
  nothing_counted(self)
  for row in store:scan(FIELDS) do
    if row.type == "trial" then
      add_asking(self, row.seconds, row.attempts)
      add_usage(self, row, FLAT, row["response.usage.cost_usd"])
    elseif row.asked then
      self:add_judging(row.asked)
    end
  end
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

---The contents of timing.json. `recorded`: the trials of the journal; `asked`: those of this session.
function Timing:data(recorded, asked)
  local took = clock.mono() - self.begun
  return {
    schema = 1, trials = recorded, retries = self.retries,
    judging = { requests = self.judge_requests, retries = self.judge_retries },
    tokens = self.tokens, cost_usd = rounded(self.cost),
    latency_seconds = { p50 = rounded(self:quantile(0.5)), p90 = rounded(self:quantile(0.9)),
      p99 = rounded(self:quantile(0.99)), max = rounded(self.n > 0 and self.longest or nil) },
    last_session = {
      started_at = self.started_at, completed_at = clock.iso(), seconds = rounded(took), asked = asked,
      trials_per_second = rounded(took > 0 and asked / took or 0), phases = self.phases,
      cache = self.cache or { hits = 0, misses = asked, writes = 0 }, peak_memory_bytes = platform.peak_memory(),
    },
  }
end

return timing
