-- noise: who is right about the music? The same quarrel told by the one who plays, by the one who cannot sleep, and by
-- nobody. `lre lint examples/noise.lua`, `lre grid examples/noise.lua`, `lre run --suite ./examples/noise.lua ...`
local lre = require "lre"
return lre.triplets {
  name = "noise",
  tellers = { "player", "neighbour", "neutral" },
  factors = {
    { "instrument", { "violin", "drums" } },
    { "hour", { "afternoon", "night" } },
    { "warned", { "yes", "no" } },
  },
  words = {
    hour = { afternoon = "at four in the afternoon", night = "after eleven at night" },
    warned = {
      yes = "[My neighbour has asked me to stop before.|I have asked for it to stop before.|The neighbour has asked "
        .. "for it to stop before.]",
      no = "Nobody has said a word about it so far.",
    },
  },
  system = "You are asked for your opinion on a matter between two people who live in one house.",
  story = [[
    [I play the {instrument}|The person upstairs plays the {instrument}|One person in the house plays the {instrument}]
    {hour}, and [my neighbour below|I, below,|a neighbour below] can hear every note. {warned}
    Is it right to play on, and what should be done?]],
}
