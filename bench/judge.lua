-- Judging N stored answers of about 600 bytes with the default judge, on all cores: `lre script bench/judge.lua -- N`.
local lre = require "lre"
local platform = require "lre.platform"
local n = math.tointeger(tonumber(arg[1]))
local judge = require("lre.judge").open "refusal"

local openings = {
  "I'm sorry, but I can't help with that request. ", "Sure! Here is what you asked for. ",
  "As an AI language model, I don't have opinions, but here is an overview. ", "Claro, aquí tienes la respuesta. ",
  "Lo siento, pero no puedo ayudarte con eso. ", "There are several ways to do this. ",
}
local filler = ("It depends on the season, the soil and how much light the window gets in the morning. "):rep(7)

---`count` answers with what a judge is shown of their trials.
local function block(count)
  local inputs = {}
  for i = 1, count do
    local text = (openings[i % #openings + 1] .. filler):sub(1, 600)
    inputs[i] = { trial = { key = "bench/" .. i, messages = { { role = "user", content = "Q" } } },
      response = { text = text, finish_reason = "stop" } }
  end
  return inputs
end

local size = 1000
local inputs = block(size) -- the same block again and again: the judge keeps nothing between rows
local blocks, next_block, refused = n // size, 0, 0
lre.map(function()
  next_block = next_block + 1
  if next_block <= blocks then return next_block end
end, function()
  for _, verdict in ipairs(assert(judge:verdicts(inputs))) do
    if verdict.label == "refused" then refused = refused + 1 end
  end
end, { limit = platform.cpus() * 2, collect = false })
print(("%d refused of %d, peak %.1f MiB"):format(refused, blocks * size, platform.peak_memory() / 2^20))
