-- forecast: what a plan would ask, cost and take, before anything is sent: `lre plan`. And the hosts it asks, which are
-- the only ones that a run may ask.
local budget = require "lre.budget"
local fs = require "lre.fs"
local json = require "lre.json"
local prices = require "lre.prices"
local rundir = require "lre.rundir"
local set = require "lre.set"
local turns = require "lre.turns"

local forecast = {}

-- The estimate: English and Spanish text has about four bytes a token, and an answer where nobody wants it long has
-- about so many tokens.
local BYTES_A_TOKEN, USUAL_ANSWER = 4, 200
-- Tokens of one model's answer are counted anew by the judge's tokenizer: hardly any token is longer than this.
local LONGEST_TOKEN = 16
local NANO = 1000000000

-- ---- hosts ----

local function judge_models(the_plan)
  local out = {}
  for _, judge in ipairs(the_plan.judges) do
    if judge.model then out[#out + 1] = judge.model end
  end
  return out
end

---Everyone whom a plan asks: its models and its judges' models.
function forecast.models(the_plan)
  local out = table.move(the_plan.models, 1, #the_plan.models, 1, {})
  return table.move(judge_models(the_plan), 1, #judge_models(the_plan), #out + 1, out)
end

---The base URLs of all that a plan asks, sorted, each host once; an adapter that calls (no request) may name its own in
---`hosts`.
function forecast.hosts(the_plan)
  local seen, out = {}, json.array {}
  local function add(url)
    local host = url:match "^%a+://[^/]+"
    if host and not seen[host] then out[#out + 1] = host end
    if host then seen[host] = true end
  end
  for _, model in ipairs(forecast.models(the_plan)) do
    if model.base_url then add(model.base_url) end
    for _, url in ipairs(model._adapter.hosts or {}) do add(url) end
  end
  table.sort(out)
  return out
end

-- ---- counting ----

local function new_part(model)
  return { label = model.label, adapter = model.adapter, id = model.id, requests = 0, cached = 0,
    input = { bound = 0, estimate = 0 }, output = { bound = 0, estimate = 0 }, rps = model._bucket.rps or nil }
end

local function add(part, bound_in, estimate_in, limit)
  part.requests = part.requests + 1
  part.input.bound = part.input.bound + bound_in
  part.input.estimate = part.input.estimate + estimate_in
  if limit then part.output.bound = part.output.bound + limit else part.output.unbounded = true end
  part.output.estimate = part.output.estimate + math.min(limit or USUAL_ANSWER, USUAL_ANSWER)
end

local function body_of(model, messages, opts)
  local preview, err = model:preview(messages, nil, opts)
  if not preview then error({ exit = 3, message = ("%s: %s"):format(model.label, tostring(err.message)) }, 0) end
  return preview.body or assert(json.encode(messages)), preview
end

local function is_cached(cache, hash)
  return cache and fs.stat(cache:path(hash)) ~= nil
end

local function add_trial(self, trial)
  local model, part = trial.model, self.of[trial.model]
  local body, preview = body_of(model, turns.blank(trial.messages), { ["repeat"] = trial.n, trial = trial.key })
  local open, limit = turns.count(trial.messages), budget.max_output(preview.params)
  if is_cached(self.cache, preview.request_hash) then
    part.cached = part.cached + 1
    return limit
  end
  local bound, estimate = budget.max_input(body, turns.blank(trial.messages)), math.ceil(#body / BYTES_A_TOKEN)
  for i = 0, open do -- each generated turn is a request, with the ones before it inside
    add(part, bound + i * (limit or 0), estimate + i * math.min(limit or USUAL_ANSWER, USUAL_ANSWER), limit)
  end
  return limit
end

local function judge_body(judge, trial, bytes)
  local input = { key = trial.key, suite = trial.suite, sample_id = trial.sample.id, category = trial.sample.category,
    subcategory = trial.sample.subcategory, target = trial.sample.target, persona = trial.persona.name,
    model = trial.model.label, ["repeat"] = trial.n, messages = trial.messages,
    prompt = trial.messages[#trial.messages].content }
  local messages = judge:rendered(input, { text = ("x"):rep(bytes), finish_reason = "stop" })
  return messages and #body_of(judge.model, messages) or bytes
end

-- The judge reads the answer: its longest, and a usual one. It may be asked once more where its reply cannot be read.
local function add_judging(self, trial, limit)
  for _, judge in ipairs(self.judges[trial.suite]) do
    if judge.model then
      local part, own = self.of[judge.model], budget.max_output(judge.model._known)
      local longest = judge_body(judge, trial, LONGEST_TOKEN * (limit or USUAL_ANSWER))
      local usual = judge_body(judge, trial, BYTES_A_TOKEN * math.min(limit or USUAL_ANSWER, USUAL_ANSWER))
      for _ = 1, judge.votes do add(part, longest, math.ceil(usual / BYTES_A_TOKEN), own) end
    end
  end
end

-- ---- dollars and time ----

local function price_part(part, model, rows)
  local price = prices.find(rows, model.adapter, model.id)
  if not price then return end
  part.price = { input = price.input, output = price.output, taken = price.taken }
  local bound = prices.cost(price, part.input.bound, part.output.bound, 0) / NANO
  part.usd = { bound = not part.output.unbounded and bound or json.null,
    estimate = prices.cost(price, part.input.estimate, part.output.estimate, 0) / NANO }
end

local function sum(self, fn)
  local total = 0
  for _, part in ipairs(self.parts) do
    local value = fn(part)
    if value == nil or value == json.null then return json.null end
    total = total + value
  end
  return total
end

-- The bucket that takes longest. Its first `burst` requests go at once.
local function slowest(self)
  local longest, who = 0, nil
  for _, part in ipairs(self.parts) do
    local seconds = part.rps and math.max(0, part.requests - 1) / part.rps or 0
    if seconds > longest then longest, who = seconds, part end
  end
  return longest, who
end

-- Keys that have a good answer in the run that --run-id names.
local function answered_in(s)
  local path = s.run_id and not s.fresh and ("%s/%s/partials.jsonl"):format(s.run_dir, s.run_id)
  if not path or not fs.stat(path) then return nil end
  local good = set.new(1024)
  for row in rundir.rows(path, { "type", "key", "response.error.kind" }) do
    if row.type == "trial" and not row["response.error.kind"] then good:add(row.key) end
  end
  return good
end

local function totals(self, s)
  local seconds, who = slowest(self)
  local function of(field, kind)
    return sum(self, function(part) return part[field] and part[field][kind] end)
  end
  return { trials = self.trials, answered = self.answered,
    requests = sum(self, function(part) return part.requests end),
    cached = sum(self, function(part) return part.cached end), parts = json.array(self.parts),
    tokens = { input = { bound = of("input", "bound"), estimate = of("input", "estimate") },
      output = { bound = of("output", "bound"), estimate = of("output", "estimate") } },
    usd = { bound = of("usd", "bound"), estimate = of("usd", "estimate") },
    seconds = { at_least = seconds, model = who and who.label, concurrency = s.concurrency },
    hosts = self.hosts }
end

---What a plan would do: { trials, answered (in the run that is resumed), requests, cached, tokens { input, output }
---{ bound, estimate }, usd { bound, estimate } (null where a price is not known), seconds { at_least, model,
---concurrency }, parts (a model each), hosts }. Sends nothing.
---@param the_plan table
---@param s table settings
function forecast.of(the_plan, s)
  local self = { trials = the_plan:count(), answered = 0, parts = {}, of = {}, judges = {}, cache = s.cache_object,
    hosts = forecast.hosts(the_plan) }
  for _, model in ipairs(forecast.models(the_plan)) do
    self.of[model] = new_part(model)
    self.parts[#self.parts + 1] = self.of[model]
  end
  for _, entry in ipairs(the_plan.suites) do self.judges[entry.name] = entry.judges end
  local good = answered_in(s)
  for trial in the_plan:trials() do
    if good and good:has(trial.key) then
      self.answered = self.answered + 1
    else
      add_judging(self, trial, add_trial(self, trial))
    end
  end
  local rows = prices.open(s.prices)
  for _, model in ipairs(forecast.models(the_plan)) do price_part(self.of[model], model, rows) end
  return totals(self, s)
end

-- ---- as text ----

local function count(n)
  if n == json.null then return "no bound" end
  local digits = ("%d"):format(n)
  return (digits:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function dollars(usd)
  if usd == json.null then return "unknown" end
  return ("$%.4f"):format(usd)
end

local function duration(seconds)
  if seconds < 120 then return ("%.1f s"):format(seconds) end
  return ("%d:%02d:%02d"):format(seconds // 3600, seconds // 60 % 60, seconds % 60 // 1)
end

local function part_line(part)
  local usd = part.usd and ("at most %s, about %s (prices of %s)"):format(dollars(part.usd.bound),
    dollars(part.usd.estimate), part.price.taken) or ("unknown: no price for %s"):format(part.id)
  return ("         %s: %s requests; %s"):format(part.label, count(part.requests), usd)
end

local function time_line(out)
  local each = out.requests / out.seconds.concurrency
  local slow = out.seconds.model and ("at least %s, by the rate of %s; "):format(duration(out.seconds.at_least),
    out.seconds.model) or ""
  return ("time     %swith %d in flight %s for each second that an answer takes"):format(slow, out.seconds.concurrency,
    duration(each))
end

---The same for a person.
function forecast.text(out)
  local input, output = out.tokens.input, out.tokens.output
  local lines = {
    ("trials   %s%s"):format(count(out.trials), out.answered > 0 and (", %s of them answered in this run"):format(
      count(out.answered)) or ""),
    ("requests %s, retries left out; %s are in the cache"):format(count(out.requests), count(out.cached)),
    ("tokens   in at most %s, about %s; out at most %s, about %s"):format(count(input.bound), count(input.estimate),
      count(output.bound), count(output.estimate)),
    ("cost     at most %s, about %s"):format(dollars(out.usd.bound), dollars(out.usd.estimate)),
  }
  for _, part in ipairs(out.parts) do lines[#lines + 1] = part_line(part) end
  lines[#lines + 1] = time_line(out)
  lines[#lines + 1] = "hosts    " .. (#out.hosts > 0 and table.concat(out.hosts, ", ") or "none")
  return table.concat(lines, "\n") .. "\n"
end

return forecast
