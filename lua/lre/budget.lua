-- budget: what a run may spend at most, in dollars, tokens and requests. The worst case of a request is set aside
-- before it is sent and settled when it is done, so that the bound holds with everything in flight. Who finds no room
-- while others are under way waits for theirs to be settled; who finds none with nobody under way ends the run.
--
-- What is spent survives the run: the journal tells of every answer, and budget.json how much may have been spent
-- beside it. It is written ahead in steps, so that a process that is killed is taken at the worst: what was in flight
-- counts in full.
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local prices = require "lre.prices"
local sched = require "lre.sched"
local shape = require "lre.shape"

local budget = {}
local Budget, Held = {}, {}
Budget.__index, Held.__index = Budget, Held

local NANO = 1000000000
local NO_BOUND = math.maxinteger
-- A provider bills an image by its size, which its URL does not tell. OpenAI and Anthropic stay below 2,000 tokens a
-- picture in their documents; this leaves room.
local TOKENS_OF_A_PART = 16384
-- budget.json is written ahead by this share of the budget: so often, at most, is it written.
local STEPS = 32
local FILE = "budget.json"

local KINDS = { "requests", "tokens", "nano" }
local FLAGS = { requests = "--budget-requests", tokens = "--budget-tokens", nano = "--budget-usd" }

local fail = shape.stop

-- ---- worst cases ----

---The longest answer that a request with these parameters may get, in tokens; nil where nothing bounds it.
function budget.max_output(sent)
  return sent.max_completion_tokens or sent.max_tokens
end

local function strange_parts(messages)
  local n = 0
  for _, message in ipairs(messages) do
    if type(message.content) == "table" then
      for _, part in ipairs(message.content) do
        if type(part) == "table" and part.type ~= "text" then n = n + 1 end
      end
    end
  end
  return n
end

---The most input tokens of a request: a token is a byte at least, and the JSON around a message is longer than what a
---chat template puts around it.
---@param body string as it is sent
function budget.max_input(body, messages)
  return #body + TOKENS_OF_A_PART * strange_parts(messages)
end

---The worst case of a request: tokens, and billionths of a dollar (0 where its price is not known).
---@param sent table its parameters
---@param price table? a row of lre.prices
function budget.worst(body, messages, sent, price)
  local input, output = budget.max_input(body, messages), budget.max_output(sent) or 0
  return input + output, price and prices.cost(price, input, output) or 0
end

-- ---- what is spent ----

---How much an answer cost, in billionths of a dollar: what it says itself, else by the table; nil where neither tells.
function budget.cost(usage, price)
  if type(usage.cost_usd) == "number" then return math.ceil(usage.cost_usd * NANO) end
  local input, output = usage.input_tokens, usage.output_tokens
  if not price or math.type(input) ~= "integer" or math.type(output) ~= "integer" then return nil end
  local cached = usage.cached_tokens
  return prices.cost(price, input, output, math.type(cached) == "integer" and cached or 0)
end

local function tokens_of(usage)
  local input, output = usage.input_tokens, usage.output_tokens
  return math.type(input) == "integer" and math.type(output) == "integer" and input + output or nil
end

---A budget. `limits`: usd, tokens, requests (nil: no bound); `rows`: prices.
function budget.new(limits, rows)
  local limit = { requests = limits.requests, tokens = limits.tokens,
    nano = limits.usd and math.floor(limits.usd * NANO) }
  local most = { requests = limit.requests or NO_BOUND, tokens = limit.tokens or NO_BOUND,
    nano = limit.nano or NO_BOUND }
  return setmetatable({
    limit = limit, most = most,
    spent = { requests = 0, tokens = 0, nano = 0 }, held = { requests = 0, tokens = 0, nano = 0 },
    mark = { requests = 0, tokens = 0, nano = 0 }, rows = rows, waiting = 0, turnstile = sched.gate(1),
  }, Budget)
end

