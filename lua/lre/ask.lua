--- One request to a model, asked until there is an answer or an error that stays: the one layer between a trial and a
--- provider. Build the request, hash it, take a token, take a connection, send, read, and decide what a failure means
--- (retry.lua says what, limiter.lua how long). `self` is a Model here; its users call `model:chat`.
local budget = require "lre.budget"
local hash = require "lre.hash"
local http = require "lre.http"
local json = require "lre.json"
local limiter = require "lre.limiter"
local log = require "lre.log"
local param = require "lre.params"
local retry = require "lre.retry"
local text = require "lre.text"

local ask = {}

local nothing = {}

-- Requests ------------------------------------------------------------------------------------------------------------

-- Headers that could carry a secret are no part of a request's hash: rotating a key must not ask everything again.
local secret_headers = { authorization = true, ["x-api-key"] = true, ["api-key"] = true, cookie = true,
  ["proxy-authorization"] = true, ["x-goog-api-key"] = true }

local function public_headers(headers)
  local out = {}
  for name, value in pairs(headers) do
    local lower = name:lower()
    if not secret_headers[lower] then out[lower] = value end
  end
  return assert(json.encode(out))
end

-- Canonical JSON with the body's own canonical text inside: "body" is the first key in sorted order, so the request is
-- encoded once, for the wire and for the hash. What follows the body is the same from trial to trial, and kept.
local function request_hash(self, body, method, path, headers, n)
  if self._tail_path ~= path or self._tail_method ~= method or self._tail_headers ~= headers then
    self._tail_path, self._tail_method, self._tail_headers = path, method, headers
    self._tail = (',"endpoint":%s,"headers":%s,"method":%s,"options":%s,"path":%s,"repeat":'):format(
      json.encode(self._endpoint), headers, json.encode(method), self._hash_options, json.encode(path))
  end
  local canonical = '{"body":' .. body .. self._tail .. n .. "}"
  if self._cache then self._canonical = canonical end
  return hash.sha256(canonical)
end

local function unencodable(err)
  return { kind = "provider", code = "bad_request", message = "the request cannot be written as JSON: " .. err.message }
end

-- With a content type, unless the adapter has its own.
local function wire_headers(given)
  local headers, typed = {}, false
  for name, value in pairs(given) do
    headers[name] = value
    typed = typed or name:lower() == "content-type"
  end
  if not typed then headers["Content-Type"] = "application/json" end
  return headers
end

-- What an adapter said went wrong, in the engine's shape: it may be a sentence, json.decode's error, or a table that
-- leaves things out.
local function told(err, status, body)
  if type(err) == "table" and err.kind == "json" and body then
    return status > 299 and retry.error_reply(status, body) or retry.bad_reply(status, body, err)
  end
  if type(err) ~= "table" then err = { message = err and tostring(err) } end
  err.kind = err.kind or "provider"
  err.status = err.status or status
  err.message = retry.sentence(tostring(err.message or "the adapter found no answer"))
  local code = err.status and retry.code(err.status, err.message)
  if not err.code or code == "rate_limited" then err.code = code or "provider_error" end
  return err
end

-- A request without its body: { method, url, headers, prepared }.
local function envelope(self, made)
  local out = {
    method = made.method or "POST", url = self.base_url .. made.path, auth = self._auth, timeouts = self._timeouts,
    headers = made.headers and wire_headers(made.headers) or self._headers,
  }
  out.prepared = http.prepare(out)
  return out
end

-- One that has no headers of its own is like the last one: it is kept.
local function last_envelope(self, made)
  if made.headers then return envelope(self, made) end
  local path, method = made.path, made.method
  if self._envelope_path ~= path or self._envelope_method ~= method then
    self._envelope, self._envelope_path, self._envelope_method = envelope(self, made), path, method
  end
  return self._envelope
end

-- The envelope, the body and what the adapter made. Nil and an error: it cannot be sent.
local function build_http(self, messages, sent)
  local made, err = self._adapter.request(self, messages, sent, self.options)
  if not made and err then return nil, told(err, 400) end
  if type(made) ~= "table" or type(made.path) ~= "string" then
    error(("adapter %s: request must return a table with a path"):format(self.adapter), 0)
  end
  local body = made.body
  if not body and made.json then
    body, err = json.encode(made.json)
    if not body then return nil, unencodable(err) end
  end
  return last_envelope(self, made), body, made
end

local function hash_http(job, n)
  local made, request = job.made, job.request
  local headers = made.headers and public_headers(made.headers) or "{}"
  local body = made.body and assert(json.encode(made.body)) or job.body or "null"
  return request_hash(job.model, body, request.method, made.path, headers, n)
end

