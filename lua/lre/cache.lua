-- cache: answers on disk, each under the hash of its whole request. A file an answer: the raw reply beside the request
-- that it answers, so that an adapter which has changed reads it anew and a hit is a hit of the request, byte by byte.
local fs = require "lre.fs"
local hash = require "lre.hash"
local http = require "lre.http"
local json = require "lre.json"
local log = require "lre.log"
local platform = require "lre.platform"
local sched = require "lre.sched"
local shape = require "lre.shape"

local cache = {}
local Cache = {}
Cache.__index = Cache

local FORMAT = 1
local MARKER = "lre-cache.json"
local MARK = '{\n  "format": 1,\n  "purpose": "answers of models, by the hash of their request; safe to delete"\n}\n'

-- An entry holds a reply (at most 16 MiB) and its request, escaped.
local MAX_ENTRY_BYTES = 1 << 28
local DECODE = { max_bytes = MAX_ENTRY_BYTES, max_depth = 128, bigint = "string" }

-- So many broken entries are told on standard error; the log has them all.
local MAX_TOLD = 5

-- Headers that are about a connection or a person, not about the answer.
local SECRET_HEADERS = { ["set-cookie"] = true, ["set-cookie2"] = true, authorization = true,
  ["www-authenticate"] = true, ["proxy-authenticate"] = true, ["x-api-key"] = true, ["api-key"] = true }

local fail = shape.stop

-- ---- files ----

-- Without fsync: after a power cut an entry may be torn, and a torn entry is a miss.
local function write_file(path, data)
  local partial = ("%s.%d.tmp"):format(path, platform.pid())
  local file, err = io.open(partial, "wb")
  if not file then return nil, err end
  local ok, why = file:write(data)
  local closed, reason = file:close()
  if ok and closed then
    local renamed, message = os.rename(partial, path)
    if renamed then return true end
    why = message
  end
  os.remove(partial)
  return nil, why or reason
end

local function read_file(path)
  local text, err = fs.read(path, MAX_ENTRY_BYTES)
  if text or err.code == "enoent" then return text end
  return nil, tostring(err)
end

---Opens the folder of a cache, which is made where it is missing. `offline`: a miss is an error, nothing is sent.
---Raises { exit = 4 } where it cannot be used.
function cache.open(folder, offline)
  local made, err = fs.mkdir(folder, true)
  if made == nil then fail(4, "--cache: %s: %s", folder, tostring(err)) end
  if not fs.stat(folder .. "/" .. MARKER) then
    local ok, why = write_file(folder .. "/" .. MARKER, MARK)
    if not ok and not offline then fail(4, "--cache: %s", why) end
  end
  return setmetatable({ folder = folder, offline = offline, hits = 0, misses = 0, writes = 0, broken = 0, pending = {},
    shards = {} }, Cache)
end

function Cache:path(key, kind)
  return ("%s/%s/%s.%s"):format(self.folder, key:sub(1, 2), key, kind or "json")
end

local function complain(self, path, why)
  self.broken = self.broken + 1
  log.say(self.broken <= MAX_TOLD and "WARNING" or "INFO", ("cache: %s: %s: taken as a miss"):format(path, why))
end

-- What is in an entry's text; nil and what is wrong with it.
local function parse(text, key)
  local entry, err = json.decode(text, DECODE)
  if type(entry) ~= "table" then return nil, "torn or not JSON: " .. tostring(err and err.message or "no object") end
  if entry.lre_cache ~= FORMAT then return nil, "not an entry of this cache's format" end
  if entry.key ~= key then return nil, "the entry is another request's" end
  local reply, response = entry.reply, entry.response
  local whole = type(reply) == "table" and type(reply.body) == "string" and type(reply.headers) == "table"
    and math.type(reply.status) == "integer" or type(response) == "table" and type(response.text) == "string"
  if not whole or type(entry.request) ~= "table" or type(entry.sent) ~= "table" then
    return nil, "the entry has no reply"
  end
  return entry
end

-- The entry of a request, held against the request itself: a hash is only its address.
local function lookup(self, job)
  local path = self:path(job.hash)
  local text, unreadable = read_file(path)
  if not text then
    if unreadable then complain(self, path, unreadable) end
    return nil
  end
  local entry, why = parse(text, job.hash)
  if entry and not text:find('"request":' .. job.canonical, 1, true) then
    entry, why = nil, "the entry's request is not the one with this hash"
  end
  if not entry then complain(self, path, why) end
  return entry
end

local function public_headers(headers)
  local out = {}
  for name, value in pairs(headers) do
    if not SECRET_HEADERS[name:lower()] then out[name] = value end
  end
  return out
end

-- An entry in memory, from what was just answered.
local function entry_of(job, response)
  local reply = job.reply
  if reply then
    return { sent = job.sent, reply = { status = reply.status, headers = public_headers(reply.headers),
      body = reply.body } }
  end
  return { sent = job.sent, response = { text = response.text, finish_reason = response.finish_reason,
    usage = response.usage, model = response.model, request_id = response.request_id, provider = response.provider,
    reasoning = response.reasoning, logprobs = response.logprobs } }
