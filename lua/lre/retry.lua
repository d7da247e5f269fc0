--- What a failed request means and what to do about it: pure functions, no waiting, no clock of their own.
---
--- An error is `{ kind = "http"|"provider", code, message, status?, param?, detail?, sent?, retry_after?, retry_at? }`.
--- retry_after (seconds) and retry_at (seconds since 1970): the wait that a reply's body asks for, where no header
--- does. Codes of the provider's: rate_limited, auth, payment, forbidden, not_found, timeout, conflict, bad_request,
--- redirect, server, bad_reply, provider_error.
local civil = require "lre.civil"
local clock = require "lre.clock"
local http = require "lre.http"
local json = require "lre.json"
local params = require "lre.params"
local text = require "lre.text"

local retry = {}

--- The backoff's first and longest ceiling, in seconds.
retry.base, retry.longest = 1, 60

local retryable_status = {
  [408] = true, [409] = true, [425] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
  [529] = true,
}

local code_of_status = {
  [401] = "auth", [402] = "payment", [403] = "forbidden", [404] = "not_found", [408] = "timeout", [409] = "conflict",
  [425] = "conflict", [429] = "rate_limited",
}

-- Words that providers put into an error's code or type, for a 200 (or a stream) that is an error.
local status_of_word = {
  rate_limit_error = 429, rate_limit_exceeded = 429, too_many_requests = 429, tokens = 429, requests = 429,
  insufficient_quota = 402, billing_error = 402, insufficient_credits = 402,
  authentication_error = 401, invalid_api_key = 401,
  permission_error = 403,
  not_found_error = 404, model_not_found = 404, not_found = 404,
  invalid_request_error = 400, invalid_request = 400, bad_request = 400,
  request_too_large = 413,
  timeout_error = 504, timeout = 504,
  overloaded_error = 529, overloaded = 529,
  api_error = 500, server_error = 500, internal_error = 500, internal_server_error = 500, service_unavailable = 503,
}

local unreachable = {
  resolve = true, connect = true, tls = true, timeout_connect = true, reset = true, partial = true, protocol = true,
  other = true,
}
local fatal = { auth = true, payment = true, forbidden = true, [401] = true, [402] = true, [403] = true }
local timeouts = { timeout_first_byte = true, timeout_stall = true, timeout_total = true }

-- A message is shown in a terminal and stored in a journal: no key, no control bytes, no page of HTML.
local longest_message = 400

--- A foreign sentence made fit to show: redacted, escaped, cut at a character.
function retry.sentence(s)
  local safe = text.terminal(http.redact(s))
  if #safe <= longest_message then return safe end
  local cut = longest_message
  while cut > 0 and safe:byte(cut + 1) & 0xC0 == 0x80 do cut = cut - 1 end
  return safe:sub(1, cut) .. "..."
end

local function says_rate_limit(message)
  local m = message:lower()
  return m:find("rate.?limit") or m:find("throttl", 1, true) or m:find("too many requests", 1, true)
end

--- The code of a status: what kind of trouble it is.
function retry.code(status, message)
  if status == 403 and says_rate_limit(message) then return "rate_limited" end
  local code = code_of_status[status]
  if code then return code end
  if status >= 500 then return "server" end
  if status >= 400 then return "bad_request" end
  return status >= 300 and "redirect" or "provider_error"
end

-- What the body says wins in a 2xx, and for OpenAI's 429 that no waiting heals.
local function meant_status(status, code, kind)
  if code == "insufficient_quota" or kind == "insufficient_quota" then return 402 end
  if status >= 300 then return status end
  local number = math.tointeger(code)
  if not number and type(code) == "string" then number = math.tointeger(code) or status_of_word[code] end
  return number and number >= 300 and number < 600 and number or status_of_word[kind] or status
end

--- An error that a provider told in its body. `code` and `kind` are its own words (strings, numbers or null).
function retry.provider_error(status, message, code, kind, param)
  status = meant_status(status, code, kind)
  local said = type(message) == "string" and message ~= "" and message
  if not said then said = type(code) == "string" and code or type(kind) == "string" and kind or "no message" end
  return {
    kind = "provider",
    code = retry.code(status, said),
    status = status,
    message = retry.sentence(("status %d: %s"):format(status, said)),
    detail = type(code) == "string" and code or nil,
    param = param,
  }
end

local function describe_body(body)
  if not body:find "%S" then return "the reply's body is empty" end
  local head = body:sub(1, 4096)
  if head:find "^%s*<" then
    local title = head:match "<[tT][iI][tT][lL][eE]>%s*(.-)%s*</"
    return "the reply is a page, not JSON" .. (title and (" (%s)"):format(title) or "")
  end
  return "the reply is not JSON"
end

