--- Hugging Face checkpoints, run here on the CPU: no network, no Python. See docs/inference.md.
local chat_template = require "lre.chat_template"
local engines = require "lre.engines"
local fs = require "lre.fs"
local hub = require "lre.hub"
local json = require "lre.json"
local infer = require "lre.infer"
local lre = require "lre"
local param = require "lre.params"

-- What a run needs of a model that it cannot see: by the model's table.
local opened = setmetatable({}, { __mode = "k" })

local function fail(model, err)
  error({ exit = 3, message = ("%s: %s"):format(model.label, err.message) }, 0)
end

local function whole(x) return math.tointeger(x) and x >= 0 end
local function share(x) return x >= 0 and x <= 1 end
local function positive(x) return x > 0 end

-- What of generation_config.json has a say, and what it may be.
local RANGES = {
  { "top_k", whole, "a whole number from 0" }, { "top_p", share, "a number from 0 to 1" },
  { "min_p", share, "a number from 0 to 1" }, { "repetition_penalty", positive, "a number over 0" },
}

-- What the model's authors say of it; or nil and why not.
local function generation_of(folder)
  local path = folder .. "/generation_config.json"
  if not fs.stat(path) then return {} end
  local config
  local text, err = fs.read(path, 4 << 20)
  if not text then return nil, err end
  config, err = json.decode(text, { bigint = "string" })
  if type(config) ~= "table" then
    return nil, { message = ("%s: %s"):format(path, err and err.message or "expected an object") }
  end
  local out = {}
  for _, range in ipairs(RANGES) do
    local name, fits, expected = table.unpack(range)
    local x = config[name]
    if x ~= nil and x ~= json.null then
      if type(x) ~= "number" or not fits(x) then
        return nil, { message = ("%s: %s: expected %s, got %s"):format(path, name, expected, assert(json.encode(x))) }
      end
      out[name] = x
    end
  end
  return out
end

-- A template that loops for ever would do it for each trial: it is found out before the first.
local function open_template(folder)
  local chat, err = chat_template.open(folder)
  if not chat then return nil, err end
  local text
  text, err = chat:render { { role = "user", content = "Hi" } }
  if not text and err.code == "limit" then return nil, err end
  return chat
end

local function open(model)
  local opt, machine = model.options, model.machine
  local folder, err = hub.find(model.id, opt.revision)
  if not folder then fail(model, err) end
  local chat, generation, engine
  if opt.chat_template then
    chat, err = open_template(folder)
    if not chat then fail(model, err) end
  end
  generation, err = generation_of(folder)
  if not generation then fail(model, err) end
  engine, err = engines.open(folder, {
    int8 = opt.quant == "int8", threads = machine.threads, kv_bytes = machine.kv_memory << 20,
    max_sequences = machine.max_sequences, kernels = machine.kernels ~= "" and machine.kernels or nil,
  })
  if not engine then fail(model, err) end
  local info = engine:info()
  opened[model] = { engine = engine, chat = chat, generation = generation }
  return {
    architecture = info.architecture, dtype = info.dtype, quantisation = info.quantisation, files = info.files,
    parameters = info.parameters, template = chat and chat.hash or "none", generation = generation, numerics = "1",
  }, hub.name(model.id, folder)
end

