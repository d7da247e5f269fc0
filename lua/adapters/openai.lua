--- OpenAI's chat completions, and every server that speaks them (`--base-url`).
--- https://platform.openai.com/docs/api-reference/chat
local lre = require "lre"
local json = require "lre.json"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

-- What compatible servers call the ends: vLLM, llama.cpp, Mistral and TGI have words of their own.
local finish_reasons = {
  stop = "stop", eos = "stop", eos_token = "stop", end_turn = "stop", stop_sequence = "stop",
  length = "length", max_tokens = "length", model_length = "length",
  content_filter = "content_filter", safety = "content_filter",
  refusal = "refusal",
  tool_calls = "tool", function_call = "tool", tool_use = "tool",
}

-- Azure's and OpenAI's codes for a prompt that a filter stopped: an outcome of the trial, not a failed request.
local filtered = { content_filter = true, content_policy_violation = true, invalid_prompt = true }

local function as(kind, value)
  return value ~= nil and type(value) == kind and value or nil
end

local function text_of(content)
  if type(content) == "string" then return content end
  local pieces = {}
  for _, part in ipairs(as("table", content) or {}) do
    local text = type(part) == "table" and part.text or part
    pieces[#pieces + 1] = as("string", text)
  end
  return table.concat(pieces)
end

local function usage_of(usage)
  if type(usage) ~= "table" then return {} end
  local completion = as("table", usage.completion_tokens_details)
  local prompt = as("table", usage.prompt_tokens_details)
  return {
    input_tokens = as("number", usage.prompt_tokens),
    output_tokens = as("number", usage.completion_tokens),
    reasoning_tokens = completion and as("number", completion.reasoning_tokens),
    cached_tokens = prompt and as("number", prompt.cached_tokens) or as("number", usage.prompt_cache_hit_tokens),
    cost_usd = as("number", usage.cost) or as("number", usage.total_cost),
  }
end

-- A filtered prompt is an answer; anything else is an error.
local function error_reply(status, data)
  local problem = as("table", data.error) or {}
  local inner = as("table", problem.innererror)
  if filtered[problem.code] or (inner and inner.code == "ResponsibleAIPolicyViolation") then
    return { text = "", finish_reason = "content_filter", usage = {} }
  end
  return nil, retry.told_error(status, data)
end

local function choice_reply(data, choice)
  local message = choice.message
  local text = text_of(message.content)
  local refusal = as("string", message.refusal)
  local finish = finish_reasons[choice.finish_reason] or "other"
  if refusal and refusal ~= "" then
    finish = "refusal"
    if text == "" then text = refusal end
  end
  return {
    text = text,
    finish_reason = finish,
    usage = usage_of(data.usage),
    model = as("string", data.model),
    request_id = as("string", data.id),
    provider = as("string", data.provider), -- who answered, where a router was asked
    reasoning = as("string", message.reasoning_content) or as("string", message.reasoning),
    attempts = nil, seconds = nil, sent_params = nil, request_hash = nil, -- the engine's: no rehash later
  }
end

-- Structured output: https://platform.openai.com/docs/guides/structured-outputs
local function format_of(wanted)
  return { type = "json_schema",
    json_schema = { name = wanted.name, schema = wanted.schema, strict = wanted.strict } }
end

return lre.adapter {
  name = "openai",
  summary = "OpenAI chat completions and every compatible server (--base-url)",
  key_env = "OPENAI_API_KEY",
  auth = { header = "Authorization", prefix = "Bearer " },
  structured = true,
  options = { base_url = { "https://api.openai.com/v1", "endpoint" } },
  request = function(model, messages, params)
    local body = { model = model.id, messages = messages, max_tokens = nil, temperature = nil, seed = nil } -- no rehash
    for name, value in pairs(params) do body[name] = value end
    if params.reply_schema then
      body.reply_schema, body.response_format = nil, format_of(params.reply_schema)
    end
    return { path = "/chat/completions", json = body }
  end,
  response = function(status, _, body)
    local data, err = json.decode(body, bigint)
    if type(data) ~= "table" then return nil, retry.bad_reply(status, body, err) end
    local problem = data.error
    if status >= 300 or (problem and problem ~= json.null) then return error_reply(status, data) end
    local choice = type(data.choices) == "table" and data.choices[1]
    if type(choice) ~= "table" or type(choice.message) ~= "table" then
      return nil, retry.bad_reply(status, nil, "the reply has no choices[1].message")
    end
    -- OpenRouter puts an error into the choice when the answer broke off.
    if type(choice.error) == "table" then return error_reply(status, choice) end
    return choice_reply(data, choice)
  end,
}
