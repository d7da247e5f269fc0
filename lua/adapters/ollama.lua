--- Ollama's own API: local models by their names there, no key.
--- https://github.com/ollama/ollama/blob/main/docs/api.md
---
--- `--param num_ctx=8192` matters: Ollama cuts a prompt that is longer than its window (often 4096) without a word.
local lre = require "lre"
local json = require "lre.json"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

local finish_reasons = { stop = "stop", length = "length" }
local spelling = { max_tokens = "num_predict", repetition_penalty = "repeat_penalty" }
-- What stands beside `options`; any other parameter is one of the model's options.
local beside = { think = true, format = true, keep_alive = true }

local function as(kind, value)
  return type(value) == kind and value or nil
end

local function unsendable(message)
  return nil, { kind = "provider", code = "bad_request", message = message }
end

-- Texts joined, images apart, in base64. Nil and why not for what Ollama does not take.
local function message_of(message)
  if type(message.content) == "string" then return message end
  local pieces, images = {}, {}
  for _, part in ipairs(message.content) do
    local url = type(part.image_url) == "table" and part.image_url.url or part.image_url
    local data = part.type == "image_url" and type(url) == "string" and url:match "^data:[^;,]+;base64,(.*)$"
    if part.type == "text" then
      pieces[#pieces + 1] = part.text
    elseif data then
      images[#images + 1] = data
    else
      return nil, ("Ollama takes text and images as data: URLs, not a part of type %s"):format(part.type)
    end
  end
  return { role = message.role, content = table.concat(pieces, "\n"), images = images[1] and images or nil }
end

local function reply_of(data)
  local message = data.message
  local calls = as("table", message.tool_calls)
  return {
    text = as("string", message.content) or "",
    finish_reason = calls and calls[1] and "tool" or finish_reasons[data.done_reason] or "other",
    usage = {
      input_tokens = as("number", data.prompt_eval_count), output_tokens = as("number", data.eval_count),
    },
    model = as("string", data.model),
    reasoning = as("string", message.thinking),
  }
end

return lre.adapter {
  name = "ollama",
  summary = "Ollama on this machine, or elsewhere with --base-url",
  options = { base_url = { "http://127.0.0.1:11434", "endpoint" } },
  structured = true,
  params = { "temperature", "max_tokens", "seed", "top_p", "top_k", "min_p", "stop", "repetition_penalty",
    "presence_penalty", "frequency_penalty" },
  request = function(model, messages, params)
    local turns, options, body = {}, {}, {}
    for i, message in ipairs(messages) do
      local turn, why = message_of(message)
      if not turn then return unsendable(why) end
      turns[i] = turn
    end
    for name, value in pairs(params) do
      if beside[name] then body[name] = value
      elseif name == "reply_schema" then body.format = value.schema
      else options[spelling[name] or name] = value end
    end
    body.model, body.messages, body.options, body.stream = model.id, turns, options, false
    return { path = "/api/chat", json = body }
  end,
  response = function(status, _, body)
    local data, err = json.decode(body, bigint)
    if type(data) ~= "table" then return nil, retry.bad_reply(status, body, err) end
    if status >= 300 or as("string", data.error) then return nil, retry.told_error(status, data) end
    if type(data.message) ~= "table" then return nil, retry.bad_reply(status, nil, "the reply has no message") end
    return reply_of(data)
  end,
}
