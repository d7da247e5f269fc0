--- OpenRouter: OpenAI's chat completions for many vendors' models behind one key.
--- https://openrouter.ai/docs/api-reference/overview
local lre = require "lre"
local json = require "lre.json"
local openai = require "openai"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

local function as(kind, value)
  return type(value) == kind and value or nil
end

-- The error where OpenRouter puts it: at the top, or in the choice whose answer broke off.
local function told(body)
  local data = json.decode(body, bigint)
  if type(data) ~= "table" then return nil end
  local choice = type(data.choices) == "table" and data.choices[1]
  return as("table", data.error) or type(choice) == "table" and as("table", choice.error) or nil
end

-- "Provider returned error" says nothing; what the vendor said and which one it was lies in the metadata.
local function with_vendor(err, metadata)
  local vendor, raw = as("string", metadata.provider_name), as("string", metadata.raw)
  local said = vendor and raw and vendor .. ": " .. raw or vendor or raw
  if said then err.message = retry.sentence(("%s (%s)"):format(err.message, said)) end
  return err
end

-- Free models tell in the body when the next request may come (milliseconds since 1970).
local function reset_of(metadata)
  local headers = as("table", metadata.headers) or {}
  local reset = tonumber(headers["X-RateLimit-Reset"])
  return reset and (reset > 1e10 and reset / 1000 or reset)
end

local function explained(status, err, body)
  local problem = told(body)
  local metadata = problem and as("table", problem.metadata)
  if not metadata then return nil, err end
  -- A flagged prompt is a 403 too: an outcome of this trial, not a key that is refused.
  if (status == 403 or problem.code == 403) and as("table", metadata.reasons) then
    return { text = "", finish_reason = "content_filter", usage = {} }
  end
  if err.code == "rate_limited" then err.retry_at = reset_of(metadata) end
  return nil, with_vendor(err, metadata)
end

return lre.adapter {
  name = "openrouter",
  summary = "OpenRouter: many vendors' models behind one key",
  key_env = "OPENROUTER_API_KEY",
  auth = { header = "Authorization", prefix = "Bearer " },
  structured = true,
  options = {
    base_url = { "https://openrouter.ai/api/v1", "endpoint" },
    referer = { "", "HTTP-Referer, which names your app to OpenRouter; empty: not sent" },
    title = { "", "X-Title, the app's name in OpenRouter's rankings; empty: not sent" },
  },
  request = function(model, messages, params, opt)
    local made = openai.request(model, messages, params, opt)
    if opt.referer ~= "" or opt.title ~= "" then
      made.headers = {
        ["HTTP-Referer"] = opt.referer ~= "" and opt.referer or nil, ["X-Title"] = opt.title ~= "" and opt.title or nil,
      }
    end
    return made
  end,
  response = function(status, headers, body)
    local reply, err = openai.response(status, headers, body)
    if reply then return reply end
    return explained(status, err, body)
  end,
}
