-- lre plan and the hosts of a run.
local fs, http, json, lre, process = require "lre.fs", require "lre.http", require "lre.json", require "lre",
  require "lre.process"
local test = require "lre.unit"

local folder
local function parent()
  if not folder then
    folder = test.folder()
    assert(fs.write(folder .. "/suite.jsonl", '{"id":"a","text":"one two three four"}\n{"id":"b","text":"five"}\n'))
    assert(fs.write(folder .. "/prices.lua", [[return { { provider = "openai", model = "mock", input = 1, output = 2,
      taken = "2026-01-01" } }]]))
  end
  return folder
end

local function words(command, more)
  return ("exec %s %s --model openai/mock --suite %s/suite.jsonl --run-dir %s/runs %s"):format(test.program, command,
    parent(), parent(), more)
end

local function plan(more)
  local out = assert(process.run { "bash", "-c", words("plan", "--json " .. more), timeout = 60 })
  test.eq(out.exit, 0, out.err)
  return json.decode(out.out)
end

test("a_plan_counts_trials_requests_tokens_dollars_time_and_hosts_without_a_key", function()
  local out = plan(("--prices %s/prices.lua --max-tokens 100 --repeats 3 --rate-limit-rps 2"):format(parent()))
  test.eq(out.trials, 6)
  test.eq(out.requests, 6)
  test.eq(out.tokens.output.bound, 600)
  test.near(out.usd.bound, (out.tokens.input.bound + 2 * 600) / 1e6, 1e-9)
  test.ok(out.tokens.input.estimate < out.tokens.input.bound)
  test.eq(out.seconds.at_least, 2.5) -- the first goes at once
  test.eq(table.concat(out.hosts, " "), "https://api.openai.com")
  test.eq(fs.stat(parent() .. "/runs"), nil)
end)

test("a_price_that_nobody_knows_is_no_number", function()
  local out = plan ""
  test.eq(out.usd.bound, json.null)
  test.eq(out.parts[1].usd, nil)
end)

test("the_cache_and_the_run_that_is_resumed_leave_less_to_ask", function()
  local base = test.nginx()
  local more = ("--base-url %s/v1 --cache %s/cache --run-id r "):format(base, parent())
  test.eq(plan(more).requests, 2)
  test.eq(assert(process.run { "bash", "-c", words("run", more .. "-q --limit 1"), timeout = 60 }).exit, 0)
  local out = plan(more)
  test.eq(out.answered, 1)
  test.eq(out.requests, 1)
  out = plan(more .. "--fresh")
  test.eq(out.answered, 0)
  test.eq(out.cached, 1)
  test.eq(out.requests, 1)
end)

test("a_plans_bound_covers_what_the_run_then_needs", function()
  local base = test.nginx()
  local bound = plan("--base-url " .. base .. "/v1").tokens
  local out = assert(process.run { "bash", "-c", words("run", "--run-id bound -q --base-url " .. base .. "/v1"),
    timeout = 60 })
  test.eq(out.exit, 0)
  local used = json.decode(assert(fs.read(parent() .. "/runs/bound/timing.json"))).tokens
  test.ok(used.input_tokens <= bound.input.bound and used.output_tokens <= bound.output.bound)
end)

test("the_judges_model_is_in_the_plan", function()
  local out = plan("--judge refusal_llm --judge-model openai/gpt-5-mini --judge-repeats 3")
  test.eq(out.requests, 2 + 2 * 3)
  test.eq(out.parts[2].id, "gpt-5-mini")
  test.ok(out.parts[2].usd.bound > out.parts[2].usd.estimate)
end)

-- ---- hosts ----

test("only_the_hosts_that_are_allowed_are_asked", function()
  local base = test.nginx()
  local function get(url)
    return http.request { method = "GET", url = url }
  end
  http.allow { "https://api.example" }
  local reply, err = get(base .. "/count/x")
  http.allow { "https://api.example", base .. "/another/path" }
  local allowed = get(base .. "/count/x")
  local _, other = get(base:gsub("127%.0%.0%.1", "localhost") .. "/count/x") -- another name is another host
  http.allow(nil)
  local after = get(base .. "/count/x")
  test.eq(reply, nil)
  test.eq(err.code, "host")
  test.has(err.message, "none of the hosts")
  test.eq(allowed.status, 200)
  test.eq(other.code, "host")
  test.eq(after.status, 200)
end)

-- An adapter that asks somewhere else than it says.
local function adapter(hosts, url)
  return lre.adapter { name = "peek", hosts = hosts, call = function()
    local reply, err = http.request { method = "GET", url = url }
    if not reply then return nil, err end
    return { text = reply.body, finish_reason = "stop", usage = {} }
  end }
end

test("a_run_asks_only_the_hosts_of_its_plan", function()
  local base = test.nginx()
  local function asked(hosts)
    local model = require("lre.model").resolve { name = "m", adapter = adapter(hosts, base .. "/count/peek") }
    http.allow(require("lre.forecast").hosts { models = { model }, judges = {} })
    local answer, err = model:chat { { role = "user", content = "?" } }
    http.allow(nil)
    return answer, err
  end
  local answer, err = asked(nil)
  test.eq(answer, nil)
  test.eq(err.code, "host")
  test.ok(asked { base })
end)