-- What a `call` adapter is asked stands for the body.
local function hash_call(self, messages, sent, n)
  local body, err = json.encode(messages)
  if not body then return nil, unencodable(err) end
  if self._call_sent ~= sent then
    self._call_sent = sent
    self._call_tail = (',"model":%s,"params":%s}'):format(json.encode(self.id), assert(json.encode(sent)))
  end
  return request_hash(self, '{"messages":' .. body .. self._call_tail, "CALL", "", "{}", n)
end

-- Parameters ----------------------------------------------------------------------------------------------------------

-- As the tables know the model. What was learned stays out: a request's hash must not depend on what came before.
function ask.fit(self, given)
  local quirk = self._quirk
  return param.fit(given, self._adapter.params, quirk.rename or nothing, quirk.dropped)
end

-- With what a 400 taught. `known` itself where nothing was learned.
local function learned_fit(self, known)
  local learned = self._provider.learned[self.id]
  if not learned then return known end
  if known ~= self._known then return param.fit(known, nil, learned.renamed, learned.dropped) end
  if self._learned_version ~= learned.version then
    self._learned_version = learned.version
    self._learned_fit = param.fit(known, nil, learned.renamed, learned.dropped)
  end
  return self._learned_fit
end

-- Repeats over HTTP need seeds of their own, or a provider that obeys the seed answers the same n times.
local function known_params(self, given, n)
  local known = self._known
  if given then known = ask.fit(self, param.merged(self.params, param.check(given, self.label))) end
  if n > 1 and known.seed and not self._adapter.call then known = param.merged(known, { seed = known.seed + n - 1 }) end
  return known
end

-- One request, asked until there is an answer -------------------------------------------------------------------------

-- What a request's log lines are about.
local function about(job)
  return { model = job.model.label, key = job.opts.trial, attempt = job.attempt }
end

local longest_logged = 16384