--- A body that is no answer: HTML, cut JSON, a missing field. `why` is a sentence or json.decode's error.
function retry.bad_reply(status, body, why)
  local message = body and describe_body(body) or ""
  if why then
    message = message .. (message ~= "" and ": " or "") .. tostring(type(why) == "table" and why.message or why)
  end
  return {
    kind = "provider",
    code = status >= 300 and retry.code(status, message) or "bad_reply",
    status = status,
    message = retry.sentence(("status %d: %s"):format(status, message)),
    bad_reply = true,
  }
end

--- The error in a decoded body, where providers put it: `error` (an object or a sentence), `message`, `detail`.
function retry.told_error(status, data)
  local problem = data.error
  if type(problem) ~= "table" then problem = { message = problem, type = data.type } end
  local message = problem.message
  if type(message) ~= "string" then message = data.message end
  if type(message) ~= "string" then message = data.detail end
  local param = type(problem.param) == "string" and problem.param or nil
  return retry.provider_error(status, message, problem.code, problem.type, param)
end

--- The error of a reply that no adapter explained.
function retry.error_reply(status, body)
  local data = json.decode(body, { bigint = "string" })
  if type(data) ~= "table" then return retry.bad_reply(status, body) end
  return retry.told_error(status, data)
end

-- "1s", "6m0s", "20ms", "1h2m3.5s", "12.5": seconds.
local function duration(s)
  local plain = tonumber(s)
  if plain then return plain end
  local units, total, rest = { h = 3600, m = 60, s = 1, ms = 0.001 }, 0, s
  while rest ~= "" do
    local n, unit, after = rest:match "^(%d+%.?%d*)(%a+)(.*)$"
    if not n or not units[unit] then return nil end
    total, rest = total + tonumber(n) * units[unit], after
  end
  return s ~= "" and total or nil
end

local function sane(seconds)
  if seconds and seconds == seconds and seconds < math.huge then return math.max(0.0, seconds) end
end

local function retry_after(headers, now)
  local ms = tonumber(headers["retry-after-ms"])
  if ms and ms >= 0 then return sane(ms / 1000), "retry-after-ms" end
  local value = headers["retry-after"]
  if not value then return end
  local seconds = tonumber(value)
  if seconds then return seconds >= 0 and sane(seconds) or nil, "retry-after" end
  local date = clock.http_date(value)
  return date and sane(date - now), "retry-after"
end

-- "2025-01-01T12:30:00Z", "2025-01-01T12:30:00.5+02:00": seconds since 1970, or nil.
local function moment(s)
  local seconds, zone = civil.seconds(s), s:match "^.-[Tt]%d%d:%d%d:%d%d%.?%d*(%S+)$"
  if not seconds or not zone then return nil end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):?(%d%d)$"
  if not sign and zone:upper() ~= "Z" then return nil end
  local ahead = sign and (hours * 3600 + minutes * 60) * (sign == "+" and 1 or -1) or 0
  return seconds - ahead
end

-- A moment (a date, or since 1970; in ms beyond 1e10, as one of the seeds read it) or a time from now.
local function reset_of(value, now)
  local date = moment(value)
  if date then return sane(date - now) end
  local seconds = duration(value)
  if not seconds then return nil end
  if seconds > 1e10 then seconds = seconds / 1000 end
  return sane(seconds > 1e9 and seconds - now or seconds)
end

