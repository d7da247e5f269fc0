-- pull: fetches a checkpoint from Hugging Face's hub into its cache, in pieces that a later call goes on from, each
-- file held against the hash that the hub names. Redirects are followed by hand: the hub's key goes to the hub alone.
local fs, hash, json = require "lre.fs", require "lre.hash", require "lre.json"
local http, hub = require "lre.http", require "lre.hub"
local model, retry = require "lre.model", require "lre.retry"
local clock, sched = require "lre.clock", require "lre.sched"
local shape = require "lre.shape"

local pull = {}

local ENDPOINT = "https://huggingface.co"
local KEY = "HF_TOKEN"
local PIECE = 8 << 20 -- bytes a request: half of the largest reply that is taken
local TRIES = 5
local MAX_REDIRECTS = 5

local SMALL = { "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
  "special_tokens_map.json", "chat_template.jinja" }

local fail = shape.stop

-- One request, tried again as any other of the engine's. `range` is a header's value.
local function ask(self, url, range, max_bytes)
  local case = { tries = TRIES, max_retry_after = 600, timeouts = 0, bad_replies = 0, attempt = 0 }
  while true do
    case.attempt = case.attempt + 1
    local to_hub = url:sub(1, #self.endpoint + 1) == self.endpoint .. "/"
    local reply, err = http.request {
      method = "GET", url = url, headers = range and { Range = range } or nil, max_bytes = max_bytes or PIECE + 65536,
      auth = to_hub and self.key and { env = KEY, header = "Authorization", prefix = "Bearer " } or nil,
      timeouts = { connect = 10, first_byte = 60, stall = 60, total = 900 },
    }
    if reply and reply.status < 400 then return reply end
    err = err or retry.error_reply(reply.status, reply.body)
    if err.code == "timeout" then case.timeouts = case.timeouts + 1 end
    case.err, case.headers, case.now = err, reply and reply.headers, clock.unix()
    case.jitter = hash.unit(url .. (range or "") .. case.attempt)
    local decision = retry.decide(case)
    if decision.action ~= "retry" then return nil, err end
    sched.sleep(decision.delay)
  end
end

-- A redirect from https stays there; a hub on loopback (a test, a mirror) may send to loopback.
local function may_follow(self, target)
  local ok, _, safe = pcall(model.base_url, target:match "^[^?#]*", "redirect")
  return ok and safe and (target:find "^https://" ~= nil or self.loopback)
end

local function follow(self, url, range, max_bytes)
  for _ = 0, MAX_REDIRECTS do
    local reply, err = ask(self, url, range, max_bytes)
    if not reply or reply.status < 300 then return reply, err end
    local target = reply.headers.location
    if not target then return nil, { message = "a redirect without a place" } end
    if target:sub(1, 1) == "/" then target = url:match "^%w+://[^/]+" .. target end
    if not may_follow(self, target) then return nil, { message = "a redirect to a place that is not https" } end
    url = target
  end
  return nil, { message = ("more than %d redirects"):format(MAX_REDIRECTS) }
end

local function endpoint_of(given)
  local url, safe = model.base_url(given or os.getenv "HF_ENDPOINT" or ENDPOINT, "HF_ENDPOINT")
  if not safe then fail(3, "HF_ENDPOINT: %s: expected https, or a loopback address", url) end
  return url
end

-- What the hub has of the model: its commit, and of each file its size and hash.
local function listing(self, id, revision)
  local url = ("%s/api/models/%s/revision/%s?blobs=true"):format(self.endpoint, id, http.escape(revision))
  local reply, err = follow(self, url)
  if not reply then
    local hint = (err.status == 401 or err.status == 403 or err.status == 404)
      and (". Is the name right? A gated or private model needs %s"):format(KEY) or ""
    fail(4, "%s, revision %s: %s%s", id, revision, err.message, hint)
  end
  local data
  data, err = json.decode(reply.body, { bigint = "string" })
  if type(data) ~= "table" or type(data.sha) ~= "string" or not data.sha:find "^%x+$"
    or type(data.siblings) ~= "table" then
    fail(4, "%s: the hub's list of its files is none: %s", id, err and err.message or "expected sha and siblings")
  end
  local files = {}
  for _, entry in ipairs(data.siblings) do
    local name, lfs = entry.rfilename, type(entry.lfs) == "table" and entry.lfs or {}
    if type(name) == "string" and name:find "^[%w._-]+$" and math.type(entry.size) == "integer" then
      files[name] = { name = name, size = entry.size, sha256 = lfs.sha256, blob = entry.blobId }
    end
  end
  return data.sha, files
end

-- The files that a checkpoint needs, in the order in which they are fetched: the small ones say first what is wrong.
local function wanted(id, files)
  local list, whole = {}, files["model.safetensors"]
  for _, name in ipairs(SMALL) do list[#list + 1] = files[name] end
  if not files["config.json"] or not files["tokenizer.json"] then
    fail(4, "%s: the hub has no %s of it: this engine reads config.json, tokenizer.json and safetensors", id,
      files["config.json"] and "tokenizer.json" or "config.json")
  end
  if whole then
    list[#list + 1] = whole
    return list
  end
  list[#list + 1] = files["model.safetensors.index.json"]
  local shards = {}
  for name, file in pairs(files) do
    if name:find "^model%-%d+%-of%-%d+%.safetensors$" then shards[#shards + 1] = file end
  end
  if #shards == 0 then fail(4, "%s: the hub has no safetensors of it", id) end
  table.sort(shards, function(a, b) return a.name < b.name end)
  return table.move(shards, 1, #shards, #list + 1, list)
end

-- Whether a file's bytes are the hub's: SHA-256 for large files, git's hash for the others.
local function is_right(path, file)
  local handle = io.open(path, "rb")
  if not handle then return false end
  local running = hash.new()
  local whole = not file.sha256 and { ("blob %d\0"):format(file.size) }
  for piece in handle:lines(1 << 20) do
    if whole then whole[#whole + 1] = piece else running:update(piece) end
  end
  handle:close()
  if whole then return hash.sha1(table.concat(whole)) == file.blob end
  return running:hex() == file.sha256
end

local function size_of(path)
  local info = fs.stat(path)
  return info and info.type == "file" and info.size or 0
end

local function append(path, bytes)
  local file, err = io.open(path, "ab")
  if not file then fail(4, "%s", err) end
  local written, closed
  written, err = file:write(bytes)
  closed = file:close()
  if not (written and closed) then
    fail(4, "%s: cannot be written: %s. What is there is kept; the same command goes on", path, err or "disk full?")
  end
end

local function fetch_piece(self, url, file, from)
  local to = math.min(from + PIECE, file.size) - 1
  local reply, err = follow(self, url, ("bytes=%d-%d"):format(from, to))
  if not reply then fail(4, "%s: %s. What is there is kept; the same command goes on", file.name, err.message) end
  local whole = reply.status == 200 and from == 0 and to == file.size - 1
  if not (reply.status == 206 or whole) or #reply.body ~= to - from + 1 then
    fail(4, "%s: asked for bytes %d to %d, got status %d with %d bytes", file.name, from, to, reply.status, #reply.body)
  end
  return reply.body
end

-- Fetches what is missing of a file. A part with the wrong hash is thrown away: nothing of it can be trusted.
local function fetch(self, url, path, file)
  local part = path .. ".part"
  if size_of(part) > file.size then fs.remove(part) end
  while size_of(part) < file.size do
    if sched.interrupted() then fail(130, "interrupted; the same command goes on") end
    append(part, fetch_piece(self, url, file, size_of(part)))
    self.progress(file, size_of(part))
  end
  if file.size == 0 then append(part, "") end
  if not is_right(part, file) then
    fs.remove(part)
    fail(4, "%s: its hash is not the one that the hub names; it was thrown away, fetch it again", file.name)
  end
  local ok, err = os.rename(part, path)
  if not ok then fail(4, "%s", err) end
end

---Fetches a model into the first of hub.caches(). options: revision ("main"), endpoint, progress(file, bytes).
---Gives { folder, commit, files = { { name, size, fetched } } }; raises { exit = 3 | 4 | 130 }.
---@param id string
---@param options table
---@return table
function pull.model(id, options)
  if not id:find "^[%w._-]+/[%w._-]+$" or id:find("..", 1, true) then
    fail(2, "model id %q: expected a name such as Qwen/Qwen2-0.5B-Instruct", id)
  end
  local cache = hub.caches()[1] or fail(4, "HOME and HF_HOME are not set: there is no place to put a model")
  local self = { endpoint = endpoint_of(options.endpoint), progress = options.progress or function() end }
  self.loopback = self.endpoint:find "^http://" ~= nil
  self.key = http.load_key(KEY)
  local commit, files = listing(self, id, options.revision)
  local root = ("%s/models--%s"):format(cache, (id:gsub("/", "--")))
  local folder, out = ("%s/snapshots/%s"):format(root, commit), { commit = commit, files = {} }
  for _, place in ipairs { folder, root .. "/refs" } do
    local made, err = fs.mkdir(place, true)
    if made == nil then fail(4, "%s", err.message) end
  end
  for i, file in ipairs(wanted(id, files)) do
    local path = folder .. "/" .. file.name
    local here = size_of(path) == file.size and is_right(path, file)
    if not here then
      fetch(self, ("%s/%s/resolve/%s/%s"):format(self.endpoint, id, commit, file.name), path, file)
    end
    out.files[i] = { name = file.name, size = file.size, fetched = not here }
  end
  -- Last: a model that is only half here is not found by its name.
  local ok, err = fs.write(("%s/refs/%s"):format(root, options.revision), commit)
  if not ok then fail(4, "%s", err.message) end
  out.folder = folder
  return out
end

return pull