-- Which kind has no room for so much; nil: there is. Every request comes here, so nothing is looped over.
local function lacks(self, tokens, nano)
  local most, spent, held = self.most, self.spent, self.held
  if spent.requests + held.requests + 1 > most.requests then return "requests" end
  if spent.tokens + held.tokens + tokens > most.tokens then return "tokens" end
  if spent.nano + held.nano + nano > most.nano then return "nano" end
end

-- Says in budget.json how much may be gone by the time that it is read.
local function write_mark(self)
  if not self.path then return end
  local data = { schema = 1, requests = self.mark.requests, tokens = self.mark.tokens, usd = self.mark.nano / NANO }
  local ok, err = fs.write(self.path, assert(json.encode(data, 2)))
  if not ok then fail(4, "%s: %s", self.path, tostring(err)) end
end

local function mark_ahead(self)
  for _, kind in ipairs(KINDS) do
    local now, limit = self.spent[kind] + self.held[kind], self.limit[kind]
    if limit and now > self.mark[kind] then self.mark[kind] = math.min(limit, now + limit // STEPS) end
  end
  write_mark(self)
end

local function take(self, tokens, nano)
  local held, spent, mark, limit = self.held, self.spent, self.mark, self.limit
  held.requests, held.tokens, held.nano = held.requests + 1, held.tokens + tokens, held.nano + nano
  if limit.requests and spent.requests + held.requests > mark.requests
    or limit.tokens and spent.tokens + held.tokens > mark.tokens
    or limit.nano and spent.nano + held.nano > mark.nano then
    mark_ahead(self)
  end
  return setmetatable({ budget = self, tokens = tokens, nano = nano, open = true, sent = false }, Held)
end

local function shown(kind, n)
  if kind == "nano" then return ("$%.4f"):format(n / NANO) end
  return ("%d %s"):format(n, kind)
end

local function spent_up(self, kind, tokens, nano)
  local need = kind == "tokens" and tokens or nano
  local next_one = kind ~= "requests" and ", and the next request may need " .. shown(kind, need) or ""
  self.ended = { kind = "budget", code = "interrupted", final = true,
    message = ("%s: %s of %s are spent%s"):format(FLAGS[kind], shown(kind, self.spent[kind]),
      shown(kind, self.limit[kind]), next_one) }
  log.info(self.ended.message)
  return nil, self.ended
end

-- At the head of the queue.
local function wait_for_room(self, tokens, nano)
  local turn <close> = self.turnstile:enter() -- luacheck: ignore turn
  while true do
    local kind = lacks(self, tokens, nano)
    if self.ended then return nil, self.ended end
    if not kind then return take(self, tokens, nano) end
    if self.held.requests == 0 then return spent_up(self, kind, tokens, nano) end
    self.settled = self.settled or sched.event()
    self.settled:wait()
  end
end

local Queued = {}
Queued.__close = function(queued)
  queued.budget.waiting = queued.budget.waiting - 1
end

---Sets the worst case of a request aside: a to-be-closed value, or nil and the error that says that the budget is spent
---(kind "budget", code "interrupted": nothing was asked). Waits, without the trial's place, while others hold what is
---left.
---@param tokens integer input and output
---@param nano integer
function Budget:reserve(tokens, nano, hooks)
  if self.ended then return nil, self.ended end
  if self.waiting == 0 and not lacks(self, tokens, nano) then return take(self, tokens, nano) end
  self.waiting = self.waiting + 1
  local queued <close> = setmetatable({ budget = self }, Queued) -- luacheck: ignore queued
  if not (hooks and hooks.pause) then return wait_for_room(self, tokens, nano) end
  hooks.pause()
  local held, err = wait_for_room(self, tokens, nano)
  hooks.resume()
  return held, err
end

-- Gives back what was set aside; `tokens` and `nano` are gone for good.
local function close_books(account, requests, tokens, nano)
  local self = account.budget
  local held, spent = self.held, self.spent
  account.open = false
  held.requests, held.tokens, held.nano = held.requests - 1, held.tokens - account.tokens, held.nano - account.nano
  spent.requests, spent.tokens, spent.nano = spent.requests + requests, spent.tokens + tokens, spent.nano + nano
  local event = self.settled
  if not event then return end
  self.settled = nil
  event:set()
end

---Settles a request that was sent. `response`, or nil and its error: a refusal by status costs nothing; where nobody
---knows (a connection that broke, an answer without usage), the worst case is taken.
function Held:settle(response, err, price)
  if response then
    local usage = response.usage
    close_books(self, 1, tokens_of(usage) or self.tokens, budget.cost(usage, price) or self.nano)
  elseif err.kind == "http" and not err.sent or err.status and err.status >= 300 then
    close_books(self, 1, 0, 0)
  else
    close_books(self, 1, self.tokens, self.nano)
  end
end

-- Not settled: cancelled. Once it is on its way it may be billed.
Held.__close = function(account)
  if not account.open then return end
  if account.sent then close_books(account, 1, account.tokens, account.nano) else close_books(account, 0, 0, 0) end
end

-- ---- a run's ----

---What --budget-* say, or nil where none was given. Raises { exit = 2 | 3 } where a model's price or the length of its
---answers is not known: nothing was sent yet. Every model (and judge's model) gets its price.
---@param s table settings
---@param models table[]
function budget.of(s, models)
  if not (s.budget_usd or s.budget_tokens or s.budget_requests) then return nil end
  local self = budget.new({ usd = s.budget_usd, tokens = s.budget_tokens, requests = s.budget_requests },
    prices.open(s.prices))
  for _, model in ipairs(models) do self:admit(model) end
  return self
end

---The price of a model; nil where dollars are not bounded and nobody knows it. Raises { exit = 3 } where they are.
function Budget:price(label, adapter, id)
  local price = prices.find(self.rows, adapter, id)
  if price or not self.limit.nano then return price end
  fail(3, "--budget-usd: the price of %s (adapter %s, id %s) is not known, so nothing was sent. Put it into a file "
    .. 'and pass --prices FILE: return { { provider = "%s", model = "%s", input = X, output = Y, taken = '
    .. '"YYYY-MM-DD" } }, in dollars per million tokens.', label, adapter, id, adapter, id)
end

---Puts a model under this budget.
function Budget:admit(model)
  local bounded = budget.max_output(model._known)
  if not bounded and (self.limit.nano or self.limit.tokens) and not model._adapter.call then
    fail(3, "%s: nothing bounds the length of its answers, so no budget can be held; give --max-tokens", model.label)
  end
  model._price = self:price(model.label, model.adapter, model.id)
  model._budget = self
end

local function add_usage(self, usage, price)
  self.spent.tokens = self.spent.tokens + (tokens_of(usage) or 0)
  self.spent.nano = self.spent.nano + (budget.cost(usage, price) or 0)
end

-- One reply; an attempt less than one: it came from a cache.
local function add_reply(self, attempts, usage, price)
  attempts = math.max(0, math.tointeger(attempts) or 0)
  self.spent.requests = self.spent.requests + attempts
  if attempts > 0 and type(usage) == "table" then add_usage(self, usage, price) end
end

local FIELDS = { "type", "model", "judge", "attempts", "response.usage", "response.error.kind", "turns", "asked" }
local COUNTS = { "input_tokens", "output_tokens", "cached_tokens", "cost_usd" }

-- A row of a conversation with turns to be filled has all of them, and its usage and retries are those of the whole
-- (see lre.turns.whole). Each turn has had a row of its own, in which it is the last.
local function add_trial(self, row, price)
  local given = type(row.turns) == "table" and row.turns or {}
  local last = given[#given]
  if row["response.error.kind"] == "unfinished" then
    if type(last) == "table" then add_reply(self, last.attempts, last.usage, price) end
    return
  end
  local attempts, usage = math.tointeger(row.attempts) or 0, row["response.usage"]
  local own = {}
  for _, name in ipairs(type(usage) == "table" and COUNTS or {}) do own[name] = usage[name] end
  for _, turn in ipairs(row["response.error.kind"] and {} or given) do
    attempts = attempts - math.max(0, (math.tointeger(turn.attempts) or 0) - 1)
    for name, n in pairs(type(turn.usage) == "table" and own or {}) do
      local part = turn.usage[name]
      if type(part) == "number" and type(n) == "number" then own[name] = math.max(0, n - part) end
    end
  end
  add_reply(self, attempts, own, price)
end

local function add_row(self, row, price_of)
  if row.type == "trial" then add_trial(self, row, price_of[row.model]) end
  for _, asked in ipairs(type(row.asked) == "table" and row.asked or {}) do
    add_reply(self, asked.attempts, asked.usage, price_of["judge " .. row.judge])
  end
end

-- How much may be gone beside the journal's answers: what was in flight when a process was killed, failed requests.
local function read_mark(path)
  if not fs.stat(path) then return nil end
  local data, err = json.decode((assert(fs.read(path))))
  if type(data) ~= "table" or data.schema ~= 1 then
    fail(3, "%s: %s", path, tostring(err or "is not a budget of this version"))
  end
  return data
end

---Takes over what earlier sessions of a run spent, and keeps the account in its folder.
---@param store table a run's folder, or anything with scan()
---@param the_plan table
function Budget:continue(store, the_plan)
  local price_of = {}
  for _, model in ipairs(the_plan.models) do price_of[model.label] = model._price end
  for _, judge in ipairs(the_plan.judges) do
    price_of["judge " .. judge.name] = judge.model and judge.model._price
  end
  if store.lines > 0 then
    for row in store:scan(FIELDS) do add_row(self, row, price_of) end
  end
  if not store.path then return end
  self.path = store.path .. "/" .. FILE
  local mark = read_mark(self.path)
  if not mark then return end
  local spent = self.spent
  spent.requests = math.max(spent.requests, math.tointeger(mark.requests) or 0)
  spent.tokens = math.max(spent.tokens, math.tointeger(mark.tokens) or 0)
  spent.nano = math.max(spent.nano, math.ceil((tonumber(mark.usd) or 0) * NANO))
end

---What a budget is and how much of it is gone, and what ended it: lines for who started the command.
---@return string[]
function Budget:describe()
  local spent, limit = self:state()
  local parts = {}
  if limit.usd then parts[#parts + 1] = ("$%.4f of $%.4f"):format(spent.usd, limit.usd) end
  if limit.tokens then parts[#parts + 1] = ("%d of %d tokens"):format(spent.tokens, limit.tokens) end
  if limit.requests then parts[#parts + 1] = ("%d of %d requests"):format(spent.requests, limit.requests) end
  return { "budget   " .. table.concat(parts, ", "), self.ended and self.ended.message }
end

---The same and what it left without a verdict; nothing where there was no budget.
---@return string[]
function budget.told(account, missing)
  local lines = account and account:describe() or {}
  local lacking = budget.missing_verdicts(missing)
  return table.move(lacking, 1, #lacking, #lines + 1, lines)
end

---What a limit left without a verdict (see lre.run.missing_verdicts), as lines.
---@return string[]
function budget.missing_verdicts(missing)
  local lines = {}
  for _, of in ipairs(missing or {}) do
    lines[#lines + 1] = ("missing  %d verdicts of judge %s"):format(of.n, of.judge)
    for _, key in ipairs(of.first) do lines[#lines + 1] = "         " .. key end
    if of.n > #of.first then lines[#lines + 1] = "         ..." end
  end
  return lines
end

---Writes what was really spent, at a run's end.
function Budget:close()
  for _, kind in ipairs(KINDS) do self.mark[kind] = self.spent[kind] + self.held[kind] end
  write_mark(self)
end

---`{ requests, tokens, usd }` spent, and the same of the limits where there are any.
function Budget:state()
  local spent, limit = self.spent, self.limit
  return { requests = spent.requests, tokens = spent.tokens, usd = spent.nano / NANO },
    { requests = limit.requests, tokens = limit.tokens, usd = limit.nano and limit.nano / NANO }
end

return budget