-- This engine passes nothing on: a parameter that it does not know would have no effect.
local function check(opt, params)
  local here = infer.kernels()
  local known = opt.kernels == ""
  for _, name in ipairs(here) do known = known or opt.kernels == name end
  if not known then
    return ("option kernels: expected one of %s (what this processor has), got %q"):format(table.concat(here, ", "),
      opt.kernels)
  end
  local unknown = {}
  for name in pairs(params) do
    if not param.known[name] then unknown[#unknown + 1] = name end
  end
  table.sort(unknown)
  if unknown[1] then return ("unknown parameter %q: this engine has none of that name"):format(unknown[1]) end
  if params.repetition_penalty == 0 then return "parameter repetition_penalty: expected a number over 0, got 0" end
end

local function text_of(content)
  if type(content) == "string" then return content end
  local out = {}
  for _, part in ipairs(content) do
    if part.type ~= "text" or type(part.text) ~= "string" then
      return nil, { code = "bad_request", message = "a local model takes text parts only", final = true }
    end
    out[#out + 1] = part.text
  end
  return table.concat(out)
end

-- Some templates refuse a system message: its text then stands before the first user message, a blank line between.
local function folded(messages)
  local first, second = messages[1], messages[2]
  if not second or first.role ~= "system" or second.role ~= "user" then return nil end
  local out = { { role = "user", content = first.content .. "\n\n" .. second.content } }
  table.move(messages, 3, #messages, 2, out)
  return out
end

local function render(self, messages)
  local text, err = self.chat:render(messages)
  if text then return text end
  local other = err.code ~= "limit" and folded(messages)
  local again = other and self.chat:render(other)
  if again then return again end
  err.final = true
  return nil, err
end

-- What looks like a special token in a message must not become one: the engine marks it, and takes the marks out again
-- once the special tokens of the template's own text are found.
local function templated(self, messages)
  local list, any = {}, false
  for i, message in ipairs(messages) do
    local content, marked = self.engine:guard(message.content)
    any = any or marked
    list[i] = { role = message.role, content = content }
  end
  local text, err = render(self, list)
  if not text then return nil, err end
  return { { text = text, special = true, guarded = any } }
end

local titles = { system = "System", user = "User", assistant = "Assistant" }

-- Without a template: a lone message as it is, more of them as a script of who said what.
local function bare(messages)
  if #messages == 1 then return { { text = messages[1].content, frame = true } } end
  local lines = {}
  for _, message in ipairs(messages) do
    lines[#lines + 1] = ("%s: %s"):format(titles[message.role] or message.role, message.content)
  end
  lines[#lines + 1] = "Assistant:"
  return { { text = table.concat(lines, "\n\n"), frame = true } }
end

local function parts_of(self, messages)
  local list = {}
  for i, message in ipairs(messages) do
    local content, err = text_of(message.content)
    if not content then return nil, err end
    list[i] = { role = message.role, content = content }
  end
  if self.chat then return templated(self, list) end
  return bare(list)
end

-- Log-probabilities are kept of so many tokens of an answer at most: a journal's row stays about a megabyte.
local most_logprobs = 1024

-- How many alternatives each token's log-probability comes with; nil: none are asked for; false and why not.
local function alternatives(params)
  if params.logprobs then return params.top_logprobs or 0 end
  if params.top_logprobs then
    return false, { code = "bad_request", message = "top_logprobs needs logprobs=true", final = true }
  end
end

-- As OpenAI's API has them, with the tokens' ids: a token's text alone may be part of a character.
local function logprobs_of(engine, list)
  local function entry(one)
    local text = assert(engine:decode({ one.id }))
    return { token = text:gsub("\0", "\u{FFFD}"), id = one.id, logprob = one.logprob }
  end
  local content = json.array {}
  for i = 1, math.min(#list, most_logprobs) do
    local out, top = entry(list[i]), json.array {}
    for k, other in ipairs(list[i].top) do top[k] = entry(other) end
    out.top_logprobs = top
    content[i] = out
  end
  return { content = content, left_out = #list > #content and #list - #content or nil }
end

local function call(model, messages, params, _, request_hash)
  local self = opened[model]
  local parts, err = parts_of(self, messages)
  if not parts then return nil, err end
  local n_top
  n_top, err = alternatives(params)
  if err then return nil, err end
  local temperature, given = params.temperature or 0, self.generation
  local sampling = temperature > 0 and given or {}
  local stop = params.stop
  local answer
  answer, err = self.engine:generate {
    parts = parts, temperature = temperature, max_tokens = params.max_tokens or 512, key = request_hash,
    top_k = params.top_k or sampling.top_k, top_p = params.top_p or sampling.top_p,
    min_p = params.min_p or sampling.min_p,
    repetition_penalty = params.repetition_penalty or given.repetition_penalty,
    stop = type(stop) == "string" and { stop } or stop, logprobs = n_top,
  }
  if not answer then
    return nil, { kind = err.kind, code = err.code, message = err.message, final = true }
  end
  return {
    -- No JSON of ours holds a zero character; a real model has no use for one.
    text = (answer.text:gsub("\0", "\u{FFFD}")), finish_reason = answer.finish_reason, model = model.id,
    usage = { input_tokens = answer.input_tokens, output_tokens = answer.output_tokens },
    logprobs = answer.logprobs and logprobs_of(self.engine, answer.logprobs),
  }
end

return lre.adapter {
  name = "hf",
  summary = "Hugging Face checkpoints, run on this machine",
  params = { "seed", "temperature", "max_tokens", "top_k", "top_p", "min_p", "repetition_penalty", "stop",
    "logprobs", "top_logprobs" },
  options = {
    revision = { "main", "branch, tag or commit of the model in the cache" },
    quant = { "none", "weights in fewer bits", one_of = { "none", "int8" } },
    chat_template = { true, "prompt through the model's own template" },
    threads = { 0, "threads; 0: one a core", min = 0, max = 1024 },
    kv_memory = { 1024, "most MiB for keys and values", min = 1, max = 1048576 },
    max_sequences = { 64, "answers that are made together", min = 1, max = 1024 },
    kernels = { "", "instruction set: portable, avx2, avx512, neon; the best one otherwise" },
  },
  machine = { "threads", "kv_memory", "max_sequences", "kernels" },
  check = check,
  open = open,
  call = call,
}
