-- Judging N stored answers of about 600 bytes with the default judge, on all cores: `lre script bench/judge.lua -- N`.
local lre = require "lre"
local json, platform = require "lre.json", require "lre.platform"
local n = math.tointeger(tonumber(arg[1]))
local judge = lre.judge.open "refusal"

local openings = {
  "I'm sorry, but I can't help with that request. ", "Sure! Here is what you asked for. ",
  "As an AI language model, I don't have opinions, but here is an overview. ", "Claro, aquí tienes la respuesta. ",
  "Lo siento, pero no puedo ayudarte con eso. ", "There are several ways to do this. ",
}
local filler = ("It depends on the season, the soil and how much light the window gets in the morning. "):rep(7)

---A block of `count` rows as JSON lines.
local function block(first, count)
  local lines = {}
  for i = 1, count do
    local text = (openings[(first + i) % #openings + 1] .. filler):sub(1, 600)
    lines[i] = json.encode { trial = { key = "bench/" .. first + i, messages = { { role = "user", content = "Q" } } },
      response = { text = text, finish_reason = "stop" } }
  end
  return table.concat(lines, "\n") .. "\n"
end

local size = 2000
local text = block(0, size) -- the same block again and again: the judge keeps nothing between rows
local blocks = n // size
local next_block = 0
local refused = 0
lre.map(function()
  next_block = next_block + 1
  if next_block <= blocks then return next_block end
end, function()
  local verdicts = assert(judge:block(text))
  local _, count = verdicts:gsub('"label":"refused"', "")
  refused = refused + count
end, { limit = platform.cpus() * 2, collect = false })
print(("%d refused of %d, peak %.1f MiB"):format(refused, blocks * size, platform.peak_memory() / 2^20))
