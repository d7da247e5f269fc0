-- persona: a named system prompt that is applied to samples. `none` is the control arm.
local catalog = require "lre.catalog"
local hash = require "lre.hash"
local json = require "lre.json"
local shape = require "lre.shape"

local persona = {}

local schema = shape.record {
  name = shape.name,
  system = shape.string { min = 1 },
  intent = shape.optional(shape.string()),
  tags = shape.optional(shape.list(shape.string())),
  language = shape.optional(shape.string { min = 2 }),
  translations = shape.optional(shape.map(shape.string { min = 1 })), -- language -> the same text in it
}

---lre.persona{ name, system, intent?, tags?, language?, translations? }
---@param t table
---@return table t
function persona.declare(t)
  return shape.declare("persona", schema, t)
end

-- What is sent is what counts: the name is in the keys already.
local function finish(t, path)
  t.hash = hash.sha256(json.encode { system = t.system or json.null })
  t.path = path
  return t
end

---"coach_empatico:en" as a name and a language.
---@param spec string
---@return string name, string? language
function persona.spec(spec)
  local name, language = spec:match "^(.+):(%l%l)$"
  return name or spec, language
end

---What a declared persona says in a language (nil: its own). Raises { exit = 3 } with the languages that it has.
---@param t table
---@param language string?
---@return string
function persona.text(t, language)
  if not language or language == t.language then
    return t.system
  end
  local text = (t.translations or {})[language]
  if not text then
    local has = shape.keys(t.translations or {})
    if t.language then
      table.insert(has, 1, t.language)
    end
    shape.fail(("persona %s: has no text in %s; it has %s"):format(shape.quote(t.name), shape.quote(language),
      #has > 0 and table.concat(has, ", ") or "one, of no language"))
  end
  return text
end

---Opens a persona by name or path ("NAME:en": in that language), or takes one that an experiment declared.
---@param name string|table
---@return lre.Persona
function persona.open(name)
  local t, path, language = name, nil, nil
  if type(name) == "string" then
    name, language = persona.spec(name)
    path = catalog.find("personas", name).path
    if not path then
      return finish { name = "none" }
    end
    t = catalog.load(path, "persona")
  else
    shape.expect_mark(name, "persona", "personas")
  end
  local text, other = persona.text(t, language), language and language ~= t.language
  return finish({ name = other and t.name .. ":" .. language or t.name, system = text, intent = t.intent,
    tags = t.tags, language = language or t.language }, path)
end

-- Content is a string or a list of parts.
local function add_text(content, addition)
  if type(content) == "string" then
    return content .. "\n\n" .. addition
  end
  local parts = table.move(content, 1, #content, 1, json.array {})
  parts[#parts + 1] = { type = "text", text = "\n\n" .. addition }
  return parts
end

---The messages with the persona's text: after the sample's own (last leading) system message, a blank line between, or
---in front where it has none. A new list; the sample stays as it is.
---@param self lre.Persona
---@param messages lre.Message[]
---@return lre.Message[]
function persona.apply(self, messages)
  if not self.system then
    return messages
  end
  local leading = 0
  while messages[leading + 1] and messages[leading + 1].role == "system" do
    leading = leading + 1
  end
  local list = json.array {}
  if leading == 0 then
    list[1] = { role = "system", content = self.system }
  end
  for i, message in ipairs(messages) do
    if i == leading then
      message = { role = "system", content = add_text(message.content, self.system) }
    end
    list[#list + 1] = message
  end
  return list
end

return persona
