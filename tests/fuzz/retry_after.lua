-- fuzz: the delay that a reply's headers ask for is a number of seconds from 0 on, or none.
local retry = require "lre.retry"

local names = { "retry-after", "retry-after-ms", "date", "x-ratelimit-reset", "x-ratelimit-remaining",
  "x-ratelimit-reset-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens",
  "anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining", "ratelimit-reset",
  "ratelimit-remaining" }

local function sane(delay)
  assert(delay == nil or type(delay) == "number" and delay >= 0 and delay < math.huge, tostring(delay))
end

-- A line a header: its number as a letter, then its value.
return function(bytes)
  local headers = {}
  for letter, value in bytes:gmatch "(%a)([^\n]*)" do
    headers[names[letter:lower():byte() - 96] or "retry-after"] = value
  end
  headers["retry-after"] = headers["retry-after"] or bytes
  for _, limited in ipairs { true, false } do
    local delay, source = retry.asked_delay(headers, 1735734600, limited)
    sane(delay)
    assert((delay == nil) or type(source) == "string")
  end
  sane(retry.exhausted(headers, 1735734600))
end
