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
}

---lre.persona{ name, system, intent?, tags?, language? }
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

---Opens a persona by name or path, or takes one that an experiment declared.
---@param name string|table
---@return lre.Persona
function persona.open(name)
  local t, path = name, nil
  if type(name) == "string" then
    path = catalog.find("personas", name).path
    if not path then
      return finish { name = "none" }
    end
    t = catalog.load(path, "persona")
  else
    shape.expect_mark(name, "persona", "personas")
  end
  return finish({ name = t.name, system = t.system, intent = t.intent, tags = t.tags, language = t.language }, path)
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
