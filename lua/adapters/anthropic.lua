--- Anthropic's messages.
--- https://docs.anthropic.com/en/api/messages
local lre = require "lre"
local json = require "lre.json"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

local finish_reasons = {
  end_turn = "stop", stop_sequence = "stop",
  max_tokens = "length", model_context_window_exceeded = "length",
  tool_use = "tool",
  refusal = "refusal",
}

local function as(kind, value)
  return type(value) == kind and value or nil
end

-- A part in OpenAI's words becomes a block in Anthropic's; blocks pass through.
local function block_of(part)
  local url = type(part.image_url) == "table" and part.image_url.url or part.image_url
  if part.type ~= "image_url" or type(url) ~= "string" then return part end
  local media, data = url:match "^data:([^;,]+);base64,(.*)$"
  local source = media and { type = "base64", media_type = media, data = data } or { type = "url", url = url }
  return { type = "image", source = source }
end

local function blocks_of(content)
  if type(content) == "string" then return { { type = "text", text = content } } end
  local blocks = {}
  for i, part in ipairs(content) do blocks[i] = block_of(part) end
  return blocks
end

-- Two contents as one: texts with a blank line between, anything else as one list of blocks.
local function joined(a, b)
  if type(a) == "string" and type(b) == "string" then return a .. "\n\n" .. b end
  local blocks = blocks_of(a)
  return table.move(blocks_of(b), 1, #blocks_of(b), #blocks + 1, blocks)
end

-- System messages apart, neighbours of one role merged: the API wants turns that alternate and begin with the user.
local function turns_of(messages)
  local system, turns = nil, {}
  for _, message in ipairs(messages) do
    local content, last = message.content, turns[#turns]
    if type(content) ~= "string" then content = blocks_of(content) end
    if message.role == "system" then
      system = system and joined(system, content) or content
    elseif last and last.role == message.role then
      last.content = joined(last.content, content)
    else
      turns[#turns + 1] = { role = message.role, content = content }
    end
  end
  return system, turns
end

local function unsendable(message)
  return nil, { kind = "provider", code = "bad_request", message = message }
end

-- input_tokens leaves cached ones out there; here it counts all that was read, as for other providers.
local function usage_of(usage)
  local out = {}
  if type(usage) ~= "table" then return out end
  local read, written = as("number", usage.cache_read_input_tokens), as("number", usage.cache_creation_input_tokens)
  local input = as("number", usage.input_tokens)
  out.input_tokens = input and input + (read or 0) + (written or 0)
  out.output_tokens = as("number", usage.output_tokens)
  out.cached_tokens = read
  return out
end

local function texts(content, kind, field)
  local pieces = {}
  for _, block in ipairs(content) do
    if type(block) == "table" and block.type == kind then pieces[#pieces + 1] = as("string", block[field]) end
  end
  return pieces
end

-- A reply in a schema of ours is asked for as the input of a tool that must be used, which every model takes:
-- https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
local REPLY_TOOL = "reply"

local function add_schema(body, wanted)
  body.reply_schema = nil
  body.tools = { { name = REPLY_TOOL, description = "Gives the reply.", input_schema = wanted.schema } }
  body.tool_choice = { type = "tool", name = REPLY_TOOL }
end

-- The input of that tool as text; nil where it was not used.
local function structured_text(content)
  for _, block in ipairs(content) do
    if type(block) == "table" and block.type == "tool_use" and block.name == REPLY_TOOL then
      return json.encode(block.input)
    end
  end
end

local function message_reply(data)
  local thinking, structured = texts(data.content, "thinking", "thinking"), structured_text(data.content)
  local finish = finish_reasons[data.stop_reason] or "other"
  return {
    -- One text may come in several blocks (citations cut it): nothing belongs between them.
    text = structured or table.concat(texts(data.content, "text", "text")),
    finish_reason = structured and finish == "tool" and "stop" or finish,
    usage = usage_of(data.usage),
    model = as("string", data.model),
    request_id = as("string", data.id),
    reasoning = thinking[1] and table.concat(thinking, "\n") or nil,
  }
end

return lre.adapter {
  name = "anthropic",
  summary = "Anthropic messages",
  key_env = "ANTHROPIC_API_KEY",
  auth = { header = "x-api-key", prefix = "" },
  structured = true,
  options = {
    base_url = { "https://api.anthropic.com/v1", "endpoint" },
    version = { "2023-06-01", "anthropic-version header" },
  },
  params = { "temperature", "max_tokens", "top_p", "top_k", "stop" }, -- there is no seed
  request = function(model, messages, params, opt)
    local system, turns = turns_of(messages)
    if not turns[1] then return unsendable "Anthropic wants at least one message that is not a system prompt" end
    if turns[1].role ~= "user" then return unsendable "Anthropic wants the first message to be the user's" end
    if not params.max_tokens then return unsendable "Anthropic wants max_tokens (--max-tokens)" end
    local body = { model = model.id, messages = turns, system = system }
    for name, value in pairs(params) do body[name == "stop" and "stop_sequences" or name] = value end
    if params.reply_schema then add_schema(body, params.reply_schema) end
    return { path = "/messages", headers = { ["anthropic-version"] = opt.version }, json = body }
  end,
  response = function(status, _, body)
    local data, err = json.decode(body, bigint)
    if type(data) ~= "table" then return nil, retry.bad_reply(status, body, err) end
    if status >= 300 or data.type == "error" then return nil, retry.told_error(status, data) end
    if type(data.content) ~= "table" then
      return nil, retry.bad_reply(status, nil, "the reply has no content")
    end
    return message_reply(data)
  end,
}