local function log_exchange(job, what, headers, body)
  local shown = {}
  for name, value in pairs(headers) do shown[#shown + 1] = ("%s: %s"):format(name, value) end
  table.sort(shown)
  log.debug(("%s\n%s\n%s"):format(what, table.concat(shown, "\n"), (body or ""):sub(1, longest_logged)), about(job))
end

local finish_reasons = { stop = true, length = true, content_filter = true, refusal = true, tool = true, other = true }

-- An adapter's answer in the engine's shape. Text that is no text is an error, never an empty answer.
local function accepted(job, response)
  if type(response) ~= "table" or type(response.text) ~= "string" then
    error(("adapter %s: a response needs `text`, a string (got %s)"):format(
      job.model.adapter, type(response) == "table" and type(response.text) or type(response)), 0)
  end
  if not text.valid_utf8(response.text) then
    return nil, retry.bad_reply(200, nil, "the answer is not valid UTF-8")
  end
  if not finish_reasons[response.finish_reason] then response.finish_reason = "other" end
  response.usage = response.usage or {}
  response.attempts = job.attempt
  response.seconds = job.seconds
  response.sent_params = job.sent
  response.request_hash = job.hash
  return response
end

-- A status outside 2xx is an error whatever the adapter reads into it, unless it reads a filter or a refusal: a minimal
-- adapter that looks at no status must not turn a 401 into an empty answer.
local function refused(job, reply)
  local ok, response, err = pcall(job.model._adapter.response, reply.status, reply.headers, reply.body,
    job.model.options)
  if ok and type(response) == "table" then
    local finish = response.finish_reason
    if finish == "content_filter" or finish == "refusal" then return accepted(job, response) end
  end
  if not ok or not err then err = retry.error_reply(reply.status, reply.body) end
  return nil, told(err, reply.status, reply.body), reply.headers
end

-- An answer may say that the next one would be refused: then that one waits before it is sent, not after.
local function heed_reset(self, headers)
  local delay = retry.exhausted(headers, os.time())
  if delay and delay > 0 and delay <= self._max_retry_after then self._bucket:pause(delay) end
end

local function send_http(job)
  local request = job.request
  local debug = log.enabled "DEBUG"
  if debug then log_exchange(job, request.method .. " " .. request.url, request.headers, job.body) end
  local reply, err = http.request(request.prepared, job.body)
  if not reply then return nil, err end
  if debug then log_exchange(job, "status " .. reply.status, reply.headers, reply.body) end
  job.seconds = reply.seconds and reply.seconds.total
  if job.model._cache then job.reply = reply end
  local status = reply.status
  if status < 200 or status > 299 then return refused(job, reply) end
  local response, problem = job.model._adapter.response(status, reply.headers, reply.body, job.model.options)
  if not response then return nil, told(problem, status, reply.body), reply.headers end
  local answer, bad = accepted(job, response)
  if answer and not answer.request_id then answer.request_id = reply.headers["x-request-id"] end
  heed_reset(job.model, reply.headers)
  return answer, bad
end

local function send_call(job)
  local self = job.model
  local response, err = self._adapter.call(self, job.messages, job.sent, job.opts, job.hash)
  if response then return accepted(job, response) end
  return nil, told(err)
end

local function stopped(self)
  local cause = self._provider.stopped
  return {
    kind = "provider", code = "provider_stopped", status = cause.status, exit = 4,
    message = ("%s is asked no more: %s"):format(self.adapter, cause.message),
  }
end

-- The worst that this request may cost, set aside.
local function set_aside(job)
  local self = job.model
  local tokens, nano = budget.worst(job.body or assert(json.encode(job.messages)), job.messages, job.sent, self._price)
  return self._budget:reserve(tokens, nano, job.opts)
end

-- One try: pause and token first, then a connection, so that whoever waits holds neither.
local function try(job)
  local self, opts = job.model, job.opts
  local provider = self._provider
  local ok, err, held
  if self._budget then
    held, err = set_aside(job)
    if not held then return nil, err end
  end
  local account <close> = held -- luacheck: ignore account
  ok, err = self._bucket:take(opts)
  if not ok then return nil, err end
  local own <close> = self._own and self._own:enter(opts) -- luacheck: ignore
  local place <close> = provider:enter(opts) -- luacheck: ignore
  local barred = provider.stopped or provider:barred()
  if barred then return nil, barred end
  job.attempt, job.epoch = job.attempt + 1, provider.epoch
  if held then held.sent = true end
  local response, failure, headers = self._send(job)
  if held then held:settle(response, failure, self._price) end
  if response and provider.shrunk then provider:grow() end
  return response, failure, headers
end

local function build(job, sent)
  job.sent = sent
  if not job.model._adapter.call then
    local request, body, made = build_http(job.model, job.messages, sent)
    if not request then return nil, body end
    job.request, job.body, job.made = request, body, made
  end
  return true
end

-- Remembers that the model takes no `name` (or calls it `spelling`). False where that was tried already.
local function learn(job, name, spelling)
  local self = job.model
  local by_id = self._provider.learned
  local learned = by_id[self.id]
  if not learned then
    learned = { renamed = {}, dropped = {}, seen = {}, version = 0 }
    by_id[self.id] = learned
  end
  if not learned.seen[name] then
    learned.seen[name], learned.version = true, learned.version + 1
    if spelling then learned.renamed[name] = spelling else learned.dropped[name] = true end
    log.warning(("%s takes no %s: %s"):format(self.label, name,
      spelling and "sent as " .. spelling or "sent without it"), about(job))
  end
  local sent = learned_fit(self, job.known)
  return sent[name] == nil and build(job, sent) or false
end

local function hint(self, err)
  if err.code ~= "auth" and err.code ~= "payment" and err.code ~= "forbidden" then return "" end
  if self.key_sent then return (" (the key is the one in %s)"):format(self.key_env) end
  if not self.key_env then return "" end
  return (" (no key was sent; it would be read from %s)"):format(self.key_env)
end

local function jitter(job)
  return hash.unit(("%d|%s|%d"):format(job.model._seed, job.hash, job.attempt))
end

local function decide(job, err, headers)
  if err.bad_reply then job.bad_replies = job.bad_replies + 1 end
  if err.sent and err.code:find "^timeout" then job.timeouts = job.timeouts + 1 end
  local self = job.model
  return retry.decide {
    err = err, headers = headers, attempt = job.attempt, tries = self._tries, base = self._backoff,
    max_retry_after = self._max_retry_after, jitter = jitter(job), now = os.time(), timeouts = job.timeouts,
    bad_replies = job.bad_replies,
  }
end

local function log_retry(job, err, decision)
  if not log.enabled "INFO" then return end
  log.info(("retry in %.3f s (%s) after %s"):format(decision.delay, decision.source, err.message), about(job))
end

-- Which flag sets the limit that was reached.
local knobs = {
  timeout_connect = "--timeout-connect", timeout_first_byte = "--timeout-first-byte",
  timeout_stall = "--timeout-stall", timeout_total = "--timeout-total",
}

local function tries(n)
  return n == 1 and "1 try" or n .. " tries"
end

local function final_message(self, err, decision, attempt)
  local message = err.message .. hint(self, err)
  if knobs[err.code] then message = ("%s; %s sets this limit"):format(message, knobs[err.code]) end
  if err.code == "redirect" then message = message .. " (redirects are not followed: give the final address)" end
  if decision.source == "tries" then return ("%s (after %s)"):format(message, tries(self._tries)) end
  if decision.source == "final" and attempt > 1 then return ("%s (after %s)"):format(message, tries(attempt)) end
  if decision.source ~= "max_retry_after" then return message end
  return ("%s; the provider asks to wait %.0f s, more than --max-retry-after (%.0f s)"):format(
    message, decision.delay, self._max_retry_after)
end

-- True: ask again. False and the error that stays.
local function after_failure(job, err, headers)
  local self = job.model
  local provider = self._provider
  if provider.stopped then return false, stopped(self) end
  if err.code == "interrupted" then return false, err end
  if err.final then return false, param.merged(err, nothing) end
  local name, spelling = retry.named_parameter(err, job.sent)
  if name and learn(job, name, spelling) then
    job.attempt = job.attempt - 1 -- a lesson is no retry
    return true
  end
  local decision = decide(job, err, headers)
  if decision.action ~= "retry" then
    err.message = final_message(self, err, decision, job.attempt)
    err.retry_after = decision.delay
    if decision.action == "stop" then
      err.exit = 4
      provider:stop(err)
    elseif decision.source == "max_retry_after" then
      provider:bar(decision.delay, err)
    end
    return false, err
  end
  log_retry(job, err, decision)
  if err.code == "rate_limited" or err.status == 529 then
    limiter.limited = limiter.limited + 1
    provider:limited(job.epoch)
  end
  if err.code == "rate_limited" and decision.source ~= "backoff" then provider:pause(decision.delay) end
  local ok, why = provider:wait(decision.delay, job.opts)
  if ok then return true end
  return false, provider.stopped and stopped(self) or why
end

--- Nil and the error, with what the journal tells of a failed trial.
local function failed(job, err)
  err.provider = job.model.adapter
  err.attempts = job.attempt
  err.request_hash = job.hash
  err.sent_params = job.sent
  err.seconds = job.seconds
  return nil, err
end

local function keep_asking(job)
  while true do
    local response, err, headers = try(job)
    if response then return response end
    local again
    again, err = after_failure(job, err, headers)
    if not again then return failed(job, err) end
  end
end

-- Builds the request as it is known without having learned anything, and hashes that.
local function prepare(self, messages, params, opts)
  local n = opts["repeat"] or 1
  local known = known_params(self, params, n)
  local job = {
    model = self, messages = messages, opts = opts, known = known, attempt = 0, timeouts = 0, bad_replies = 0,
    sent = nil, request = nil, body = nil, made = nil, hash = nil, seconds = nil, epoch = nil, -- no rehash later
  }
  local ok, err = build(job, known)
  if ok and self._adapter.call then
    job.hash, err = hash_call(self, messages, known, n)
  elseif ok then
    job.hash = hash_http(job, n)
  end
  if self._cache then job.canonical = self._canonical end
  return job, err
end

-- What the cache kept, read by the adapter as it is now. Nil and an error where it finds no answer in it.
local function reread(job, entry)
  local reply, response, err = entry.reply
  if reply then
    response, err = job.model._adapter.response(reply.status, reply.headers, reply.body, job.model.options)
  else
    response = param.merged(entry.response, nothing)
  end
  if not response then return nil, told(err, reply.status, reply.body) end
  job.sent, job.attempt, job.seconds = entry.sent, 0, nil
  local answer, bad = accepted(job, response)
  if not answer then return nil, bad end
  if reply and not answer.request_id then answer.request_id = reply.headers["x-request-id"] end
  answer.cached = true
  return answer
end

local function send(job)
  local self = job.model
  if self._provider.stopped then return failed(job, stopped(self)) end
  local sent = learned_fit(self, job.known)
  if sent ~= job.known then
    local ok, why = build(job, sent)
    if not ok then return failed(job, why) end
  end
  return keep_asking(job)
end

local through_cache = { send = send, reread = reread, failed = failed }

--- Asks, and waits: see Model:chat.
function ask.run(self, messages, params, opts)
  opts = opts or nothing
  local job, err = prepare(self, messages, params, opts)
  if err then return failed(job, err) end
  if self._cache then return self._cache:through(job, through_cache) end
  return send(job)
end

--- The request as it would be sent: see Model:preview.
function ask.preview(self, messages, params, opts)
  local job, err = prepare(self, messages, params, opts or nothing)
  if err then return nil, err end
  local request = job.request or nothing
  return {
    method = request.method, url = request.url, headers = request.headers, body = job.body,
    request_hash = job.hash, params = job.sent,
  }
end

--- How a `call` or HTTP adapter is sent to.
function ask.sender(adapter)
  return adapter.call and send_call or send_http
end

return ask
