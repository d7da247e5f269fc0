-- mock: a provider on a real socket that misbehaves as its scenario says, the same way each time: what it does follows
-- from the request, the seed and how often that very request came. It speaks OpenAI's and Anthropic's shapes.
--
-- GET /_mock tells what came so far; POST /_mock {"script": NAME, "seed": K} starts anew with another scenario.
local catalog = require "lre.catalog"
local clock = require "lre.clock"
local hash = require "lre.hash"
local json = require "lre.json"
local reply = require "lre.mock_reply"
local scenarios = require "lre.mock_scenarios"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local text = require "lre.text"

local mock = {}
local Mock, Ask = {}, {}
Mock.__index, Ask.__index = Mock, Ask

local schema = shape.record {
  name = shape.string { min = 1 },
  summary = shape.optional(shape.string()),
  reply = shape.func(),
}

---lre.mock { name, summary?, reply = function(ask, m) -> reply end }: a scenario, for `lre mock --script FILE.lua`.
---@param t table
---@return table t
function mock.declare(t)
  return shape.declare("mock", schema, t)
end

---A scenario by name or file. Raises { exit = 3 }.
function mock.scenario(name)
  if catalog.is_path(name) then return (catalog.load(name, "mock")) end
  local found = scenarios.find(name)
  if found then return found end
  error({ exit = 3, message = ('--script: no scenario is called "%s".%s There are %s. A file has a / or .lua.'):format(
    name, suggest.sentence(name, scenarios.names()), table.concat(scenarios.names(), ", ")) }, 0)
end

---What a scenario is told of a request: n (from 1), try (which time these bytes came, from 1), shape ("openai",
---"anthropic"), model, prompt (the last user's text), body (decoded), id, seed, path, and ask:random().
---A number in [0, 1) that follows from the seed, the request, its try and how often it was drawn from.
function Ask:random()
  self._drawn = (self._drawn or 0) + 1
  return hash.unit(("%d|%s|%d|%d"):format(self.seed, self._digest, self.try, self._drawn))
end

local function text_of(content)
  if type(content) == "string" then return content end
  local parts = {}
  for _, part in ipairs(type(content) == "table" and content or {}) do
    if type(part) == "table" and type(part.text) == "string" then parts[#parts + 1] = part.text end
  end
  return table.concat(parts, "\n")
end

local function last_user_text(messages)
  for i = type(messages) == "table" and #messages or 0, 1, -1 do
    local message = messages[i]
    if type(message) == "table" and message.role == "user" then return text_of(message.content) end
  end
  return ""
end

local SHAPES = { { "/chat/completions$", "openai" }, { "/messages$", "anthropic" } }

local function shape_of(path)
  for _, row in ipairs(SHAPES) do
    if path:find(row[1]) then return row[2] end
  end
end

-- Nil where this is no question to a model.
local function read_ask(self, request)
  local path = request.target:match "^[^?]*"
  local kind = request.method == "POST" and shape_of(path)
  local body = kind and json.decode(request.body, { bigint = "string" })
  if type(body) ~= "table" then return nil, path end
  local digest = hash.sha256(path .. "\n" .. request.body)
  local try = (self.tries[digest] or 0) + 1
  self.tries[digest] = try
  if try == 1 then self.bodies = self.bodies + 1 end
  return setmetatable({ n = self.requests, try = try, shape = kind, path = path, body = body,
    model = type(body.model) == "string" and body.model or "mock", prompt = last_user_text(body.messages),
    id = digest:sub(1, 12), seed = self.seed, refusal_rate = self.refusal_rate, headers = request.headers,
    _digest = digest }, Ask)
end

-- ---- counting ----

local function count(self)
  local now = clock.mono()
  self.begun = self.begun or now
  self.requests = self.requests + 1
  local second = (now - self.begun) // 1 | 0
  self.seconds[second + 1] = (self.seconds[second + 1] or 0) + 1
  for i = second, 1, -1 do
    if self.seconds[i] then break end
    self.seconds[i] = 0
  end
end

---What came so far: requests, bodies (distinct questions), by_status, seconds (requests in each second from the first),
---most_tries of one question.
function Mock:counts()
  local most = 0
  for _, n in pairs(self.tries) do most = math.max(most, n) end
  return { script = self.scenario.name, seed = self.seed, requests = self.requests, bodies = self.bodies,
    by_status = self.by_status, seconds = json.array(self.seconds), most_tries = most }
end

---Starts anew.
function Mock:reset(scenario, seed)
  self.scenario, self.seed = scenario, seed
  self.requests, self.bodies, self.tries, self.by_status, self.seconds, self.begun = 0, 0, {}, {}, {}, nil
end

---A mock. opt: script (a name or file), seed, refusal_rate, latency (seconds before each answer), note (told of a
---scenario's errors).
function mock.new(opt)
  local self = setmetatable({ refusal_rate = opt.refusal_rate or 0.5, latency = opt.latency or 0,
    note = opt.note or function() end }, Mock)
  self:reset(mock.scenario(opt.script or "calm"), opt.seed or 42)
  return self
end

-- ---- answering ----

local function plain(status, data)
  local id = { id = "mock" }
  return reply.wire(id, { status = status, headers = {}, type = "application/json", body = assert(json.encode(data)) })
end

local function control(self, request)
  if request.method == "POST" then
    local wish = json.decode(request.body)
    if type(wish) ~= "table" then return plain(400, { error = "expected a JSON object" }) end
    local ok, scenario = pcall(mock.scenario, wish.script or self.scenario.name)
    if not ok then return plain(400, { error = tostring(scenario.message or scenario) }) end
    self:reset(scenario, math.tointeger(wish.seed) or self.seed)
  end
  return plain(200, self:counts())
end

local function scripted(self, ask)
  local ok, made = pcall(self.scenario.reply, ask, reply)
  if ok and type(made) == "table" and made.body then return made end
  self.note(("scenario %s, request %d: %s"):format(self.scenario.name, ask.n,
    text.terminal(tostring(ok and "gave no reply" or type(made) == "table" and made.message or made), true)))
  return reply.status(ask, 500, { message = "the mock's scenario failed" })
end

---Answers one request of lre.serve.
function Mock:handle(request)
  if request.target == "/_mock" then return control(self, request) end
  count(self)
  local ask, path = read_ask(self, request)
  if not ask then
    return plain(404, { error = { message = ("the mock knows POST .../chat/completions and .../messages, not %s %s")
      :format(request.method, path) } })
  end
  local made = scripted(self, ask)
  if self.latency > 0 then made.before = (made.before or 0) + self.latency end
  local status = tostring(made.nothing and "reset" or made.status)
  self.by_status[status] = (self.by_status[status] or 0) + 1
  return reply.wire(ask, made)
end

return mock
