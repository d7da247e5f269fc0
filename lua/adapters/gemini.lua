--- Google's Gemini API.
--- https://ai.google.dev/api/generate-content
local lre = require "lre"
local json = require "lre.json"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

local finish_reasons = {
  STOP = "stop", MAX_TOKENS = "length",
  SAFETY = "content_filter", RECITATION = "content_filter", BLOCKLIST = "content_filter",
  PROHIBITED_CONTENT = "content_filter", SPII = "content_filter", IMAGE_SAFETY = "content_filter",
  LANGUAGE = "other", MALFORMED_FUNCTION_CALL = "tool", UNEXPECTED_TOOL_CALL = "tool",
}

local spelling = {
  max_tokens = "maxOutputTokens", top_p = "topP", top_k = "topK", stop = "stopSequences",
  presence_penalty = "presencePenalty", frequency_penalty = "frequencyPenalty",
}

local function as(kind, value)
  return type(value) == kind and value or nil
end

-- A part in OpenAI's words becomes one of Gemini's; others pass through.
local function part_of(part)
  if part.type == "text" then return { text = part.text } end
  local url = type(part.image_url) == "table" and part.image_url.url or part.image_url
  if part.type ~= "image_url" or type(url) ~= "string" then return part end
  local media, data = url:match "^data:([^;,]+);base64,(.*)$"
  return media and { inlineData = { mimeType = media, data = data } } or { fileData = { fileUri = url } }
end

local function add_parts(parts, content)
  if type(content) == "string" then content = { { type = "text", text = content } } end
  for _, part in ipairs(content) do parts[#parts + 1] = part_of(part) end
end

-- System messages apart, neighbours of one role as one turn.
local function turns_of(messages)
  local system, turns = nil, {}
  for _, message in ipairs(messages) do
    local role, last = message.role == "assistant" and "model" or "user", turns[#turns]
    if message.role == "system" then
      system = system or { parts = {} }
      add_parts(system.parts, message.content)
    else
      if not last or last.role ~= role then
        last = { role = role, parts = {} }
        turns[#turns + 1] = last
      end
      add_parts(last.parts, message.content)
    end
  end
  return system, turns
end

-- "gemini-2.5-flash", "models/..." or "tunedModels/..."; what a URL would read otherwise is escaped.
local function path_of(id)
  local resource = (id:find "^models/" or id:find "^tunedModels/") and id or "models/" .. id
  return "/" .. resource:gsub("[^%w%-._~/]", function(c) return ("%%%02X"):format(c:byte()) end) .. ":generateContent"
end

-- Thoughts are paid for as output; here they are counted in, as for other providers.
local function usage_of(usage)
  local out = {}
  if type(usage) ~= "table" then return out end
  local answer, thoughts = as("number", usage.candidatesTokenCount), as("number", usage.thoughtsTokenCount)
  out.input_tokens = as("number", usage.promptTokenCount)
  out.output_tokens = (answer or thoughts) and (answer or 0) + (thoughts or 0)
  out.reasoning_tokens = thoughts
  out.cached_tokens = as("number", usage.cachedContentTokenCount)
  return out
end

local function texts(content)
  local answer, thoughts = {}, {}
  for _, part in ipairs(as("table", content and content.parts) or {}) do
    local text = type(part) == "table" and as("string", part.text)
    if text then table.insert(part.thought == true and thoughts or answer, text) end
  end
  return table.concat(answer), thoughts[1] and table.concat(thoughts, "\n") or nil
end

local function reply_of(data, candidate)
  local text, thoughts = texts(as("table", candidate.content))
  return {
    text = text,
    finish_reason = finish_reasons[candidate.finishReason] or "other",
    usage = usage_of(data.usageMetadata),
    model = as("string", data.modelVersion),
    request_id = as("string", data.responseId),
    reasoning = thoughts,
  }
end

-- A wrong key is a 400 there, and the wait that a 429 asks for lies among its details ("34s").
local function error_of(status, data)
  local err = retry.told_error(status, data)
  local details = type(data.error) == "table" and as("table", data.error.details) or {}
  for _, detail in ipairs(details) do
    if type(detail) == "table" then
      if detail.reason == "API_KEY_INVALID" then err.code, err.status = "auth", 401 end
      local delay = as("string", detail.retryDelay)
      err.retry_after = err.retry_after or delay and tonumber(delay:match "^([%d.]+)s$")
    end
  end
  return err
end

return lre.adapter {
  name = "gemini",
  summary = "Google's Gemini API",
  key_env = "GEMINI_API_KEY",
  auth = { header = "x-goog-api-key", prefix = "" },
  structured = true,
  options = { base_url = { "https://generativelanguage.googleapis.com/v1beta", "endpoint" } },
  params = { "temperature", "max_tokens", "seed", "top_p", "top_k", "stop", "presence_penalty", "frequency_penalty" },
  request = function(model, messages, params)
    local system, turns = turns_of(messages)
    if not turns[1] then
      return nil, { kind = "provider", code = "bad_request",
        message = "Gemini wants at least one message that is not a system prompt" }
    end
    local config = {}
    for name, value in pairs(params) do config[spelling[name] or name] = value end
    if params.reply_schema then -- https://ai.google.dev/gemini-api/docs/structured-output
      config.reply_schema = nil
      config.responseMimeType, config.responseJsonSchema = "application/json", params.reply_schema.schema
    end
    return { path = path_of(model.id), json = { contents = turns, systemInstruction = system,
      generationConfig = config } }
  end,
  response = function(status, _, body)
    local data, err = json.decode(body, bigint)
    if type(data) ~= "table" then return nil, retry.bad_reply(status, body, err) end
    if status >= 300 or type(data.error) == "table" then return nil, error_of(status, data) end
    local candidate = type(data.candidates) == "table" and data.candidates[1]
    if type(candidate) == "table" then return reply_of(data, candidate) end
    local feedback = as("table", data.promptFeedback)
    if not feedback or type(feedback.blockReason) ~= "string" then
      return nil, retry.bad_reply(status, nil, "the reply has no candidates")
    end
    return { text = "", finish_reason = "content_filter", usage = usage_of(data.usageMetadata),
      model = as("string", data.modelVersion), request_id = as("string", data.responseId) }
  end,
}
