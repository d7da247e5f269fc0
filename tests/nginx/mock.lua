-- mock.lua: a provider for tests: /v1/chat/completions (OpenAI's shape), /v1/messages (Anthropic's),
-- /v1/models/ID:generateContent (Gemini's), /v1/api/chat (Ollama's) and /v1/generate ({ q } -> { answer }).
--
--   /v1/...                        a deterministic answer, from the last user message
--   /fast/v1/...                   the same, with neither log nor count: for the benchmark
--   /faults/NAME[/TOKEN]/v1/...    the fault NAME of faults.lua ("ok" is one of them)
--   /delay/MS[/TOKEN]/v1/...       the answer after MS milliseconds
--   /hold/TOKEN/v1/...             the answer; once GET /allow/TOKEN/N was asked, only for the first N requests of that
--                                  token: later ones wait until N grows
--   /gzip/...                      any of these, compressed
--   /close/...  /stale/...         without keep-alive; promising it but closing the idle connection
--   GET /count/TOKEN               how many requests came under TOKEN
--   GET /requests/TOKEN            the last 100 of them, oldest first: [{ "method", "uri", "headers", "body" }]
--
-- A TOKEN (letters, digits, . _ -) is chosen by the test, in the path or in the header X-Token: each counts its own.
-- luacheck: globals ngx

local json = require "json"

local mock = {}
local counts, requests = ngx.shared.counts, ngx.shared.requests
local kept_requests = 100

local refusals = {
  "I'm sorry, but I can't help with that request.",
  "I cannot assist with this. If you are in danger, please contact local services.",
  "I won't provide instructions for that.",
}
local answers = {
  "Sure. Here is a short overview: start with the basics, compare two sources, and write down what you find.",
  "Of course! The main idea is simple: take one step at a time, check the result, then go on to the next.",
  "Here is a summary. First, gather what you need. Second, follow the order given. Third, test it and adjust.",
  "Yes. It depends on the context, but a common approach is to begin small and measure before you change anything.",
}

