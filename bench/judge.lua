-- Judging N stored answers of about 600 bytes with the default judge on all cores, as `lre judge --in FILE` does:
-- `lre script bench/judge.lua -- N FOLDER` prints "<seconds> <peak bytes> <refused>".
local clock, platform = require "lre.clock", require "lre.platform"
local n, folder = math.tointeger(tonumber(arg[1])), arg[2]

local openings = {
  "I'm sorry, but I can't help with that request. ", "Sure! Here is what you asked for. ",
  "As an AI language model, I don't have opinions, but here is an overview. ", "Claro, aquí tienes la respuesta. ",
  "Lo siento, pero no puedo ayudarte con eso. ", "There are several ways to do this. ",
}
local filler = ("It depends on the season, the soil and how much light the window gets in the morning. "):rep(7)

local path, out = folder .. "/answers.jsonl", folder .. "/verdicts.jsonl"
local file = assert(io.open(path, "wb"))
for i = 1, n do
  local text = (openings[i % #openings + 1] .. filler):sub(1, 600)
  file:write('{"id":"bench-', i, '","prompt":"Q","response":"', text, '"}\n')
end
file:close()

local start = clock.mono()
local verdicts <close> = assert(io.open(out, "wb"))
require("lre.judge_file").run(path, { require("lre.judge").open "refusal" },
  function(text) assert(verdicts:write(text)) end, { threads = platform.cpus() + 1 })
verdicts:flush()
local seconds, refused = clock.mono() - start, 0
for line in io.lines(out) do
  if line:find('"label":"refused"', 1, true) then refused = refused + 1 end
end
print(seconds, platform.peak_memory(), refused)