-- What is left, and when there is more: OpenAI's and its kin, Anthropic's, and the draft of the IETF
-- (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
local windows = {}
for _, suffix in ipairs { "", "-requests", "-tokens" } do
  windows[#windows + 1] = { left = "x-ratelimit-remaining" .. suffix, reset = "x-ratelimit-reset" .. suffix }
end
for _, what in ipairs { "requests", "tokens", "input-tokens", "output-tokens" } do
  local name = "anthropic-ratelimit-" .. what
  windows[#windows + 1] = { left = name .. "-remaining", reset = name .. "-reset" }
end
windows[#windows + 1] = { left = "ratelimit-remaining", reset = "ratelimit-reset" }

local lefts = {}
for i, window in ipairs(windows) do lefts[i] = window.left end

-- Resets come with every reply: only an exhausted window is what we wait for.
local function rate_limit_reset(headers, now)
  local longest, source
  for _, window in ipairs(windows) do
    local value, left = headers[window.reset], headers[window.left]
    local delay = value and (not left or tonumber(left) == 0) and reset_of(value, now)
    if delay and (not longest or delay > longest) then longest, source = delay, window.reset end
  end
  return longest, source
end

--- How long a good reply says that the next request would be refused: seconds, or nil. `now` as in asked_delay.
function retry.exhausted(headers, now)
  for i = 1, #lefts do -- for every reply
    if headers[lefts[i]] == "0" then
      now = headers.date and clock.http_date(headers.date) or now
      return (rate_limit_reset(headers, now))
    end
  end
end

--- How long the server asks to wait: seconds and the header's name, or nil. `now` is seconds since 1970; the reply's
--- own Date is preferred to it, since clocks differ.
function retry.asked_delay(headers, now, rate_limited)
  now = headers.date and clock.http_date(headers.date) or now
  local delay, source = retry_after(headers, now)
  if delay then return delay, source end
  if rate_limited then return rate_limit_reset(headers, now) end
end

-- By status too: an adapter may have words of its own for a refused key.
local function is_fatal(err)
  if err.code == "rate_limited" then return false end
  return fatal[err.code] or fatal[err.status] or false
end

local function may_retry(err, case)
  if err.code == "rate_limited" or retryable_status[err.status] then return true end
  if err.bad_reply then return err.status < 300 and case.bad_replies <= 1 end
  if err.kind ~= "http" then return false end
  if timeouts[err.code] then return not err.sent or case.timeouts <= 1 end
  return unreachable[err.code] or false
end

local function told_delay(err, now)
  local seconds = err.retry_after or err.retry_at and err.retry_at - now
  return type(seconds) == "number" and sane(seconds) or nil, "the reply"
end

--- case: err, headers (of the reply, lower case; or nil), attempt (tries made), tries, base?, max_retry_after, now,
--- jitter (in [0, 1)), timeouts and bad_replies (how many such ends so far, this one included).
--- Returns `{ action = "retry"|"fail"|"stop", delay?, source }`; source is "backoff", a header's name, "tries",
--- "max_retry_after" or "final".
function retry.decide(case)
  local err = case.err
  if is_fatal(err) then return { action = "stop", source = "final" } end
  if not may_retry(err, case) then return { action = "fail", source = "final" } end
  if case.attempt >= case.tries then return { action = "fail", source = "tries" } end
  local asked, source
  if case.headers then asked, source = retry.asked_delay(case.headers, case.now, err.code == "rate_limited") end
  if not asked then asked, source = told_delay(err, case.now) end
  if asked and asked > case.max_retry_after then
    return { action = "fail", delay = asked, source = "max_retry_after" }
  end
  if asked then return { action = "retry", delay = asked, source = source } end
  -- Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
  local ceiling = math.min(retry.longest, (case.base or retry.base) * 2.0 ^ (case.attempt - 1))
  return { action = "retry", delay = case.jitter * ceiling, source = "backoff" }
end

local unsupported_codes = { unsupported_parameter = true, unsupported_value = true, unknown_parameter = true }
local unsupported_words = {
  "unsupported", "not support", "n't support", "unknown", "unrecognized", "unrecognised", "unexpected", "not permitted",
  "not allowed", "extra inputs", "only the default", "deprecated", "not available", "cannot both",
  "not a valid parameter",
}

local function says_unsupported(err)
  if unsupported_codes[err.detail] then return true end
  local message = err.message:lower()
  for _, words in ipairs(unsupported_words) do
    if message:find(words, 1, true) then return true end
  end
  return false
end

local function names(message, parameter)
  return message:find("%f[%w_]" .. parameter .. "%f[^%w_]") ~= nil
end

-- The two spellings of one parameter: never dropped, since without a limit an answer costs what it likes.
local other_spelling = { max_tokens = "max_completion_tokens", max_completion_tokens = "max_tokens" }

-- What providers call the schema of a reply, and what a router says that finds nobody who takes one.
local schema_words = { "response_format", "json_schema", "output_format", "schema", "structured output", "tool_choice",
  "tools", "tool use", "invalid format", "responsemimetype", "requested parameters" }

local function refuses_schema(err)
  if err.status ~= 400 and err.status ~= 404 and err.status ~= 422 then return false end
  local message = (tostring(err.param or "") .. " " .. err.message):lower()
  for _, words in ipairs(schema_words) do
    if message:find(words, 1, true) then return true end
  end
  return false
end

--- Does this refusal (400, 422) say that the model does not take a parameter that was sent? Its name, and what it is
--- called there (nil: to be dropped). Nil where it says anything else, such as a value out of range. A schema of the
--- reply is dropped whatever a provider has against it: the reply is read as strictly without.
function retry.named_parameter(err, sent)
  if sent.reply_schema and refuses_schema(err) then return "reply_schema" end
  if (err.status ~= 400 and err.status ~= 422) or not says_unsupported(err) then return nil end
  local found
  local order = {}
  for name in pairs(sent) do
    if params.known[name] then order[#order + 1] = name end -- a provider's own parameter was asked for by hand
  end
  table.sort(order)
  for _, name in ipairs(order) do
    if err.param == name then found = name break end
    if not found and names(err.message, name) then found = name end
  end
  local spelling = other_spelling[found]
  if not spelling then return found end
  if not names(err.message, spelling) and found ~= "max_completion_tokens" then return nil end
  return found, spelling
end

return retry