-- What the model says to `text`: two in five are refused. A function of the text alone.
function mock.reply_text(text)
  local crc = ngx.crc32_short(text)
  local pick = math.floor(crc / 5)
  if crc % 5 < 2 then return refusals[pick % #refusals + 1] end
  return answers[pick % #answers + 1] .. (" (%08x)"):format(crc)
end

local function chat_body(reply)
  return table.concat {
    '{"id":"chatcmpl-', reply.id, '","object":"chat.completion","created":1700000000,"model":', json.quote(reply.model),
    ',"choices":[{"index":0,"message":{"role":"assistant","content":', reply.text and json.quote(reply.text) or "null",
    reply.message_fields or "", '},"finish_reason":"', reply.finish or "stop", '"}],"usage":{"prompt_tokens":',
    reply.input_tokens, ',"completion_tokens":', reply.output_tokens, ',"total_tokens":',
    reply.input_tokens + reply.output_tokens, reply.usage_fields or "", "}}",
  }
end

local function messages_body(reply)
  return table.concat {
    '{"id":"msg_', reply.id, '","type":"message","role":"assistant","model":', json.quote(reply.model), ',"content":[',
    reply.blocks or "", reply.text and '{"type":"text","text":' .. json.quote(reply.text) .. "}" or "",
    '],"stop_reason":"', reply.finish or "end_turn", '","stop_sequence":null,"usage":{"input_tokens":',
    reply.input_tokens, ',"output_tokens":', reply.output_tokens, "}}",
  }
end

local function gemini_body(reply)
  return table.concat {
    '{"candidates":[{"content":{"role":"model","parts":[{"text":', json.quote(reply.text or ""),
    '}]},"finishReason":"STOP","index":0}],"modelVersion":', json.quote(reply.model), ',"responseId":"', reply.id,
    '","usageMetadata":{"promptTokenCount":', reply.input_tokens, ',"candidatesTokenCount":', reply.output_tokens, "}}",
  }
end

local function ollama_body(reply)
  return table.concat {
    '{"model":', json.quote(reply.model), ',"created_at":"2026-01-01T00:00:00Z",',
    '"message":{"role":"assistant","content":', json.quote(reply.text or ""),
    '},"done":true,"done_reason":"stop","prompt_eval_count":', reply.input_tokens,
    ',"eval_count":', reply.output_tokens, "}",
  }
end

local function plain_body(reply)
  return '{"answer":' .. json.quote(reply.text or "") .. "}"
end

local bodies = { chat = chat_body, messages = messages_body, gemini = gemini_body, ollama = ollama_body,
  plain = plain_body }

-- The body of a reply to `req`. `change` (may be nil): text (false: none), finish, and the raw JSON pieces
-- message_fields, usage_fields (chat) and blocks (messages).
function mock.answer(req, change)
  local text = mock.reply_text(req.last)
  local reply = { id = ("%08x"):format(ngx.crc32_short(req.body)), model = req.model, text = text }
  for key, value in pairs(change or {}) do reply[key] = value end
  reply.input_tokens = math.ceil(#req.last / 4)
  reply.output_tokens = math.ceil(#(reply.text or "") / 4)
  return bodies[req.shape](reply)
end

-- An error body in the provider's own shape.
function mock.error_body(req, message, code)
  if req.shape == "messages" then
    return ('{"type":"error","error":{"type":%s,"message":%s}}'):format(json.quote(code), json.quote(message))
  end
  return ('{"error":{"message":%s,"type":"invalid_request_error","param":null,"code":%s}}'):format(
    json.quote(message), json.quote(code))
end

function mock.send(status, body, headers)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  for name, value in pairs(headers or {}) do ngx.header[name] = value end
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

local function read_body()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local path = not body and ngx.req.get_body_file()
  if path then
    local file = assert(io.open(path, "rb"))
    body = file:read("*a")
    file:close()
  end
  return body or ""
end

-- In each shape's own words: its list of turns; nil where there is none.
local function turns_of(req)
  if req.shape == "gemini" then return req.json.contents end
  return req.shape == "plain" and { { role = "user", content = req.json.q } } or req.json.messages
end

local function last_user_text(messages)
  for i = #messages, 1, -1 do
    local content = messages[i].content or messages[i].parts
    if messages[i].role == "user" then
      if type(content) == "string" then return content end
      local parts = {}
      for n, part in ipairs(content) do parts[n] = part.text or "" end
      return table.concat(parts)
    end
  end
  return ""
end

-- What is wrong with a request, or nil: as much as a real server would refuse.
local function complaint(req)
  local doc = req.json
  if type(doc) ~= "table" then return "body is not a JSON object" end
  if req.shape == "plain" then return type(doc.q) ~= "string" and "q: expected a string" or nil end
  if req.shape == "gemini" then
    return (type(doc.contents) ~= "table" or #doc.contents == 0) and "contents is not specified" or nil
  end
  if type(doc.model) ~= "string" then return "model: expected a string" end
  if type(doc.messages) ~= "table" or #doc.messages == 0 then return "messages: expected a list that is not empty" end
  for i, message in ipairs(doc.messages) do
    local content = type(message) == "table" and message.content
    if type(content) ~= "string" and (type(content) ~= "table" or content == json.null) then
      return ("messages[%d].content: expected text or parts"):format(i - 1)
    end
    if req.shape == "messages" and message.role == "system" then return "messages: role system is not allowed here" end
  end
  if req.shape == "messages" and type(doc.max_tokens) ~= "number" then return "max_tokens: Field required" end
end

local function remember(req)
  req.n = counts:incr(req.token, 1, 0)
  local headers, names = ngx.req.get_headers(), {}
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = headers[name]
    if type(value) == "table" then value = table.concat(value, ", ") end
    names[i] = json.quote(name) .. ":" .. json.quote(tostring(value))
  end
  requests:set(req.token .. ":" .. req.n, ('{"method":"%s","uri":%s,"headers":{%s},"body":%s}'):format(
    ngx.req.get_method(), json.quote(ngx.var.request_uri), table.concat(names, ","), json.quote(req.body)))
end

local shapes = { ["chat/completions"] = "chat", messages = "messages", ["api/chat"] = "ollama", generate = "plain" }

-- Answers one POST below .../v1/: `endpoint` is what follows.
local function serve_model(name, argument, token, endpoint)
  local gemini = endpoint:match "^models/(.+):generateContent$"
  local req = { shape = gemini and "gemini" or shapes[endpoint], argument = argument, body = read_body() }
  req.token = token ~= "" and token or ngx.req.get_headers()["X-Token"]
  if req.token then remember(req) end
  if not req.shape then return mock.send(404, mock.error_body(req, "unknown endpoint " .. endpoint, "not_found")) end
  if ngx.req.get_method() ~= "POST" then return mock.send(405, mock.error_body(req, "POST only", "method")) end
  local problem
  req.json, problem = json.decode(req.body)
  problem = problem or complaint(req)
  if problem then return mock.send(400, mock.error_body(req, problem, "invalid_request")) end
  req.model, req.last = gemini or req.json.model or "plain", last_user_text(turns_of(req))
  local fault = require("faults")[name]
  if not fault then return mock.send(404, mock.error_body(req, "no fault named " .. name, "no_such_fault")) end
  fault(req)
end

local function serve_requests(token)
  local n, out = counts:get(token) or 0, {}
  for i = math.max(1, n - kept_requests + 1), n do out[#out + 1] = requests:get(token .. ":" .. i) end
  mock.send(200, "[" .. table.concat(out, ",\n") .. "]\n")
end

function mock.serve()
  local path = ngx.var.uri:sub(#(ngx.ctx.prefix or "") + 1)
  local endpoint = path:match "^/v1/(.+)$"
  if endpoint then return serve_model("ok", nil, "", endpoint) end
  local name, token, rest = path:match "^/faults/([%w-]+)/?([%w._-]*)/v1/(.+)$"
  if name then return serve_model(name, nil, token, rest) end
  name, token, rest = path:match "^/delay/(%d+)/?([%w._-]*)/v1/(.+)$"
  if name then return serve_model("delay", tonumber(name), token, rest) end
  token, rest = path:match "^/hold/([%w._-]+)/v1/(.+)$"
  if token then return serve_model("hold", nil, token, rest) end
  token, rest = path:match "^/allow/([%w._-]+)/(%d+)$"
  if token then
    counts:set(token .. ":allowed", tonumber(rest))
    return mock.send(200, "{}\n")
  end
  token = path:match "^/count/([%w._-]+)$"
  if token then return mock.send(200, (counts:get(token) or 0) .. "\n") end
  token = path:match "^/requests/([%w._-]+)$"
  if token then return serve_requests(token) end
  if path == "/health" then return mock.send(200, "{}\n") end
  mock.send(404, '{"error":{"message":"no such path","type":"not_found","code":"not_found"}}')
end

-- The benchmark's paths, /fast/v1/... and /fast/MS/v1/...: the body is searched, not parsed, and the answer is the one
-- that /v1 gives to plain text, after so many milliseconds.
function mock.fast()
  local body = read_body()
  local ms, endpoint = ngx.var.uri:match "^/fast/(%d*)/?v1/(.+)$"
  local shape = shapes[endpoint] or "chat"
  if ms ~= "" then ngx.sleep(tonumber(ms) / 1000) end
  local last = ""
  for text in body:gmatch '"content":%s*"([^"]*)"' do last = text end
  local model = body:match '"model":%s*"([^"]*)"' or ""
  mock.send(200, mock.answer { shape = shape, body = body, last = last, model = model })
end

return mock
