-- fuzz: a chat template is refused or renders to text or an error, within its limits, whatever it says.
local jinja = require "lre.jinja"

local messages = { { role = "system", content = "Be kind." }, { role = "user", content = "Hi <|im_end|>" } }

-- libFuzzer sees no branch of a template, so it hardly ever writes one that parses: an input that begins with "#" is
-- read as a row of these instead.
local PIECES = {
  "{%", "%}", "{{", "}}", "{%-", "-%}", "{#", "#}", " if ", " elif ", " else ", " endif ", " for ", " in ", " endfor ",
  " set ", " endset ", " macro ", " endmacro ", " call ", " endcall ", " filter ", " endfilter ", " generation ",
  " endgeneration ", " break ", " continue ", " recursive ", " is ", " not ", " and ", " or ", " defined ", " none ",
  "messages", "m", "f", "ns", "loop", "range", "namespace", "raise_exception", "strftime_now", "[", "]", "(", ")", "{",
  "}", ",", ":", ".", "=", "==", "+", "-", "*", "**", "//", "%", "~", "|", "<", "'a'", "''", "'\\n'", "0", "1", "-1",
  "9999999999999999999", "1.5", "length", "tojson", "trim", "join", "map", "selectattr", "'role'", "['role']",
  "['content']", ".content", ".split", ".format", ".replace", ".items()", "center", "indent", "x", " ", "\n",
  "{% for m in messages %}", "{% endfor %}", "{% if m %}", "{% endif %}", "{% macro f(x) %}", "{% endmacro %}",
  "{{ f(", ") }}", "{% set ns = namespace(x=", ") %}", "{% set ns.x = ", " %}", "{% for m in range(", "{{ m", " }}",
}

local function pieced(bytes)
  local out = {}
  for i = 2, math.min(#bytes, 400) do out[#out + 1] = PIECES[bytes:byte(i) % #PIECES + 1] end
  return table.concat(out)
end

return function(bytes)
  if bytes:sub(1, 1) == "#" then bytes = pieced(bytes) end
  local template = jinja.compile(bytes, "fuzz")
  if not template then return end
  local text, err = template:render({ messages = messages, bos_token = "<s>", add_generation_prompt = true },
    { now = 0 })
  assert(text == nil and err ~= nil or type(text) == "string", "neither a text nor an error")
end
