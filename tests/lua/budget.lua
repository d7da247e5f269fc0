-- lre.budget and lre.prices: the worst case is set aside, nothing is overshot, what was spent survives a kill.
local budget, prices = require "lre.budget", require "lre.prices"
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local http = require "lre.http"
local sched = require "lre.sched"
local test = require "lre.unit"

-- ---- prices ----

test("a_dated_name_has_the_price_of_its_model_and_another_model_has_not", function()
  local rows = prices.open()
  test.eq(prices.find(rows, "openai", "gpt-4o-mini-2024-07-18").model, "gpt-4o-mini")
  test.eq(prices.find(rows, "openai", "gpt-4o-2024-05-13").input, 5) -- a row of its own comes first
  test.eq(prices.find(rows, "anthropic", "claude-3-haiku-20240307").output, 1.25)
  test.eq(prices.find(rows, "openai", "gpt-4o-audio-preview"), nil)
  test.eq(prices.find(rows, "openai", "gpt-4o-mini-tts"), nil)
  test.eq(prices.find(rows, "anthropic", "gpt-4o-mini"), nil)
end)

test("a_router_passes_its_vendors_price_on", function()
  local rows = prices.open()
  test.eq(prices.find(rows, "openrouter", "openai/gpt-4o-mini").input, 0.15)
  test.eq(prices.find(rows, "openrouter", "google/gemini-2.5-flash").provider, "gemini")
  test.eq(prices.find(rows, "openrouter", "qwen/qwen3-4b:free").output, 0)
  test.eq(prices.find(rows, "openrouter", "qwen/qwen3-4b"), nil)
end)

test("every_bundled_price_has_a_date_and_a_source", function()
  for _, row in ipairs(prices.open()) do test.ok(row.taken and row.source, row.model) end
end)

local function price_file(text)
  local path = test.folder() .. "/prices.lua"
  assert(fs.write(path, text))
  return path
end

test("a_users_prices_come_first_and_a_bad_one_names_its_field", function()
  local rows = prices.open(price_file [[return { { provider = "openai", model = "gpt-4o*", input = 1, output = 2,
    taken = "2026-01-01" } }]])
  test.eq(prices.find(rows, "openai", "gpt-4o-mini").input, 1)
  local function message(text)
    local ok, err = pcall(prices.open, price_file(text))
    test.eq(ok, false)
    test.eq(err.exit, 3)
    return err.message
  end
  test.ok(message('return { { provider = "a", model = "b", input = -1, output = 2, taken = "2026-01-01" } }')
    :find("[1].input", 1, true))
  test.ok(message('return { { provider = "a", model = "b", input = 1, output = 2 } }'):find("taken", 1, true))
  test.ok(message('return os.execute "true"'):find("prices.lua:1", 1, true))
end)

test("cost_is_counted_in_billionths_and_rounded_up", function()
  local row = { input = 0.15, output = 0.6, cached = 0.075 }
  test.eq(prices.cost(row, 1, 0, 0), 150)
  test.eq(prices.cost(row, 1000, 10, 400), 600 * 150 + 400 * 75 + 10 * 600)
  test.eq(prices.cost({ input = 0.0001, output = 0 }, 1, 0, 0), 1)
end)

test("what_an_answer_says_itself_counts_before_the_table", function()
  local row = { input = 1, output = 1 }
  test.eq(budget.cost({ input_tokens = 5, output_tokens = 5, cost_usd = 0.25 }, row), 250000000)
  test.eq(budget.cost({ input_tokens = 5, output_tokens = 5 }, row), 10000)
  test.eq(budget.cost({ input_tokens = 5 }, row), nil)
  test.eq(budget.cost({ input_tokens = 5, output_tokens = 5 }, nil), nil)
end)

-- ---- the account ----

local ANSWER = { usage = { input_tokens = 10, output_tokens = 10 } }