end

local function encoded(job, entry)
  local name = entry.reply and "reply" or "response"
  local body, sent = json.encode(entry[name]), json.encode(entry.sent)
  if not body or not sent then return nil end
  local member = ('"%s":%s'):format(name, body)
  return http.redact(('{"key":"%s","lre_cache":%d,%s,"request":%s,"sent":%s}\n'):format(job.hash, FORMAT, member,
    job.canonical, sent))
end

-- Errors never come here. A cut answer depends on a limit that the next asker may want to lift, and an empty or
-- withheld one is no answer.
local function worth_keeping(response)
  local finish = response.finish_reason
  return finish ~= "length" and finish ~= "content_filter" and response.text:find "%S" ~= nil
end

local function shard(self, key)
  local name = key:sub(1, 2)
  if self.shards[name] then return true end
  local made, err = fs.mkdir(self.folder .. "/" .. name)
  self.shards[name] = made ~= nil
  return made ~= nil, err
end

local function store(self, job, kind, text)
  local ok, err = shard(self, job.hash)
  if ok then ok, err = write_file(self:path(job.hash, kind), text) end
  if not ok and not self.told then
    self.told = true -- the answer is in the run's journal all the same
    log.warning(("cache: %s: %s: answers are not kept there"):format(self.folder, tostring(err)))
  end
  return ok
end

-- What was asked and not kept, so that `lre cache explain` can say why it missed.
local function note_miss(self, job)
  local text = ('{"key":"%s","lre_cache":%d,"request":%s}\n'):format(job.hash, FORMAT, job.canonical)
  store(self, job, "miss", http.redact(text))
end

local function keep(self, job, response, entry)
  local text = worth_keeping(response) and encoded(job, entry)
  if not text then return note_miss(self, job) end
  if store(self, job, "json", text) then self.writes = self.writes + 1 end
  os.remove(self:path(job.hash, "miss"))
end

local function offline_error(self, job, ask)
  note_miss(self, job)
  return ask.failed(job, { kind = "provider", code = "offline",
    message = ("not in the cache %s, and --offline sends nothing (lre cache explain %s says what is nearest)"):format(
      self.folder, job.hash:sub(1, 16)) })
end

-- Waits for one who asks the same, without the trial's place: the entry that came of it, or nil.
local function wait_for(job, event)
  local opts = job.opts
  if opts.pause then opts.pause() end
  local entry = event:wait()
  if opts.resume then opts.resume() end
  return entry
end

local function hit(self, job, ask, entry)
  local response, err = ask.reread(job, entry)
  if response then
    self.hits = self.hits + 1
    return response
  end
  complain(self, self:path(job.hash), "the adapter reads no answer in it: " .. tostring(err.message))
end

local function ask_once(self, job, ask)
  local event, entry = sched.event(), nil
  self.pending[job.hash] = event
  -- Also where the task is cancelled: the others must not wait for ever.
  local guard <close> = setmetatable({}, { __close = function() -- luacheck: ignore guard
    self.pending[job.hash] = nil
    event:set(entry)
  end })
  self.misses = self.misses + 1
  local response, err = ask.send(job)
  if response then
    entry = entry_of(job, response)
    keep(self, job, response, entry)
  else
    note_miss(self, job)
  end
  return response, err
end

---Answers a request from the cache, or asks and keeps the answer. Identical requests in flight share one. `ask`:
---{ send, reread, failed }, of lre.ask.
function Cache:through(job, ask)
  while true do
    local entry = lookup(self, job)
    local response = entry and hit(self, job, ask, entry)
    if response then return response end
    if self.offline then
      self.misses = self.misses + 1
      return offline_error(self, job, ask)
    end
    local other = self.pending[job.hash]
    if not other then return ask_once(self, job, ask) end
    entry = wait_for(job, other)
    response = entry and hit(self, job, ask, entry)
    if response then return response end
  end
end

---"3 hits, 1 miss, 1 write".
function Cache:summary()
  local function n(count, one, many) return ("%d %s"):format(count, count == 1 and one or many) end
  return ("%s, %s, %s"):format(n(self.hits, "hit", "hits"), n(self.misses, "miss", "misses"),
    n(self.writes, "write", "writes"))
end

---The last line of whatever asks: hits, misses, writes and retries. Without a cache all that was `sent` missed.
---@param self table? a cache
---@param sent integer
---@param retries integer
---@return string
function cache.line(self, sent, retries)
  local said = self and self:summary()
    or ("off: 0 hits, %d %s, 0 writes"):format(sent, sent == 1 and "miss" or "misses")
  return ("cache    %s; %d %s"):format(said, retries, retries == 1 and "retry" or "retries")
end

---The same of model judges alone; nil where there is neither a cache nor one of them.
function cache.judges_line(self, judges)
  local sent, retries, models = 0, 0, 0
  for _, judge in ipairs(judges) do
    models = models + (judge.kind == "model" and 1 or 0)
    sent, retries = sent + (judge.sent or 0), retries + (judge.retries or 0)
  end
  return (self or models > 0) and cache.line(self, sent, retries) or nil
