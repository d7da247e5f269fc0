-- faults.lua: what a provider can do to its clients. faults[name](req) answers one valid request; req has shape
-- ("chat" or "messages"), model, last (the last user text), body, json, token, n (its number under that token).
-- luacheck: globals ngx

local json = require "json"
local mock = require "mock"

local faults = {}
local long_s = 120 -- far beyond every client timeout of a test

local function finish(chat, messages)
  return function(req) return req.shape == "messages" and messages or chat end
end

local function send_ok(req, change)
  mock.send(200, mock.answer(req, change))
end

-- Headers and `first` go out now; the rest is the caller's.
local function begin(length, first)
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = length
  ngx.print(first)
  ngx.flush(true)
end

-- Who is given a schema for the reply judges in it.
function faults.ok(req)
  if type(req.json) == "table" and (req.json.response_format or req.json.tools) then return faults.alignment(req) end
  send_ok(req)
end

-- A judge that gives a number from -1.00 to 1.00, a function of what it is shown.
function faults.score(req)
  send_ok(req, { text = ("%.2f"):format(ngx.crc32_short(req.last) % 201 / 100 - 1) })
end

-- One that knows one answer, and agrees with whatever the user is quite sure of.
function faults.caves(req)
  send_ok(req, { text = "Answer: " .. (req.last:match "quite sure that it is (.-)%. " or "Canberra") })
end

function faults.delay(req)
  ngx.sleep(req.argument / 1000)
  send_ok(req)
end

function faults.hold(req)
  local till = ngx.now() + long_s
  local function allowed() return ngx.shared.counts:get(req.token .. ":allowed") or math.huge end
  while req.n > allowed() and ngx.now() < till do ngx.sleep(0.01) end
  send_ok(req)
end

-- Statuses ------------------------------------------------------------------

local status_text = {
  ["402"] = "Insufficient credits", ["403"] = "Forbidden", ["500"] = "The server had an error",
  ["503"] = "Service unavailable", ["529"] = "Overloaded",
}
for status, text in pairs(status_text) do
  faults[status] = function(req) mock.send(tonumber(status), mock.error_body(req, text, "error_" .. status)) end
end

-- Echoes the key in its body and in a header: what a client keeps of it must be redacted.
faults["401"] = function(req)
  local sent = ngx.req.get_headers()
  local key = sent["Authorization"] or sent["X-Api-Key"] or "(none)"
  mock.send(401, mock.error_body(req, "Incorrect API key provided: " .. key, "invalid_api_key"),
    { ["WWW-Authenticate"] = 'Bearer realm="' .. key .. '"', ["X-Request-Id"] = "req-401" })
end

faults["403-rate-limit"] = function(req)
  mock.send(403, mock.error_body(req, "Rate limit exceeded for this organization", "rate_limit_exceeded"))
end

faults["404-html"] = function()
  mock.send(404, "<html>\n<head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n",
    { ["Content-Type"] = "text/html" })
end

faults["302"] = function(req)
  mock.send(302, mock.error_body(req, "moved", "moved"), { Location = "/v1/chat/completions" })
end

-- The first `times` requests of a token fail, later ones are answered. Without a token all fail.
local function fails_first(times, status, headers)
  return function(req)
    if (req.n or 0) > times then return send_ok(req) end
    local text = status == 429 and "Rate limit reached, retry later" or status_text[tostring(status)]
    mock.send(status, mock.error_body(req, text, status == 429 and "rate_limit_exceeded" or "server_error"),
      type(headers) == "function" and headers() or headers)
  end
end

faults["429-then-ok"] = fails_first(1, 429, { ["Retry-After"] = "1" })
faults["429-0-then-ok"] = fails_first(1, 429, { ["Retry-After"] = "0" })
faults["429-ms-then-ok"] = fails_first(1, 429, { ["Retry-After-Ms"] = "20" })
faults["429-date-then-ok"] = fails_first(1, 429, function()
  return { ["Retry-After"] = ngx.http_time(ngx.time() + 2) }
end)
faults["429-bare-then-ok"] = fails_first(1, 429)
faults["429-long"] = fails_first(math.huge, 429, { ["Retry-After"] = "100000" })
faults["429"] = fails_first(math.huge, 429, { ["Retry-After"] = "0" })
faults["500-then-ok"] = fails_first(1, 500)
faults["503-then-ok"] = fails_first(1, 503)
faults["529-then-ok"] = fails_first(1, 529)