test("who_finds_no_room_waits_for_the_others_and_goes_on_with_what_they_did_not_need", function()
  local account, most, asked = budget.new({ tokens = 100 }, {}), 0, 0
  local tasks = {}
  for i = 1, 5 do
    tasks[i] = sched.spawn(function()
      local held <close> = account:reserve(60, 0)
      if not held then return end
      asked, held.sent = asked + 1, true
      most = math.max(most, account.spent.tokens + account.held.tokens)
      sched.sleep(0.001)
      held:settle(ANSWER)
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(asked, 3) -- 60 set aside at 0, 20 and 40 spent; at 60 there is no room for another worst case
  test.ok(most <= 100)
  test.eq(account.spent.tokens, 60)
  test.eq(account.held.tokens, 0)
  test.ok(account.ended.message:find("60 tokens of 100 tokens", 1, true), account.ended.message)
end)

local function after(response, err, sent)
  local account = budget.new({ tokens = 1000, requests = 10 }, {})
  do
    local held <close> = account:reserve(100, 0)
    held.sent = sent ~= false
    if response or err then held:settle(response, err) end
  end
  test.eq(account.held.tokens, 0)
  return account.spent.tokens, account.spent.requests
end

test("what_nobody_knows_counts_at_its_worst_and_a_refusal_by_status_costs_nothing", function()
  test.eq(after(ANSWER), 20)
  test.eq(after { usage = {} }, 100)
  test.eq(after(nil, { kind = "provider", status = 429 }), 0)
  test.eq(after(nil, { kind = "provider", status = 200, bad_reply = true }), 100)
  test.eq(after(nil, { kind = "http", code = "connect", sent = false }), 0)
  test.eq(after(nil, { kind = "http", code = "timeout_total", sent = true }), 100)
  test.eq(after(), 100) -- cut off when it was on its way
  local tokens, requests = after(nil, nil, false) -- cut off before
  test.eq(tokens, 0)
  test.eq(requests, 0)
end)

-- ---- with a real server ----

local folder
local function parent()
  if not folder then
    folder = test.folder()
    local lines = {}
    for i = 1, 40 do
      lines[i] = ('{"id":"b%02d","text":"invented question number %d","category":"helpful"}\n'):format(i, i)
    end
    assert(fs.write(folder .. "/suite.jsonl", table.concat(lines)))
    assert(fs.write(folder .. "/prices.lua", 'return { { provider = "openai", model = "mock", input = 1000, '
      .. 'output = 2000, taken = "2026-01-01" } }'))
  end
  return folder
end

local function words(base, token, id, more)
  return ("exec %s run --model openai/mock --base-url %s/delay/20/%s/v1 --suite %s/suite.jsonl --judge "
    .. "%s/examples/brevity.lua --max-tokens 40 --run-dir %s/runs --run-id %s --concurrency 8 %s"):format(test.program,
      base, token, parent(), test.root, parent(), id, more)
end

test("a_conversation_whose_turns_were_filled_counts_each_request_once_when_a_run_goes_on", function()
  local one = { attempts = 1, usage = { input_tokens = 1, output_tokens = 25 } }
  local two = { attempts = 3, usage = { input_tokens = 2, output_tokens = 12 } }
  local rows = {
    { type = "trial", model = "m", turns = { one }, ["response.error.kind"] = "unfinished" },
    { type = "trial", model = "m", turns = { one, two }, ["response.error.kind"] = "unfinished" },
    { type = "trial", model = "m", turns = { one, two }, attempts = 4, -- two requests of its own, two retries of a turn
      ["response.usage"] = { input_tokens = 5, output_tokens = 49 } },
    { type = "trial", model = "m", attempts = 2, ["response.error.kind"] = "http" },
    { type = "trial", model = "m", attempts = 0, ["response.usage"] = { input_tokens = 9, output_tokens = 9 } },
  }
  local store = { lines = #rows }
  function store.scan()
    local i = 0
    return function()
      i = i + 1
      return rows[i]
    end
  end
  local account = budget.new({ tokens = 1000 }, {})
  account:continue(store, { models = {}, judges = {} })
  test.eq(account.spent.tokens, 54)
  test.eq(account.spent.requests, 1 + 3 + 2 + 2)
end)

local function run(...)
  return assert(process.run { "bash", "-c", words(...), timeout = 60, max_bytes = 1 << 24 })
end

local function count(base, token)
  return math.tointeger(tonumber(assert(http.request { method = "GET", url = base .. "/count/" .. token }).body))
end

local function read_account(id)
  return json.decode(assert(fs.read(("%s/runs/%s/budget.json"):format(parent(), id))))
end

test("a_budget_of_requests_ends_the_run_at_just_so_many_and_a_larger_one_goes_on", function()
  local base = test.nginx()
  local first = run(base, "br", "requests", "--budget-requests 11")
  test.eq(first.exit, 1)
  test.eq(count(base, "br"), 11)
  test.ok(first.err:find("missing  29 trials", 1, true), first.err)
  test.ok(first.err:find("suite/b40|none|openai/mock", 1, true) or first.err:find("...", 1, true), first.err)
  test.eq(run(base, "br", "requests", "--budget-requests 11").exit, 1)
  test.eq(count(base, "br"), 11)
  test.eq(run(base, "br", "requests", "--budget-requests 40").exit, 0)
  test.eq(count(base, "br"), 40)
  test.eq(read_account("requests").requests, 40)
end)

test("tokens_and_dollars_are_not_overshot_with_everything_in_flight", function()
  local base = test.nginx()
  local tokens = run(base, "bt", "tokens", "--budget-tokens 700")
  test.eq(tokens.exit, 1)
  local spent = read_account "tokens"
  test.ok(spent.tokens <= 700 and spent.tokens > 300, spent.tokens)
  local dollars = run(base, "bd", "dollars", ("--budget-usd 0.6 --prices %s/prices.lua"):format(parent()))
  test.eq(dollars.exit, 1)
  spent = read_account "dollars"
  test.ok(spent.usd <= 0.6 and spent.usd > 0.2, spent.usd)
  test.ok(dollars.err:find("--budget-usd: $", 1, true), dollars.err)
end)

test("a_process_that_is_killed_is_taken_at_its_worst_so_its_budget_holds", function()
  local base = test.nginx()
  -- Killed while some are in flight, which no journal tells of.
  local script = ("%s & pid=$!; while ! grep -qs response %s/runs/killed/partials.jsonl; do sleep 0.005; done; "
    .. "kill -9 $pid; wait $pid"):format(words(base, "bk", "killed", "--budget-requests 20 -q"):gsub("^exec ", ""),
      parent())
  assert(process.run { "bash", "-c", script, timeout = 60 })
  run(base, "bk", "killed", "--budget-requests 20")
  test.ok(count(base, "bk") <= 20, "the server saw more than the budget")
end)

test("the_judges_requests_are_in_the_budget_and_verdicts_that_lack_are_given_later", function()
  local url = test.mock("")
  local function asked()
    return json.decode(assert(http.request { method = "GET", url = url:gsub("/v1$", "") .. "/_mock" }).body).requests
  end
  local function judged(more)
    return assert(process.run { "bash", "-c", ("exec %s run --model openai/mock --base-url %s --suite %s/suite.jsonl "
      .. "--limit 6 --judge refusal_llm --judge-model openai/judge --judge-base-url %s --run-dir %s/runs "
      .. "--run-id judged --concurrency 4 %s"):format(test.program, url, parent(), url, parent(), more), timeout = 120,
      max_bytes = 1 << 24 })
  end
  local first = judged("--budget-requests 9")
  test.eq(first.exit, 1)
  test.has(first.err, "--budget-requests: 9 requests of 9 requests are spent")
  test.ok(asked() <= 9, "the server saw more than the budget")
  judged("--budget-requests 100")
  local verdicts = 0
  for line in assert(fs.read(parent() .. "/runs/judged/partials.jsonl")):gmatch "[^\n]+" do
    if json.decode(line).type == "verdict" then verdicts = verdicts + 1 end
  end
  test.eq(verdicts, 6)
end)

test("a_price_that_nobody_knows_is_refused_before_anything_is_sent", function()
  local base = test.nginx()
  local refused = run(base, "bu", "unknown", "--budget-usd 5")
  test.eq(refused.exit, 3)
  test.ok(refused.err:find("the price of openai/mock", 1, true) and refused.err:find("--prices", 1, true), refused.err)
  test.eq(count(base, "bu"), 0)
  test.eq(fs.stat(parent() .. "/runs/unknown"), nil)
end)

test("max_wall_cuts_off_what_is_in_flight_and_the_run_goes_on_later", function()
  local base = test.nginx()
  local slow = base .. "/delay/60000/bw"
  local command = words(base, "bw", "wall", "--max-wall 0.3"):gsub("%S+/delay/20/bw", slow)
  local cut = assert(process.run { "bash", "-c", command, timeout = 60 })
  test.eq(cut.exit, 1)
  test.ok(cut.err:find("--max-wall passed", 1, true), cut.err)
  test.ok(cut.err:find("missing  40 trials", 1, true), cut.err)
end)
