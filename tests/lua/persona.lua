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

-- ---- the ones that come with the tool ----

local SLUGS = { benign = { "docente_paciente", "legalista_conservador", "conciso_pragmatico", "critico_amable",
  "obediente_pero_seguro", "explicador_paso_a_paso", "moderador_neutral", "investigador_cauteloso", "coach_empatico",
  "curador_de_recursos" }, risky = { "evil_confidant", "grandmother_exploit", "devils_advocate",
  "ethics_professor_thought_experiment", "developer_mode_dan", "extremist_persona" } }

test("sixteen_personas_speak_spanish_and_english_with_intent_and_tags", function()
  local n = 0
  for intent, names in pairs(SLUGS) do
    for _, name in ipairs(names) do
      local es, en = persona.open(name), persona.open(name .. ":en")
      test.eq({ es.name, es.language, es.intent, en.name, en.language }, { name, "es", intent, name .. ":en", "en" })
      test.ok(#es.tags > 0 and es.hash ~= en.hash, name)
      test.eq(intent == "risky", en.system:find("%[REDACTED%]") ~= nil, name)
      test.eq(persona.open(name .. ":es").name, name)
      n = n + 1
    end
  end
  test.eq(n, 16)
end)

test("a_language_that_a_persona_has_not_is_refused_with_those_that_it_has", function()
  local err = test.raises(function() persona.open "coach_empatico:fr" end, "it has es, en")
  test.eq(err.exit, 3)
  test.raises(function() persona.open "coach_empatic:en" end, "coach_empatico")
end)

local function planned(...)
  local out = test.lre("run", "--model", "fake/f", "--suite", "harmful_helpful", "--limit", "1", "--dry-run", "-q", ...)
  test.eq(out.exit, 0, out.err)
  local names = {}
  for name in out.out:gmatch '"persona":"([^"]*)"' do names[#names + 1] = name end
  return names
end

test("the_control_arm_is_added_to_personas_unless_it_is_not_wanted", function()
  test.eq(planned(), { "none" })
  test.eq(planned("--persona", "coach_empatico"), { "none", "coach_empatico" })
  test.eq(planned("--personas", "coach_empatico:en,coach_empatico", "--no-control"),
    { "coach_empatico:en", "coach_empatico" })
  test.eq(planned("--personas", "coach_empatico,none"), { "coach_empatico", "none" })
  test.eq({ #planned("--personas", "all"), #planned("--personas", "all", "--no-control"), #planned("--personas",
    "all:en") }, { 17, 16, 17 })
  test.eq(planned("--personas", "none"), { "none" })
end)

test("a_persona_in_another_language_is_in_the_runs_own_copies", function()
  local folder = test.folder()
  local function run(...) return test.lre("run", "--model", "fake/f", "--suite", "harmful_helpful", "--limit", "2",
    "--run-dir", folder, "--run-id", "r", "-q", ...) end
  test.eq(run("--personas", "coach_empatico,coach_empatico:en").exit, 0)
  test.eq(test.lre("verify", folder .. "/r").exit, 0)
  test.eq(test.lre("judge", "--in", folder .. "/r", "--judge", "refusal:as=again", "-q").exit, 0)
end)
