-- row: one sample as a user writes it, in any of the shapes that suites have, made into the one shape the engine knows:
-- { id, messages, category?, subcategory?, target?, metadata? }.
local json = require "lre.json"
local shape = require "lre.shape"
local suggest = require "lre.suggest"

local row = {}

local part = {
  what = "part { type, ... }",
  check = function(_, value, path, out)
    if type(value) ~= "table" or type(value.type) ~= "string" then
      out[#out + 1] = { path = path, detail = "expected a part { type = ..., ... }, got " .. shape.show(value) }
    elseif value.type == "text" and type(value.text) ~= "string" then
      out[#out + 1] = { path = path .. ".text", detail = "expected string, got " .. shape.show(value.text) }
    end
  end,
}

local messages = shape.list(shape.record {
  role = shape.one_of { "system", "user", "assistant" },
  content = shape.optional(shape.either(shape.string(), shape.list(part, { min = 1 }))),
  generate = shape.optional(shape.boolean()),
}, { min = 1 })

local filled = shape.string { pattern = "%S", what = "non-empty string" }
local table_of_any = shape.map(shape.any())
local id = shape.either(filled, shape.integer())

local fields = {
  id = shape.optional(id),
  prompt_id = shape.optional(id),
  text = shape.optional(filled),
  prompt = shape.optional(filled),
  messages = shape.optional(messages),
  conversation = shape.optional(messages),
  system = shape.optional(filled),
  persona_system_prompt = shape.optional(filled),
  category = shape.optional(filled),
  subcategory = shape.optional(filled),
  target = shape.optional(shape.either(
    shape.string(), shape.number(), shape.boolean(), shape.list(shape.string()))),
  notes = shape.optional(shape.string()),
  suite = shape.optional(shape.string()),
  metadata = shape.optional(table_of_any),
  factors = shape.optional(table_of_any),
}

row.fields = shape.keys(fields)

-- Words for the same thing: of each list exactly (or at most) one may be given.
local ids = { "id", "prompt_id" }
local prompts = { "text", "prompt", "messages", "conversation" }
local systems = { "system", "persona_system_prompt" }

local present = shape.present

local function problem(out, field, detail)
  out[#out + 1] = { field = field, detail = detail }
end

-- Which of several words was used: its name and value.
local function one_of(source, names, needed, out)
  local used
  for _, name in ipairs(names) do
    if present(source[name]) ~= nil then
      if used then
        problem(out, name, ("%s and %s mean the same; give one"):format(used, name))
      end
      used = used or name
    end
  end
  if used then
    return source[used], used
  elseif needed then
    problem(out, names[1], ("expected %s, got nil"):format(table.concat(names, " or ")))
  end
end

-- A row like the third seed's carries more than we know; in any other an unknown key is a slip of the hand.
local function is_open(source)
  return present(source.conversation) ~= nil or present(source.metadata) ~= nil
end

local function check_fields(source, out)
  local problems = {}
  for _, name in ipairs(row.fields) do
    if source[name] ~= nil then
      fields[name]:check(source[name], name, problems)
    end
  end
  for _, found in ipairs(problems) do
    problem(out, found.path, found.detail)
  end
end

local function unknown_keys(source)
  local unknown = {}
  for key in pairs(source) do
    if type(key) ~= "string" or not fields[key] then
      unknown[#unknown + 1] = tostring(key)
    end
  end
  table.sort(unknown)
  return unknown
end

-- JSON's own limit here; a table that contains itself ends there too.
local MAX_DEPTH = 64

-- A copy that later changes by a generator do not reach. Raises where it is too deep.
local function deep_copy(value, depth)
  if type(value) ~= "table" then
    return value
  elseif depth > MAX_DEPTH then
    error(("nested deeper than %d levels, or a table that contains itself"):format(MAX_DEPTH), 0)
  end
  local copy = json.is_array(value) and json.array {} or {}
  for key, inner in pairs(value) do
    copy[key] = deep_copy(inner, depth + 1)
  end
  return copy
end

local function collect_metadata(source, unknown, out)
  local metadata = {}
  for key, value in pairs(type(source.metadata) == "table" and source.metadata or {}) do
    metadata[key] = value
  end
  local function put(key, value)
    if present(value) == nil then
      return
    elseif metadata[key] ~= nil then
      problem(out, key, "is there twice: beside and inside of metadata")
    end
    metadata[key] = value
  end
  put("factors", source.factors)
  put("notes", source.notes)
  for _, key in ipairs(unknown) do
    put(key, source[key])
  end
  return next(metadata) and metadata or nil
end

local function same_system(message, system)
  return message.role == "system" and message.content == system
end

local function collect_messages(prompt, system, word)
  local list = json.array {}
  if word == "text" or word == "prompt" then
    prompt = { { role = "user", content = prompt } }
  end
  if system and not same_system(prompt[1], system) then
    list[1] = { role = "system", content = system }
  end
  for _, message in ipairs(prompt) do
    list[#list + 1] = { role = message.role, content = present(message.content), generate = message.generate or nil }
  end
  -- A last turn that is left to be filled is the answer itself.
  if list[#list].generate then
    list[#list] = nil
  end
  return list
end

-- A turn has content, or is the assistant's and is left to be filled, once the user has said something.
local function check_generated(given, word, out)
  local asked = false
  for i, message in ipairs(type(given) == "table" and given or {}) do
    local field, content = ("%s[%d]"):format(word, i), present(message.content)
    if not message.generate and content == nil then
      problem(out, field .. ".content", "expected text (or generate = true in a turn of the assistant's), got nil")
    elseif message.generate and message.role ~= "assistant" then
      problem(out, field .. ".generate", ("only the assistant's turns are generated, got role %s"):format(message.role))
    elseif message.generate and content ~= nil then
      problem(out, field .. ".content", "is there beside generate = true; give one")
    elseif message.generate and not asked then
      problem(out, field .. ".generate", "the user must have said something before")
    end
    asked = asked or message.role == "user"
  end
end

local function check_turns(list, word, out)
  local asked = false
  for _, message in ipairs(list) do
    asked = asked or message.role == "user" and (type(message.content) == "table" or message.content:find "%S")
  end
  if not asked then
    problem(out, word, "expected at least one message of role user with text, got none")
  elseif list[#list].role ~= "user" and not list[#list].generate then
    problem(out, word, ("expected the last message to be the user's, got one of role %s"):format(list[#list].role))
  end
end

local plain_fields = { text = true, prompt = true, category = true, subcategory = true }

-- The common row, a prompt with an id and a category, without the walk through all fields: a suite may have millions.
-- nil for every other row, also for a wrong one.
local function common(source)
  local given = source.id
  if type(given) == "string" and not given:find "%S" or type(given) ~= "string" and math.type(given) ~= "integer" then
    return nil
  elseif (source.text == nil) == (source.prompt == nil) then
    return nil
  end
  for key, value in pairs(source) do
    if key ~= "id" and not (plain_fields[key] and type(value) == "string" and value:find "%S") then
      return nil
    end
  end
  return {
    id = tostring(given),
    messages = json.array { { role = "user", content = source.text or source.prompt } },
    category = source.category,
    subcategory = source.subcategory,
  }
end

-- ---- the third seed's rows ----

local alignment = {
  category = filled, subcategory = filled, persona_system_prompt = filled, conversation = messages,
  expected_safe_behavior = shape.string(), attack_notes = shape.string(), judge_prompt = filled,
}
local alignment_names = shape.keys(alignment)
local telling = { "judge_prompt", "expected_safe_behavior", "attack_notes" }

---Is this a row of tests that bring their own rubric? Then each row of its file must have all the fields of one.
function row.is_alignment(source)
  if type(source) ~= "table" then
    return false
  end
  for _, name in ipairs(telling) do
    if present(source[name]) ~= nil then
      return true
    end
  end
  return false
end

local function check_alignment(source, out)
  local told = {}
  for _, found in ipairs(out) do
    told[found.field or ""] = true
  end
  for _, name in ipairs(alignment_names) do
    local problems = {}
    if present(source[name]) == nil then
      problem(out, name, "is missing (a test with a rubric needs it)")
    elseif not told[name] then
      alignment[name]:check(source[name], name, problems)
    end
    for _, found in ipairs(fields[name] and {} or problems) do
      problem(out, found.path, found.detail)
    end
  end
end

-- Where a rubric shows its judge what is judged.
local ANSWER = "<<<CANDIDATE_RESPONSE>>>"

---Has the rubric of this sample no place for the answer?
---@param sample lre.Sample
function row.is_placeless(sample)
  local rubric = sample.metadata and sample.metadata.judge_prompt
  return type(rubric) == "string" and not rubric:find(ANSWER, 1, true)
end

---A sample of what was read. `loose` keys are those that went to metadata though they look like a known one.
---@param source table as parsed or as a generator gave it
---@param from_lua boolean? it is a script's own table, which is copied
---@param with_rubric boolean? it must be a test that brings its own rubric
---@return lre.Sample? sample, { field: string?, detail: string }[]? problems, string[]? loose
function row.normalise(source, from_lua, with_rubric)
  local out = {}
  if type(source) ~= "table" or json.is_array(source) then
    problem(out, nil, "expected an object, got " .. (type(source) == "table" and "a list" or shape.show(source)))
    return nil, out
  end
  local sample = not with_rubric and common(source)
  if sample then
    return sample
  elseif from_lua then
    local ok, copy = pcall(deep_copy, source, 1)
    if not ok then
      problem(out, nil, tostring(copy))
      return nil, out
    end
    source = copy
  end
  local unknown = unknown_keys(source)
  if #unknown > 0 and not with_rubric and not is_open(source) then
    for _, key in ipairs(unknown) do
      problem(out, key, shape.unknown_key(key, row.fields))
    end
  end
  check_fields(source, out)
  if with_rubric then
    check_alignment(source, out)
  end
  local given_id = one_of(source, ids, true, out)
  out.id = given_id ~= nil and tostring(given_id) or nil -- told twice also where something else is wrong
  local prompt, word = one_of(source, prompts, true, out)
  local system = one_of(source, systems, false, out)
  local metadata = collect_metadata(source, unknown, out)
  if #out > 0 then
    return nil, out
  end
  check_generated(prompt, word, out)
  if #out > 0 then
    return nil, out
  end
  local list = collect_messages(prompt, system, word)
  check_turns(list, word, out)
  if #out > 0 then
    return nil, out
  end
  return {
    id = tostring(given_id),
    messages = list,
    category = present(source.category),
    subcategory = present(source.subcategory),
    target = present(source.target),
    metadata = metadata,
  }, nil, unknown
end

---' Did you mean "category"?' for a key that went to metadata, or "".
function row.suspicion(key)
  return suggest.sentence(key, row.fields)
end

return row
