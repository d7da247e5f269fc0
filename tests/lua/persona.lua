-- persona: a system prompt beside the sample's own.
local persona = require "lre.persona"
local test = require "lre.unit"

local calm = persona.open(persona.declare { name = "calm", system = "Be calm." })

local function roles(list)
  local out = {}
  for i, message in ipairs(list) do
    out[i] = message.role .. "=" .. (type(message.content) == "string" and message.content or "parts")
  end
  return table.concat(out, "|")
end

test("none_changes_nothing", function()
  local none = persona.open "none"
  local messages = { { role = "user", content = "hi" } }
  test.eq(none.name, "none")
  test.eq(none.system, nil)
  test.eq(persona.apply(none, messages), messages)
  test.eq(#none.hash, 64)
end)

test("the_persona_follows_the_samples_own_system_message", function()
  local messages = { { role = "system", content = "A." }, { role = "user", content = "hi" } }
  test.eq(roles(persona.apply(calm, messages)), "system=A.\n\nBe calm.|user=hi")
  test.eq(messages[1].content, "A.")
end)

test("of_several_leading_system_messages_it_follows_the_last", function()
  local messages = {
    { role = "system", content = "A." },
    { role = "system", content = "B." },
    { role = "user", content = "hi" },
    { role = "system", content = "later" },
  }
  test.eq(roles(persona.apply(calm, messages)), "system=A.|system=B.\n\nBe calm.|user=hi|system=later")
end)

test("without_a_system_message_it_stands_in_front", function()
  test.eq(roles(persona.apply(calm, { { role = "user", content = "hi" } })), "system=Be calm.|user=hi")
end)

test("parts_get_a_further_part", function()
  local parts = { { type = "text", text = "A." } }
  local applied = persona.apply(calm, { { role = "system", content = parts }, { role = "user", content = "hi" } })
  test.eq(#applied[1].content, 2)
  test.eq(applied[1].content[2].text, "\n\nBe calm.")
  test.eq(#parts, 1)
end)

test("the_hash_is_that_of_the_text", function()
  local other = persona.open(persona.declare { name = "other", system = "Be calm." })
  local loud = persona.open(persona.declare { name = "calm", system = "Be loud." })
  test.eq(other.hash, calm.hash)
  test.eq(loud.hash == calm.hash, false)
end)

test("an_undeclared_table_and_a_wrong_key_are_refused", function()
  local ok, err = pcall(persona.open, { name = "x", system = "y" })
  test.eq(ok, false)
  test.eq(tostring(err):match "lre.persona" ~= nil, true)
  ok, err = pcall(persona.declare, { name = "x", sytem = "y" })
  test.eq(ok, false)
  test.eq(tostring(err):find('sytem: unknown key. Did you mean "system"?', 1, true) ~= nil, true)
end)
