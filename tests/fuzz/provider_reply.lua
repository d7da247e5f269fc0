-- fuzz: a provider's reply, as every adapter reads it: an answer with text and an end, or an error with words.
local adapters = require "lre.adapter"
local retry = require "lre.retry"

local open = {}
for _, name in ipairs { "openai", "anthropic", "gemini", "ollama", "openrouter" } do
  local ok, adapter = pcall(adapters.open, name)
  if ok and adapter.response then open[#open + 1] = adapter end
end

local STATUS = { 200, 200, 200, 400, 403, 429, 500, 529 }

return function(bytes)
  local status, body = STATUS[(bytes:byte(1) or 0) % #STATUS + 1], bytes:sub(2)
  for _, adapter in ipairs(open) do
    local answer, err = adapter.response(status, { ["content-type"] = "application/json" }, body)
    if answer then
      assert(type(answer.text) == "string" and type(answer.finish_reason) == "string", adapter.name)
    else
      assert(type(err) == "table" and type(err.message) == "string", adapter.name)
    end
  end
  assert(retry.error_reply(status, body).message)
end
