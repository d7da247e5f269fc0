--- A model: an adapter, an id and parameters under a label. `model:chat(messages)` looks like a call and waits.
local adapters = require "lre.adapter"
local ask = require "lre.ask"
local cache = require "lre.cache"
local defaults = require "lre.defaults"
local http = require "lre.http"
local json = require "lre.json"
local limiter = require "lre.limiter"
local log = require "lre.log"
local option = require "lre.options"
local param = require "lre.params"
local providers = require "lre.providers"
local settings = require "lre.settings"
local shape = require "lre.shape"

local model = {}

---@class lre.Model
local Model = {}
Model.__index = Model

local nothing = {}

--- Asks the model. messages: `{ { role, content }, ... }`; params: what differs from the model's own (nil: nothing, the
--- fast way); opts: `["repeat"]` (n, default 1), trial (its key, for the log), pause and resume (functions: leave and
--- take back the trial's place while this waits for a limiter, a connection or a retry).
---
--- Returns a Response `{ text, finish_reason, usage, model?, request_id?, reasoning?, logprobs?, attempts, seconds,
--- sent_params, request_hash }`, or nil and an error `{ kind, code, message, status?, retry_after?, provider, attempts,
--- request_hash, sent_params, exit? }`. exit = 4: the provider refused the key and is asked no more. sent_params is
--- the model's own: read it, do not change it.
function Model:chat(messages, params, opts)
  return ask.run(self, messages, params, opts)
end

--- What chat would send, without sending it: `{ method, url, headers, body, request_hash, params }`, or nil, err.
--- A `call` adapter has only request_hash and params.
function Model:preview(messages, params, opts)
  return ask.preview(self, messages, params, opts)
end

-- Making a model ------------------------------------------------------------------------------------------------------

local fail = shape.stop

local function is_loopback(host)
  if host == "localhost" or host == "[::1]" then return true end
  local a, b, c, d = host:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  return a == "127" and tonumber(b) < 256 and tonumber(c) < 256 and tonumber(d) < 256
end

--- Checks a base URL: `url` without its last slashes, and whether a key may be sent there unasked (https or loopback).
--- Raises { exit = 3 }. The URL itself is shown in no error: it may have a password in it.
function model.base_url(url, where)
  if url:find "[%c%s]" then fail(3, "%s: the base URL has a blank or a control character in it", where) end
  local scheme, authority, path = url:match "^(%a[%w+.-]*)://([^/?#]*)([^?#]*)"
  scheme = scheme and scheme:lower()
  if (scheme ~= "http" and scheme ~= "https") or authority == "" then
    fail(3, "%s: the base URL must begin with http:// or https:// and a host", where)
  end
  if authority:find("@", 1, true) then
    fail(3, "%s: the base URL has a user name or password in it; put the key into a variable (--api-key-env)", where)
  end
  if url:find "[?#]" then
    fail(3, "%s: the base URL has a query or fragment in it; a key belongs into a variable (--api-key-env)", where)
  end
  local host = authority:lower():gsub(":%d*$", "")
  return scheme .. "://" .. authority .. path:gsub("/+$", ""), scheme == "https" or is_loopback(host)
end

-- A key pasted in the place of its variable's name must not be echoed: names of variables are short and upper-case.
local function check_variable(name, flag)
  if name:find "^[%a_][%w_]*$" and not (#name > 20 and name:find "%l" and name:find "%d") then return end
  fail(2, "%s: expected the name of an environment variable, such as OPENAI_API_KEY, not the key itself", flag)
end

local function auth_of(self, auth)
  if type(auth) ~= "function" then return auth or { header = "Authorization", prefix = "Bearer " } end
  return shape.assert(adapters.auth, auth(self.options), ('adapter "%s": auth'):format(self.adapter))
end

-- Decides whether a key goes out, and loads it. Sets key_env, key_sent and _auth.
local function settle_key(self, spec, safe)
  local adapter = self._adapter
  local named = spec.api_key_env
  if named then check_variable(named, spec.key_flag or "--api-key-env") end
  local env = named or adapter.key_env
  if not env then return end
  self.key_env = env
  if spec.dry then return end
  local needed = named or not spec.base_url
  if not needed and not safe then
    log.warning(("%s: the key in %s is not sent over plain http; name it with --api-key-env to send it"):format(
      self.label, env))
    return
  end
  local set, err = http.load_key(env)
  if err then fail(4, "%s: %s", env, err.message) end
  if not set then
    if not needed then return end
    local router = self.adapter ~= "openrouter" and http.load_key "OPENROUTER_API_KEY"
    fail(4, "%s is not set, and %s needs a key. Set it, or name another variable with %s.%s", env, self.label,
      spec.key_flag or "--api-key-env",
      router and (" OPENROUTER_API_KEY is set: openrouter/%s would be asked there."):format(self.label) or "")
  end
  self.key_sent = true
  local auth = auth_of(self, adapter.auth)
  self._auth = { env = env, header = auth.header, prefix = auth.prefix or "" }
end

local function settle_options(self, spec)
  local adapter, given = self._adapter, param.merged(spec.options or nothing, nothing)
  if spec.base_url and adapter.options.base_url then given.base_url = spec.base_url end
  self.options = option.resolve(adapter.options, given, ('adapter "%s"'):format(self.adapter), 3)
  local wrong = adapter.check and adapter.check(self.options, self.params)
  if wrong then fail(3, '%s: adapter "%s": %s', self.label, self.adapter, wrong) end
  self.machine = {}
  for _, name in ipairs(adapter.machine or nothing) do
    self.machine[name], self.options[name] = self.options[name], nil
  end
  local base_url = self.options.base_url or not adapter.call and spec.base_url
  local safe
  if base_url then
    self.base_url, safe = model.base_url(base_url, self.label)
    if self.options.base_url then self.options.base_url = self.base_url end
  elseif not adapter.call then
    fail(3, 'adapter "%s" has no option base_url: pass --base-url', self.adapter)
  end
  local unsent = param.merged(self.options, nothing)
  unsent.base_url = nil
  if adapter.open then
    local id
    self.facts, id = adapter.open(self)
    self.id = id or self.id
  end
  unsent.facts = self.facts
  self._hash_options = assert(json.encode(unsent))
  -- A `call` adapter's request is inside it: another source is another question.
  self._endpoint = self.base_url or "call:" .. self.adapter .. ":" .. (self.adapter_hash or "")
  return safe
end

local function settle_params(self, spec)
  local quirk = providers.quirk(self.adapter, self.id)
  self._quirk = { rename = quirk.rename, dropped = {} }
  for _, name in ipairs(quirk.drop or nothing) do self._quirk.dropped[name] = true end
  self._known = ask.fit(self, self.params)
  self._seed = spec.seed and param.value("seed", spec.seed, self.label) or self.params.seed
end

-- Every wait has a limit, also where a script names none.
local function timeouts_of(given)
  local out = {}
  for _, name in ipairs { "connect", "first_byte", "stall", "total" } do
    out[name] = given and given[name] or defaults.value("timeout_" .. name)
  end
  return out
end

local function settle_pace(self, spec)
  local key = table.concat({ self.adapter, self._endpoint, self.key_env or "" }, " ")
  self._provider = limiter.provider(key, spec.max_connections, spec.adaptive_cap)
  self._bucket = limiter.bucket(self._provider, self.id, spec.rate_limit_rps, spec.burst)
  if spec.concurrency then self._own = limiter.provider(key .. " " .. self.id, spec.concurrency) end
  self._tries = (spec.retries or defaults.value "retries") + 1
  self._max_retry_after = spec.max_retry_after or defaults.value "max_retry_after"
  self._backoff = spec.backoff
  self._timeouts = timeouts_of(spec.timeouts)
  self._headers = { ["Content-Type"] = "application/json" }
  self._send = ask.sender(self._adapter)
end

local function roster_fields(entry)
  local rate = entry.rate_limit or nothing
  return { label = entry.label, base_url = entry.base_url, api_key_env = entry.api_key_env, rate_limit_rps = rate.rps,
    burst = rate.burst, concurrency = entry.concurrency, params = entry.params, options = entry.options }
end

-- What the seed's variables say of this adapter's models, as fields of a spec, and their names.
local function variable_fields(adapter)
  local values, origins = settings.of_adapter(adapter)
  return { base_url = values.base_url, rate_limit_rps = values.rate_limit_rps, burst = values.rate_limit_burst },
    { base_url = origins.base_url, rate_limit_rps = origins.rate_limit_rps, burst = origins.rate_limit_burst }
end

-- The nearer says it: what is far, the roster, the seed's variables, what is near. `from` says which did: "far",
-- "roster", the variable's name, "near".
local function layered(spec, adapter)
  local variables, origins = variable_fields(adapter)
  local out, from = {}, {}
  local function add(layer, name_of)
    for name, value in pairs(layer) do
      if name == "params" or name == "options" then value = param.merged(out[name] or nothing, value) end
      out[name], from[name] = value, name_of[name] or name_of[1]
    end
  end
  add(spec.far or nothing, { "far" })
  add(roster_fields(spec.roster or nothing), { "roster" })
  add(variables, origins)
  add(spec, { "near" })
  return out, from
end

--- A Model from what flags, a roster or a script say. spec: name, adapter?, model_id?, label?, base_url?, api_key_env?,
--- params?, options?, roster?, far? (the same fields, where a roster is nearer), seed? (the run's: jitter),
--- rate_limit_rps?, burst?, max_connections? (to the provider), adaptive_cap? (what a 429 halves; nil: none),
--- concurrency? (requests to this model), retries?, max_retry_after?, timeouts? ({ connect, first_byte, stall,
--- total }), backoff? (first ceiling in seconds), dry? (no key is needed), cache? (a Cache, or a folder), key_flag?
--- (the flag that names another key variable, for messages).
---
--- Model = { label, id, adapter, adapter_hash, params, options, base_url, key_env, key_sent, concurrency,
--- from (see layered), facts (what an adapter's `open` gave), machine (its options of that kind), choice (a sentence
--- for the user), hash_inputs }. Raises { exit = 3 } (unknown, invalid) or { exit = 4 } (no key); nothing is sent.
function model.resolve(spec)
  local entry = spec.roster or nothing
  local name, provider = spec.name or entry.id, entry.provider
  if type(name) ~= "string" or name == "" then fail(3, "a model needs a name") end
  local wish, id, why = providers.choose(name, spec.adapter or provider and provider:lower(), spec.roster ~= nil)
  local adapter = adapters.open(wish)
  local from
  spec, from = layered(spec, adapter.name)
  local self = setmetatable({
    concurrency = spec.concurrency,
    from = from,
    label = spec.label or name,
    id = spec.model_id or id,
    adapter = adapter.name,
    adapter_hash = adapter.source_hash,
    structured = adapter.structured,
    _adapter = adapter,
  }, Model)
  self.choice = ("%s: adapter %s (%s), id %s"):format(self.label, self.adapter, why, self.id)
  self.params = param.merged(param.defaults(), param.check(spec.params, self.label))
  local safe = settle_options(self, spec) -- an adapter's `open` may give the model another id
  settle_key(self, spec, safe)
  settle_params(self, spec)
  settle_pace(self, spec)
  if spec.cache then self._cache = type(spec.cache) == "string" and cache.open(spec.cache) or spec.cache end
  self.hash_inputs = {
    adapter = self.adapter, adapter_hash = self.adapter_hash, id = self.id, base_url = self.base_url,
    params = self._known, options = self.options, facts = self.facts,
  }
  return self
end

--- lre.model(name, options): the same, for a script. options: adapter, model_id, base_url, params, ... as in resolve.
setmetatable(model, {
  __call = function(_, name, given)
    return model.resolve(param.merged(given or nothing, { name = name }))
  end,
})

return model
