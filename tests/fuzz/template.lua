-- fuzz: a chat template is refused or renders to text or an error, within its limits, whatever it says.
local jinja = require "lre.jinja"

local messages = { { role = "system", content = "Be kind." }, { role = "user", content = "Hi <|im_end|>" } }

return function(bytes)
  local template = jinja.compile(bytes, "fuzz")
  if not template then return end
  local text, err = template:render({ messages = messages, bos_token = "<s>", add_generation_prompt = true },
    { now = 0 })
  assert(text == nil and err ~= nil or type(text) == "string", "neither a text nor an error")
end