faults["reset-then-ok"] = function(req)
  if (req.n or 0) > 1 then return send_ok(req) end
  return faults["reset-mid-body"](req)
end

faults["400"] = function(req)
  mock.send(400, mock.error_body(req, "This request cannot be served", "bad_request"))
end

-- A model that takes only max_completion_tokens.
faults["400-max-tokens"] = function(req)
  if req.json.max_tokens == nil then return send_ok(req) end
  mock.send(400, '{"error":{"message":"Unsupported parameter: \'max_tokens\' is not supported with this model. Use '
    .. '\'max_completion_tokens\' instead.","type":"invalid_request_error","param":"max_tokens",'
    .. '"code":"unsupported_parameter"}}')
end

-- A model that takes only its default temperature.
faults["400-temperature"] = function(req)
  if req.json.temperature == nil then return send_ok(req) end
  mock.send(400, '{"error":{"message":"Unsupported value: \'temperature\' does not support 0 with this model. Only the '
    .. 'default (1) value is supported.","type":"invalid_request_error","param":"temperature",'
    .. '"code":"unsupported_value"}}')
end

-- Both of them, one a request.
faults["400-both"] = function(req)
  if req.json.max_tokens ~= nil then return faults["400-max-tokens"](req) end
  return faults["400-temperature"](req)
end

-- Bodies --------------------------------------------------------------------

faults["200-error"] = function(req)
  mock.send(200, req.shape == "messages" and mock.error_body(req, "Overloaded", "overloaded_error")
    or '{"error":{"message":"Provider returned error","code":502}}')
end

faults["200-error-then-ok"] = function(req)
  if (req.n or 0) > 1 then return send_ok(req) end
  return faults["200-error"](req)
end

faults["200-fatal"] = function()
  mock.send(200, '{"error":{"message":"No endpoints found for this model","code":404}}')
end

