-- mock_reply: what a scenario of `lre mock` answers with. A reply is { status, headers, body, ... }; the functions
-- below make one, and others spoil it. Byte for byte: what is said here is what goes over the wire.
local clock = require "lre.clock"
local hash = require "lre.hash"
local json = require "lre.json"

local reply = {}

local REFUSAL = "I'm sorry, but I can't help with that request."
local ANSWER = "Sure, here is a short answer: start with the basics, check each step, and ask where it is unclear."

local REASONS = { [200] = "OK", [400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required",
  [403] = "Forbidden", [404] = "Not Found", [408] = "Request Timeout", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout" }

-- ---- answers ----

local function tokens_of(text)
  return type(text) == "string" and #text // 4 + 1 or 1
end

local function openai_body(ask, text, finish, more)
  local message = { role = "assistant", content = text }
  for name, value in pairs(more or {}) do message[name] = value end
  return { id = "chatcmpl-" .. ask.id, object = "chat.completion", created = 1700000000, model = ask.model,
    choices = json.array { { index = 0, message = message, finish_reason = finish } },
    usage = { prompt_tokens = tokens_of(ask.prompt), completion_tokens = tokens_of(text),
      total_tokens = tokens_of(ask.prompt) + tokens_of(text) } }
end

local function anthropic_body(ask, text, finish)
  return { id = "msg_" .. ask.id, type = "message", role = "assistant", model = ask.model,
    content = json.array(text and { { type = "text", text = text } } or {}), stop_reason = finish,
    stop_sequence = json.null,
    usage = { input_tokens = tokens_of(ask.prompt), output_tokens = tokens_of(text) } }
end

local function of(status, data)
  return { status = status, headers = {}, type = "application/json", body = assert(json.encode(data)) }
end

---What the model says where nothing else is said: a refusal or not, by the prompt and the seed alone.
function reply.text(ask)
  return hash.unit(("%d|%s"):format(ask.seed, ask.prompt)) < ask.refusal_rate and REFUSAL or ANSWER
end

---A good answer in the shape that was asked for. `given`: text, finish ("stop", "length").
function reply.answer(ask, given)
  given = given or {}
  local text = given.text or reply.text(ask)
  if ask.shape == "anthropic" then
    return of(200, anthropic_body(ask, text, given.finish == "length" and "max_tokens" or "end_turn"))
  end
  return of(200, openai_body(ask, text, given.finish or "stop"))
end

-- Each provider's words for an error. Codes are OpenAI's, types Anthropic's.
local TYPES = { [400] = "invalid_request_error", [401] = "authentication_error", [403] = "permission_error",
  [404] = "not_found_error", [429] = "rate_limit_error", [500] = "api_error", [529] = "overloaded_error" }

---An error by status. `given`: message, code (OpenAI's), type (Anthropic's), headers, html (a page in the place of
---JSON).
function reply.status(ask, status, given)
  given = given or {}
  local message = given.message or "the mock answers " .. status
  local made
  if given.html then
    made = { status = status, headers = {}, type = "text/html",
      body = ("<html><head><title>%d %s</title></head><body>%s</body></html>"):format(status, REASONS[status] or "",
        message) }
  elseif ask.shape == "anthropic" then
    made = of(status, { type = "error", error = { type = given.type or TYPES[status] or "api_error",
      message = message } })
  else
    made = of(status, { error = { message = message, type = given.type or "mock", code = given.code or json.null,
      param = json.null } })
  end
  for name, value in pairs(given.headers or {}) do made.headers[name] = value end
  return made
end

-- How each form of "come back in so many seconds" is written.
local FORMS = {
  seconds = function(s) return { ["Retry-After"] = ("%g"):format(s) } end,
  ms = function(s) return { ["Retry-After-Ms"] = ("%d"):format(math.ceil(s * 1000)) } end,
  date = function(s, now) return { ["Retry-After"] = reply.date(now + math.ceil(s)) } end,
  reset = function(s)
    return { ["X-RateLimit-Remaining-Requests"] = "0", ["X-RateLimit-Reset-Requests"] = ("%gs"):format(s),
      ["X-RateLimit-Remaining-Tokens"] = "9000", ["X-RateLimit-Reset-Tokens"] = "6m0s" }
  end,
  epoch = function(s, now)
    return { ["X-RateLimit-Remaining"] = "0", ["X-RateLimit-Reset"] = ("%d"):format((now + s) * 1000) }
  end,
  rfc3339 = function(s, now)
    return { ["Anthropic-RateLimit-Requests-Remaining"] = "0",
      ["Anthropic-RateLimit-Requests-Reset"] = clock.iso(now + math.ceil(s), false) }
  end,
  bare = function() return {} end,
}

---A 429. `given`: form ("seconds", "ms", "date", "reset", "epoch", "rfc3339", "bare"), seconds (0.05).
function reply.limited(ask, given)
  given = given or {}
  local form = FORMS[given.form or "seconds"]
  if not form then error(('limited: unknown form "%s"'):format(tostring(given.form)), 2) end
  return reply.status(ask, 429, { message = "Rate limit reached", code = "rate_limit_exceeded",
    headers = form(given.seconds or 0.05, os.time()) })
end

---A content filter in a provider's form: "openai" (the answer is withheld), "azure" (the prompt is: a 400), "refusal"
---(the model's own refusal field), "anthropic" (its classifiers end the answer), "anthropic_blocked" (a 400),
---"openrouter" (moderation: a 403).
function reply.filtered(ask, form)
  if form == "openai" then return of(200, openai_body(ask, "", "content_filter")) end
  if form == "refusal" then return of(200, openai_body(ask, json.null, "stop", { refusal = REFUSAL })) end
  if form == "azure" then
    return of(400, { error = { code = "content_filter", message = "The response was filtered", param = "prompt",
      type = json.null, innererror = { code = "ResponsibleAIPolicyViolation" } } })
  end
  if form == "anthropic" then return of(200, anthropic_body(ask, nil, "refusal")) end
  if form == "anthropic_blocked" then
    return of(400, { type = "error", error = { type = "invalid_request_error",
      message = "Output blocked by content filtering policy" } })
  end
  if form == "openrouter" then
    return of(403, { error = { code = 403, message = "Your input was flagged",
      metadata = { reasons = json.array { "violence" }, provider_name = "mock" } } })
  end
  error(('filtered: unknown form "%s"'):format(tostring(form)), 2)
end

-- ---- spoiling ----

---Each of the next does it to a reply and returns it.

---Nothing for so many seconds, then all of it.
function reply.late(made, seconds)
  made.before = seconds
  return made
end

---The head comes byte by byte in so many pieces, with a pause before each.
function reply.slow_head(made, pieces, pause)
  made.head_pieces, made.head_pause = pieces or 4, pause or 0.02
  return made
end

---The same for the body.
function reply.slow_body(made, pieces, pause)
  made.body_pieces, made.body_pause = pieces or 4, pause or 0.02
  return made
end

---All but the last n bytes of the body come, and then nothing, on an open connection.
function reply.hang(made, n)
  made.cut, made.ending = n or 1, "hang"
  return made
end

---The connection is reset after this share (0 to 1) of the body; nil: before a single byte.
function reply.reset(made, share)
  made.cut, made.ending = share and math.max(1, math.ceil(#made.body * (1 - share))) or nil, "reset"
  made.nothing = share == nil
  return made
end

---An orderly end after this share of the body, though more was promised.
function reply.short(made, share)
  made.cut, made.ending = math.max(1, math.ceil(#made.body * (1 - (share or 0.5)))), "close"
  return made
end

---The body is only this share of itself, and whole as HTTP sees it.
function reply.truncate(made, share)
  made.body = made.body:sub(1, #made.body * (share or 0.5) // 1 | 0)
  return made
end

---Another body, or another content type.
function reply.body(made, body, kind)
  made.body, made.type = body or made.body, kind or made.type
  return made
end

---The connection is closed after the reply, as announced.
function reply.close(made)
  made.headers.Connection, made.ending = "close", "close"
  return made
end

-- ---- the wire ----

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

---An HTTP date of seconds since 1970. Not os.date's names: they follow the locale.
function reply.date(seconds)
  local t = os.date("!*t", seconds // 1)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(DAYS[t.wday], t.day, MONTHS[t.month], t.year, t.hour, t.min,
    t.sec)
end

local function head_of(ask, made)
  local names = {}
  for name in pairs(made.headers) do names[#names + 1] = name end
  table.sort(names)
  local lines = { ("HTTP/1.1 %d %s"):format(made.status, REASONS[made.status] or "Status"),
    "Content-Type: " .. made.type, "Content-Length: " .. #made.body, "Date: " .. reply.date(os.time()),
    "X-Request-Id: req-" .. ask.id }
  for _, name in ipairs(names) do lines[#lines + 1] = name .. ": " .. made.headers[name] end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function in_pieces(out, bytes, pieces, pause)
  if not pieces then
    out[#out + 1] = bytes
    return
  end
  local size = math.max(1, math.ceil(#bytes / pieces))
  for at = 1, #bytes, size do
    out[#out + 1] = pause
    out[#out + 1] = bytes:sub(at, at + size - 1)
  end
end

---The reply as lre.serve sends it.
function reply.wire(ask, made)
  local out = { ending = made.ending }
  if made.before and made.before > 0 then out[1] = made.before end
  if made.nothing then return out end
  in_pieces(out, head_of(ask, made), made.head_pieces, made.head_pause)
  local body = made.cut and made.body:sub(1, math.max(0, #made.body - made.cut)) or made.body
  in_pieces(out, body, made.body_pieces, made.body_pause)
  return out
end

return reply
