-- A provider that is slow on Mondays' prompts and refuses every tenth request: lre mock --script examples/mock.lua
local lre = require "lre"

return lre.mock {
  name = "mondays", summary = "slow where the prompt says Monday, a 429 for a tenth of the rest",
  reply = function(ask, m)
    if ask.prompt:find "Monday" then return m.slow_body(m.answer(ask), 10, 0.2) end
    if ask.try == 1 and ask:random() < 0.1 then return m.limited(ask, { form = "date", seconds = 1 }) end
    return m.answer(ask)
  end,
}
