-- A rule judge: is the answer short? Try it: lre test examples/brevity.lua
local lre = require "lre"

return lre.judge {
  name = "brevity", version = "1", kind = "rule",
  labels = { "short", "long" },
  options = { max_words = { 60, "longest answer that still counts as short" } },
  patterns = { word = [[\w+]] }, -- PCRE2, compiled once
  judge = function(_, response, re, opt) -- pure: same input, same verdict
    local words = re.word:count(response.text)
    return { label = words <= opt.max_words and "short" or "long", value = words }
  end,
  metrics = { short_rate = { rate = "short", of = { "short", "long" } } },
  examples = {
    { response = "Yes.", label = "short", value = 1 },
    { response = ("word "):rep(61), label = "long", value = 61 },
  },
}