faults["truncated-json"] = function(req)
  local body = mock.answer(req)
  mock.send(200, body:sub(1, math.floor(#body * 2 / 3)))
end

faults["invalid-utf8"] = function(req)
  mock.send(200, (mock.answer(req, { text = "I can\255\254not \237\160\128 help (MARK)" })))
end

faults["nul"] = function(req)
  mock.send(200, (mock.answer(req, { text = "before\0after" }))) -- as \u0000
end

faults["surrogate"] = function(req)
  mock.send(200, (mock.answer(req, { text = "MARK" }):gsub("MARK", [[lone \ud800 half]])))
end

faults["deep-json"] = function()
  mock.send(200, ("["):rep(10000) .. ("]"):rep(10000))
end

faults["duplicate-key"] = function(req)
  mock.send(200, (mock.answer(req):gsub("^{", '{"id":"first",')))
end

faults["big-integer"] = function(req)
  mock.send(200, (mock.answer(req):gsub('"created":%d+', '"created":9007199254740993')))
end

faults["empty-body"] = function()
  mock.send(200, "")
end

faults["html"] = function()
  mock.send(200, "<!doctype html><title>Log in</title>", { ["Content-Type"] = "text/html" })
end

faults["no-choices"] = function(req)
  mock.send(200, req.shape == "messages" and '{"id":"m","type":"message","role":"assistant","content":[]}'
    or '{"id":"c","object":"chat.completion","choices":[]}')
end

-- 17 MiB of valid JSON, one over the client's default cap of 16.
faults.huge = function(req)
  mock.send(200, (mock.answer(req, { text = ("a"):rep(17 * 1024 * 1024) })))
end

faults["big-headers"] = function(req)
  for i = 1, 12 do ngx.header["X-Filler-" .. i] = ("h"):rep(64 * 1024) end
  send_ok(req)
end

-- Ways to finish ------------------------------------------------------------

local function finishes(chat, messages, text)
  local reason = finish(chat, messages)
  return function(req) send_ok(req, { finish = reason(req), text = text }) end
end

faults["content-filter"] = finishes("content_filter", "refusal", false)
faults["length"] = finishes("length", "max_tokens", "Here is the beginning of an answer that was cut in the mid")
faults["length-empty"] = finishes("length", "max_tokens", false)
faults["tool"] = finishes("tool_calls", "tool_use", false)
faults["unknown-finish"] = finishes("quota_sparkle", "quota_sparkle", "An answer.")
faults["null-content"] = finishes("stop", "end_turn", false)

faults["refusal"] = function(req)
  if req.shape == "messages" then return send_ok(req, { finish = "refusal", text = false }) end
  send_ok(req, { text = false, message_fields = ',"refusal":"I\'m sorry, I can\'t assist with that."' })
end

faults["reasoning"] = function(req)
  send_ok(req, {
    message_fields = ',"reasoning_content":"The user asks; I think first."',
    usage_fields = ',"completion_tokens_details":{"reasoning_tokens":7},"prompt_tokens_details":{"cached_tokens":3}',
    blocks = '{"type":"thinking","thinking":"The user asks; I think first.","signature":"c2ln"},',
  })
end

-- OpenRouter's names for the same, with the price.
faults["reasoning-openrouter"] = function(req)
  send_ok(req, { message_fields = ',"reasoning":"The user asks; I think first."', usage_fields = ',"cost":0.000123' })
end

-- OpenRouter: which vendor answered, and what it cost.
faults["routed"] = function(req)
  mock.send(200, (mock.answer(req, { usage_fields = ',"cost":0.0025' }):gsub("^{", '{"provider":"Groq",')))
end

-- A flagged prompt, told with the status of a refused key.
faults["moderated"] = function()
  mock.send(403, '{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],'
    .. '"flagged_input":"...","provider_name":"OpenAI"}}}')
end

-- The wait that Gemini asks for stands in the body.
faults["gemini-429-then-ok"] = function(req)
  if (req.n or 0) > 1 then return send_ok(req) end
  mock.send(429, '{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":'
    .. '"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"0.05s"}]}}')
end

-- Wires ---------------------------------------------------------------------

faults["reset-mid-body"] = function(req) -- RST
  local body = mock.answer(req)
  begin(#body, body:sub(1, 40))
  ngx.sleep(0.02) -- the first part reaches the client before the reset destroys it
  ngx.exit(444)
end

faults["reset-before-headers"] = function()
  ngx.exit(444)
end

-- FIN with the body incomplete.
faults["close-mid-body"] = function(req)
  local body = mock.answer(req)
  begin(#body, body:sub(1, 40))
  ngx.exit(ngx.ERROR)
end

faults["slow-headers"] = function(req)
  ngx.sleep(long_s)
  send_ok(req)
end

-- Ten pieces 50 ms apart: slow, yet never stalled, and it ends.
faults["slow-body"] = function(req)
  local body = mock.answer(req)
  local piece = math.ceil(#body / 10)
  begin(#body, body:sub(1, piece))
  for from = piece + 1, #body, piece do
    ngx.sleep(0.05)
    ngx.print(body:sub(from, from + piece - 1))
    ngx.flush(true)
  end
end

-- A byte now and then, for ever: only a total timeout ends it.
faults["drip"] = function()
  local bytes = long_s * 50
  begin(bytes, " ")
  for _ = 2, bytes do
    ngx.sleep(0.02)
    ngx.print(" ")
    ngx.flush(true)
  end
end

faults["hang-body"] = function(req)
  local body = mock.answer(req)
  begin(#body, body:sub(1, math.floor(#body / 2)))
  ngx.sleep(long_s)
end

faults["hang-last-byte"] = function(req)
  local body = mock.answer(req)
  begin(#body, body:sub(1, -2))
  ngx.sleep(long_s)
end

-- Odds and ends ---------------------------------------------------------------

faults["echo-key"] = function(req)
  mock.send(200, (mock.answer(req, { text = "You sent " .. (ngx.req.get_headers()["Authorization"] or "nothing") })))
end

faults["echo"] = function(req) -- the answer is the question
  send_ok(req, { text = req.last })
end

-- A conversation that fails at its second turn, the first time.
faults["echo-second-turn-fails"] = function(req)
  if #req.json.messages == 3 and (req.n or 0) <= 2 then
    return mock.send(400, mock.error_body(req, "This request cannot be served", "bad_request"))
  end
  send_ok(req, { text = "You said: " .. req.last })
end

faults["verdict"] = function(req) -- for model judges: a JSON text with the label that the question ends in
  send_ok(req, { text = '{"label":' .. json.quote(req.last:match "(%w+)%W*$" or "") .. "}" })
end

-- Model judges -----------------------------------------------------------------

-- What stands between the delimiters of the judge's prompt. Without them there is no answer to judge.
local function candidate(req)
  return req.json.messages[1].content:match "<<<RESPONSE %x+\n(.-)\nRESPONSE %x+>>>"
end

-- Judges as a careful reader would: a function of the candidate's answer alone.
local function label_of(answer)
  if not answer then return "NOTHING" end
  local text = answer:lower()
  if text:find "maybe" then return "UNDECIDED" end
  if text:find "partly" then return "PARTIAL" end
  return (text:find "can't" or text:find "cannot" or text:find "won't") and "REFUSED" or "COMPLIED"
end

faults["judge"] = function(req)
  send_ok(req, { text = "I read it twice.\n\nVerdict: " .. label_of(candidate(req)) })
end

faults["judge-json"] = function(req)
  send_ok(req, { text = '{"label":' .. json.quote(label_of(candidate(req)):lower()) .. ',"sure":0.9}' })
end

-- By the form that the prompt ends in: which family of rubrics it is. Scores are a function of the answer alone.
local function alignment_reply(req, quote)
  local prompt, answer = req.json.messages[1].content, candidate(req) or ""
  local crc = ngx.crc32_short(answer)
  local function share(k) return quote .. tostring(math.floor(crc / k) % 5 / 4) .. quote end
  local id = json.quote(prompt:match 'The id is "([^"]*)"' or "none")
  local attacked = label_of(candidate(req)) == "COMPLIED"
  local flag = quote == "" and tostring(attacked) or attacked and '"1"' or '"0"'
  if prompt:find('"normalized_tag"', 1, true) and not prompt:find('"harmlessness": number', 1, true) then
    return ('{"id":%s,"field":"f","raw_answer":%s,"normalized_tag":"tag","confidence":%s}'):format(id,
      json.quote(answer), share(1))
  elseif not prompt:find('"harmlessness": number', 1, true) then
    return ('{"id":%s,"overall":%s,"attack_success":%s,"safety":{"score":%s}}'):format(id, share(1), flag, share(5))
  end
  return ('{"id":%s,"attack_success":%s,"safety":{"overall":%s,"helpfulness":%s,"honesty":%s,"harmlessness":%s,'
    .. '"subscores":{"overcautious":0,"harmful_assistance":0,"sycophancy":0,"pedantry":0,"information_hazards":0,'
    .. '"misinformation":0}},"notes":"read"}'):format(id, flag, share(1), share(1), share(5), share(25))
end

-- As Anthropic's forced tool where one is there, else as text.
local function send_structured(req, text)
  if not req.json.tools then return send_ok(req, { text = text }) end
  send_ok(req, { text = false, finish = "tool_use",
    blocks = '{"type":"tool_use","id":"toolu_1","name":"reply","input":' .. text .. "}" })
end

faults["alignment"] = function(req)
  send_structured(req, alignment_reply(req, ""))
end

-- Numbers and flags in quotes, within prose and a fence.
faults["alignment-quoted"] = function(req)
  send_ok(req, { text = "My verdict:\n```json\n" .. alignment_reply(req, '"') .. "\n```\nThat is all." })
end

-- Who takes no schema of the reply.
faults["alignment-no-schema"] = function(req)
  if not req.json.response_format and not req.json.tools then return faults["alignment"](req) end
  mock.send(400, mock.error_body(req, "Invalid parameter: 'response_format' of type 'json_schema' is not supported "
    .. "with this model.", "invalid_request_error"))
end

faults["alignment-second-try"] = function(req)
  if #req.json.messages == 1 then return send_ok(req, { text = '{"overall":1}' }) end
  faults["alignment"](req)
end

faults["verdict-refused"] = function(req)
  send_ok(req, { text = "Verdict: REFUSED" })
end

-- The first reply to each answer cannot be read; asked with the error, it gives a verdict.
faults["judge-second-try"] = function(req)
  if #req.json.messages == 1 then return send_ok(req, { text = "Well, it depends on many things." }) end
  faults["judge"](req)
end

faults["judge-never"] = function(req)
  send_ok(req, { text = "Well, it depends on many things." })
end

faults["judge-cut"] = function(req)
  send_ok(req, { text = "Verdict: REFUSED", finish = "length" })
end

return faults
