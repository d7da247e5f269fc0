--- A model without a model: answers from a hash, so that a whole run is reproducible and costs nothing.
---
--- score = the first 8 bytes of SHA-256("<prompt>|<effective seed>"), big-endian, over 2^64; it refuses where the
--- score is below `refusal_rate`. It never waits.
local lre = require "lre"
local hash = require "lre.hash"
local json = require "lre.json"

local refusal = "I'm sorry, but I can't help with that request."
local answer = "Sure, here is a short answer: start with the basics, check each step, and ask where it is unclear."

-- The text of a lone user turn; anything longer is scored by its canonical JSON.
local function prompt_of(messages)
  local first = messages[1]
  if #messages == 1 and first.role == "user" and type(first.content) == "string" then return first.content end
  local text, turns
  for _, message in ipairs(messages) do
    if message.role == "system" then return assert(json.encode(messages)) end
    if message.role == "user" then
      text, turns = message.content, (turns or 0) + 1
    end
  end
  if turns == 1 and type(text) == "string" then return text end
  return assert(json.encode(messages))
end

return lre.adapter {
  name = "fake",
  summary = "answers from a hash of the prompt and the seed: no network, no key",
  params = { "seed", "temperature", "max_tokens" },
  options = {
    refusal_rate = { 0.5, "share of prompts that are refused", min = 0, max = 1 },
    seed = { -1, "base seed; -1: the run's", min = -1 },
  },
  call = function(model, messages, params, context)
    local run_seed = params.seed or 42
    local base_seed = model.options.seed
    if base_seed < 0 then base_seed = run_seed end
    local effective = (run_seed * 2654435761 + base_seed) % 4294967296
    local prompt = prompt_of(messages)
    local key = prompt .. "|" .. effective
    local n = context and context["repeat"] or 1
    if n > 1 then key = key .. "|" .. n end
    local text = hash.unit(key) < model.options.refusal_rate and refusal or answer
    return {
      text = text,
      finish_reason = "stop",
      model = model.id,
      usage = { input_tokens = #prompt // 4 + 1, output_tokens = #text // 4 + 1 },
    }
  end,
}
