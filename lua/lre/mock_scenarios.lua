-- mock_scenarios: the scenarios that `lre mock --script NAME` knows. Where a fault can be got over, the first request
-- of each kind meets it and the next one is answered: a run through it ends in the same results as through `calm`.
local reply = require "lre.mock_reply"

local scenarios = {}

local function add(name, summary, recovers, fn)
  scenarios[#scenarios + 1] = { name = name, summary = summary, recovers = recovers, reply = fn }
end

-- The fault for the first `times` requests with one body, then the answer.
local function first(times, fault)
  return function(ask, m)
    if ask.try <= times then return fault(ask, m) end
    return m.answer(ask)
  end
end

add("calm", "answers", true, function(ask, m) return m.answer(ask) end)

for _, form in ipairs { "seconds", "ms", "date", "reset", "epoch", "rfc3339", "bare" } do
  add("429-" .. form, form == "bare" and "a 429 that names no delay" or "a 429 that names its delay as " .. form, true,
    first(1, function(ask, m) return m.limited(ask, { form = form }) end))
end
add("429-half", "every second request, by chance, is refused with a 429 that may come again at once", true,
  function(ask, m) return ask:random() < 0.5 and m.limited(ask, { seconds = 0 }) or m.answer(ask) end)
add("429-always", "nothing but 429", false, function(ask, m) return m.limited(ask) end)

for _, status in ipairs { 500, 502, 503, 504, 529 } do
  add(tostring(status), "two of " .. status .. ", then the answer", true,
    first(2, function(ask, m) return m.status(ask, status, { headers = { ["Retry-After-Ms"] = "10" } }) end))
end
add("503-html", "two pages of a proxy, then the answer", true, first(2, function(ask, m)
  return m.status(ask, 503, { html = true, headers = { ["Retry-After-Ms"] = "10" } })
end))
add("burst", "of twenty requests the first five meet a 503", true, function(ask, m)
  if (ask.n - 1) % 20 < 5 then return m.status(ask, 503, { headers = { ["Retry-After-Ms"] = "10" } }) end
  return m.answer(ask)
end)
add("200-error", "an error inside a 200, then the answer", true, first(1, function(ask, m)
  local made = m.status(ask, 529, { message = "overloaded", code = "overloaded", type = "overloaded_error" })
  made.status = 200
  return made
end))

add("reset", "the connection is reset before a byte", true, first(1, function(ask, m)
  return m.reset(m.answer(ask))
end))
add("reset-body", "the connection is reset in the middle of the body", true, first(1, function(ask, m)
  return m.reset(m.answer(ask), 0.5)
end))
add("short", "the connection ends before the body does", true, first(1, function(ask, m)
  return m.short(m.answer(ask))
end))
add("close", "every connection is closed after its answer", true, function(ask, m) return m.close(m.answer(ask)) end)
add("slow-head", "the head comes in pieces", true, function(ask, m) return m.slow_head(m.answer(ask), 8, 0.01) end)
add("slow-body", "the body comes in pieces", true, function(ask, m) return m.slow_body(m.answer(ask), 8, 0.01) end)
add("late", "the answer takes its time", true, function(ask, m) return m.late(m.answer(ask), 0.1) end)
add("hang", "the last byte does not come (lower --timeout-stall), then the answer", true, first(1, function(ask, m)
  return m.hang(m.answer(ask))
end))

add("truncated", "half of the JSON, then the answer", true, first(1, function(ask, m)
  return m.truncate(m.answer(ask))
end))
add("garbage", "bytes that are no JSON, then the answer", true, first(1, function(ask, m)
  return m.body(m.answer(ask), "{\"choices\":[{\xff\xfe NaN,}")
end))
add("empty", "no body, then the answer", true, first(1, function(ask, m) return m.body(m.answer(ask), "") end))
add("html", "a page with status 200, then the answer", true, first(1, function(ask, m)
  return m.body(m.answer(ask), "<html><title>Sign in</title></html>", "text/html")
end))
add("wrong-type", "the answer as text/plain", true, function(ask, m)
  return m.body(m.answer(ask), nil, "text/plain")
end)

for _, form in ipairs { "openai", "azure", "refusal", "anthropic", "anthropic_blocked", "openrouter" } do
  add("filter-" .. form, "a content filter in the form of " .. form, false, function(ask, m)
    return m.filtered(ask, form)
  end)
end
add("unauthorized", "a refused key", false, function(ask, m)
  return m.status(ask, 401, { message = "Incorrect API key provided", code = "invalid_api_key" })
end)

-- What a bad day looks like: a fifth of the requests, by chance, meets one of these. The last one meets no request
-- twice: a body that cannot be read is asked for once more only.
local TROUBLES = { "429-seconds", "429-date", "503", "reset", "reset-body", "slow-body", "late", "truncated" }
add("storm", "a fifth of the requests meets some fault", true, function(ask, m)
  local dice = ask:random()
  if dice >= 0.2 then return m.answer(ask) end
  local name = TROUBLES[math.floor(dice / 0.2 * (ask.try == 1 and #TROUBLES or #TROUBLES - 1)) + 1]
  return scenarios.find(name).reply(setmetatable({ try = 1 }, { __index = ask }), reply)
end)

---The scenario of that name, or nil.
function scenarios.find(name)
  for _, one in ipairs(scenarios) do
    if one.name == name then return one end
  end
end

---All names, in their order.
function scenarios.names()
  local out = {}
  for i, one in ipairs(scenarios) do out[i] = one.name end
  return out
end

return scenarios