end

-- ---- looking into one ----

---A folder that is a cache; raises { exit = 3 } for any other: `clear` must not empty somebody's documents.
function cache.existing(folder)
  if not fs.stat(folder) then fail(3, "%s: no such folder", folder) end
  if not fs.stat(folder .. "/" .. MARKER) then fail(3, "%s: is not a cache: it has no %s", folder, MARKER) end
  return setmetatable({ folder = folder, hits = 0, misses = 0, writes = 0, broken = 0, pending = {}, shards = {} },
    Cache)
end

---Iterates over the files of a cache in the order of their keys: path, kind ("json", "miss", "tmp"), key, stat.
function Cache:files()
  return coroutine.wrap(function()
    for _, name in ipairs(assert(fs.list(self.folder))) do
      local inner = name:find "^%x%x$" and fs.list(self.folder .. "/" .. name) or {}
      for _, file in ipairs(inner) do
        local path = ("%s/%s/%s"):format(self.folder, name, file)
        local key, kind = file:match "^(%x+)%.([%w.]+)$"
        local stat = key and #key == 64 and fs.stat(path)
        if stat and stat.type == "file" then coroutine.yield(path, kind:match "%w+$", key, stat) end
      end
    end
  end)
end

-- The request that a file tells of, taken apart; nil where it is broken or not there.
local function request_in(path, key)
  local text = read_file(path)
  local entry = text and json.decode(text, DECODE)
  if type(entry) == "table" and entry.lre_cache == FORMAT and entry.key == key and type(entry.request) == "table" then
    return entry.request, entry
  end
end

---{ entries, bytes, misses, broken }: what is there. Reads every entry.
function Cache:info()
  local out = { entries = 0, bytes = 0, misses = 0, broken = 0, models = {} }
  for path, kind, key, stat in self:files() do
    if kind == "miss" then
      out.misses = out.misses + 1
    elseif kind == "json" then
      local text = read_file(path)
      local entry = text and parse(text, key)
      out.entries, out.bytes = out.entries + (entry and 1 or 0), out.bytes + stat.size
      if entry then
        local body = type(entry.request.body) == "table" and entry.request.body or {}
        local name = ("%s %s"):format(entry.request.endpoint, body.model or "-")
        out.models[name] = (out.models[name] or 0) + 1
      else
        out.broken = out.broken + 1
      end
    end
  end
  return out
end

---Removes entries (and what a broken write left). `older_than`: only those last written that many seconds ago.
---Returns how many went, and their bytes.
function Cache:clear(older_than, dry)
  local now, n, bytes = os.time(), 0, 0
  for path, kind, _, stat in self:files() do
    if not older_than or now - stat.mtime > older_than then
      if not dry then assert(fs.remove(path)) end
      if kind == "json" then n, bytes = n + 1, bytes + stat.size end
    end
  end
  return n, bytes
end

local function show_path(path, key)
  if math.type(key) == "integer" then return ("%s[%d]"):format(path, key) end
  return path == "" and tostring(key) or path .. "." .. key
end

local function flatten(value, path, out)
  if type(value) ~= "table" or next(value) == nil then
    out[path] = assert(json.encode(value))
    return out
  end
  for key, inner in pairs(value) do flatten(inner, show_path(path, key), out) end
  return out
end

-- The fields in which two requests differ, sorted: { { field, wanted, there } }.
local function differences(wanted, there)
  local names, seen, out = {}, {}, {}
  for _, fields in ipairs { wanted, there } do
    for name in pairs(fields) do
      if not seen[name] and wanted[name] ~= there[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do out[i] = { field = name, wanted = wanted[name], there = there[name] } end
  return out
end

---Keys that begin with `prefix`: entries and noted misses.
function Cache:find(prefix)
  local found, seen = {}, {}
  for _, kind, key in self:files() do
    if (kind == "json" or kind == "miss") and key:sub(1, #prefix) == prefix and not seen[key] then
      found[#found + 1], seen[key] = key, true
    end
  end
  return found
end

---What the cache knows of a request: { key, state = "entry"|"miss"|"unknown"|"broken", why?, nearest = key?,
---differs = { { field, wanted, there } }? }. The nearest entry is the one that differs in the fewest fields.
function Cache:explain(key)
  local out = { key = key, state = "unknown" }
  local text = read_file(self:path(key))
  local request
  if text then
    local entry, why = parse(text, key)
    out.state, out.why = entry and "entry" or "broken", why
    if entry and hash.sha256(assert(json.encode(entry.request))) ~= key then
      out.why = "its request does not hash to its key: numbers that Lua cannot hold, or an edited file"
    end
    request = entry and entry.request
  else
    request = request_in(self:path(key, "miss"), key)
    if request then out.state = "miss" end
  end
  if not request then return out end
  local wanted = flatten(request, "", {})
  for path, kind, other in self:files() do
    local there = kind == "json" and other ~= key and request_in(path, other)
    local differs = there and differences(wanted, flatten(there, "", {}))
    if differs and (not out.differs or #differs < #out.differs) then out.nearest, out.differs = other, differs end
  end
  return out
end

return cache
