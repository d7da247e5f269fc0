-- A local model's own chat template: found in its folder as transformers finds it, rendered with its special tokens.
local fs, hash, json = require "lre.fs", require "lre.hash", require "lre.json"
local civil = require "lre.civil"
local jinja = require "lre.jinja"
local text = require "lre.text"

local chat_template = {}

-- Published templates reach 40 KB.
local MAX_BYTES = 4 << 20

-- Templates that print a date get this one unless the run says otherwise: today's would change the answers daily.
chat_template.DATE = "2024-07-26"

local Chat = {}
Chat.__index = Chat

local function failure(message, ...)
  return setmetatable({ kind = "template", code = "template", message = message:format(...) }, {
    __tostring = function(self)
      return self.message
    end,
  })
end

-- What a file says; nil where it is not there, and an error where it cannot be read.
local function read(path, max_bytes)
  local info, err = fs.stat(path)
  if not info then
    return nil, err
  end
  local source
  source, err = fs.read(path, max_bytes)
  local valid, at = text.valid_utf8(source or "")
  if not valid then
    return nil, failure("%s: is not UTF-8 at byte %d", path, at)
  end
  return source, err
end

local function read_json(path)
  local source, err = read(path, MAX_BYTES * 16)
  if not source then
    return not err and {} or nil, err
  end
  -- model_max_length is 10^30 in most of them: "no limit".
  local data
  data, err = json.decode(source, { bigint = "string" })
  if type(data) ~= "table" then
    return nil, failure("%s: %s", path, err and err.message or "expected an object")
  end
  return data
end

-- tokenizer_config.json holds one template, or a list of named ones of which "default" is meant for chat.
local function from_config(config, path)
  local template = config.chat_template
  if type(template) == "string" then
    return template, path
  elseif type(template) == "table" then
    for _, entry in ipairs(template) do
      if type(entry) == "table" and entry.name == "default" and type(entry.template) == "string" then
        return entry.template, path
      end
    end
  end
end

local TOKENS = { "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token" }

local function special_tokens(...)
  local tokens = {}
  for _, source in ipairs { ... } do
    for _, name in ipairs(TOKENS) do
      local token = source[name]
      if type(token) == "table" then
        token = token.content
      end
      if type(token) == "string" then
        tokens[name] = token
      end
    end
  end
  return tokens
end

---The chat template of a checkpoint's folder: `chat_template.jinja` before the one in tokenizer_config.json.
---@param folder string
---@return lre.ChatTemplate? chat, lre.Error? err
function chat_template.open(folder)
  local config_path = folder .. "/tokenizer_config.json"
  local config, err = read_json(config_path)
  if not config then
    return nil, err
  end
  local map
  map, err = read_json(folder .. "/special_tokens_map.json")
  if not map then
    return nil, err
  end
  local path = folder .. "/chat_template.jinja"
  local source
  source, err = read(path, MAX_BYTES)
  if err then
    return nil, err
  elseif not source then
    source, path = from_config(config, config_path)
  end
  if not source then
    return nil, failure("%s: no chat template in chat_template.jinja or tokenizer_config.json. "
      .. "Use --no-chat-template to prompt the model with the bare text", folder)
  end
  local template
  template, err = jinja.compile(source, path:match "[^/]+$")
  if not template then
    return nil, err
  end
  return setmetatable({ template = template, tokens = special_tokens(map, config), hash = hash.sha256(source) }, Chat)
end

local function unix_of(date)
  local year, month, day = date:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  if not year then
    return nil, failure("chat date '%s': expected YYYY-MM-DD", date)
  end
  return civil.days(tonumber(year), tonumber(month), tonumber(day)) * 86400
end

---The prompt that the template makes of a conversation.
---@param messages table[] { role, content }
---@param options table? `add_generation_prompt` (true), `date` (YYYY-MM-DD), `variables` (more for the template)
---@return string? text, lre.Error? err
function Chat:render(messages, options)
  options = options or {}
  local now, err = unix_of(options.date or chat_template.DATE)
  if not now then
    return nil, err
  end
  local variables = { messages = messages, tools = json.null, documents = json.null,
    add_generation_prompt = options.add_generation_prompt ~= false }
  for name, token in pairs(self.tokens) do
    variables[name] = token
  end
  for name, value in pairs(options.variables or {}) do
    variables[name] = value
  end
  return self.template:render(variables, { now = now })
end

return chat_template
