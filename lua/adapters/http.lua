--- Any HTTP API that takes JSON and gives JSON, described by options instead of code (docs/adapter.md).
---
--- `body` is JSON in which a string "{{NAME}}" stands for a value and "... {{NAME}} ..." for a piece of text: model,
--- messages, prompt (the last user message), system, and every parameter (temperature, max_tokens, seed, ...). What a
--- request does not have leaves its member out. `text` and its like are JSON Pointers (RFC 6901) into the reply.
local lre = require "lre"
local json = require "lre.json"
local retry = require "lre.retry"

local bigint = { bigint = "string" }

local finish_words = {
  stop = "stop", eos = "stop", eos_token = "stop", end_turn = "stop", stop_sequence = "stop", complete = "stop",
  length = "length", max_tokens = "length", model_length = "length",
  content_filter = "content_filter", safety = "content_filter", refusal = "refusal", tool_calls = "tool",
}

-- Options stand in run.json: what looks like a key must not be among them.
local function looks_secret(name)
  name = name:lower()
  for _, ending in ipairs { "key", "token", "secret", "password", "authorization", "cookie", "signature" } do
    if name:sub(-#ending) == ending then return true end
  end
  return false
end

-- The reply -----------------------------------------------------------------------------------------------------------

local function unescaped(token)
  return (token:gsub("~1", "/"):gsub("~0", "~"))
end

-- The value at a JSON Pointer, or nil.
local function at(value, pointer)
  for token in pointer:gmatch "/([^/]*)" do
    if type(value) ~= "table" then return nil end
    local index = token:match "^%d+$" and math.tointeger(tonumber(token))
    value = json.is_array(value) and (index and value[index + 1]) or value[unescaped(token)]
  end
  return value
end

local function number_at(data, pointer)
  local value = pointer ~= "" and at(data, pointer)
  return type(value) == "number" and value or nil
end

-- A text, or texts in a list: "/output/0/content" may hold parts.
local function text_at(data, pointer)
  local value = at(data, pointer)
  if type(value) == "string" then return value end
  local pieces = {}
  for i, part in ipairs(type(value) == "table" and json.is_array(value) and value or {}) do
    local text = type(part) == "table" and part.text or part
    if type(text) ~= "string" then return nil end
    pieces[i] = text
  end
  return pieces[1] and table.concat(pieces)
end

local function finish_at(data, pointer)
  local word = pointer ~= "" and at(data, pointer)
  return type(word) == "string" and finish_words[word:lower()] or "other"
end

-- The request ---------------------------------------------------------------------------------------------------------

local function text_of(content)
  if type(content) == "string" then return content end
  local pieces = {}
  for _, part in ipairs(content) do pieces[#pieces + 1] = part.text end
  return table.concat(pieces, "\n")
end

local function values_of(model, messages, params)
  local values, system = {}, {}
  for name, value in pairs(params) do values[name] = value end
  for _, message in ipairs(messages) do
    if message.role == "system" then system[#system + 1] = text_of(message.content) end
    if message.role == "user" then values.prompt = text_of(message.content) end
  end
  values.system = system[1] and table.concat(system, "\n\n") or nil
  values.model, values.messages = model.id, messages
  return values
end

local function word(value)
  if value == nil then return "" end
  return type(value) == "string" and value or assert(json.encode(value))
end

-- What is put in is never read as a template again.
local function filled(template, values)
  if type(template) == "string" then
    local whole = template:match "^{{([%w_]+)}}$"
    if whole then return values[whole] end
    return (template:gsub("{{([%w_]+)}}", function(name) return word(values[name]) end))
  elseif type(template) ~= "table" then
    return template
  end
  local out = {}
  if json.is_array(template) then
    for _, value in ipairs(template) do out[#out + 1] = filled(value, values) end
    return json.array(out)
  end
  for key, value in pairs(template) do out[key] = filled(value, values) end
  return out
end

-- "Name: value" in the options; a key belongs into a variable.
local function header(line)
  local name, value = line:match "^%s*([%w-]+)%s*:%s*(.-)%s*$"
  if not name then return nil, "headers: expected NAME: VALUE" end
  if looks_secret(name) then
    return nil, ("headers: %s would hold a key: name its variable with api_key_env (--api-key-env), and this header "
      .. "with the option key_header"):format(name)
  end
  return name, value
end

local function headers_of(list)
  local out = {}
  for _, line in ipairs(list) do
    local name, value = header(line)
    out[name] = value
  end
  return out
end

local function check(opt)
  for _, name in ipairs { "text", "finish", "input_tokens", "output_tokens", "error" } do
    local pointer = opt[name]
    if pointer ~= "" and pointer:sub(1, 1) ~= "/" then
      return ('%s: expected a JSON Pointer such as /choices/0/message/content, got "%s"'):format(name, pointer)
    end
  end
  if opt.base_url == "" then return "base_url is not given (--base-url): it is the API's whole URL" end
  if opt.text == "" then return "text is not given: it says where in the reply the answer is, such as /output/text" end
  local body, err = json.decode(opt.body)
  if type(body) ~= "table" then return "body: expected a JSON object" .. (err and ": " .. err.message or "") end
  for _, line in ipairs(opt.headers) do
    local name, why = header(line)
    if not name then return why end
  end
  for name in opt.path:gmatch "[?&]([^=&]+)=" do
    if looks_secret(name) then
      return ("path: %s would hold a key: name its variable with api_key_env, its header with key_header"):format(name)
    end
  end
end

return lre.adapter {
  name = "http",
  summary = "any JSON API, described by options: URL, headers, body template, path of the text",
  auth = function(opt) return { header = opt.key_header, prefix = opt.key_prefix } end,
  options = {
    base_url = { "", "the API's URL" },
    path = { "", "what follows the URL, such as ?version=2" },
    method = { "POST", "HTTP method", one_of = { "POST", "PUT" } },
    headers = { {}, "NAME: VALUE, a list" },
    key_header = { "Authorization", "the header that takes the key of api_key_env" },
    key_prefix = { "Bearer ", "what stands before the key" },
    body = { '{"model":"{{model}}","messages":"{{messages}}","temperature":"{{temperature}}",'
      .. '"max_tokens":"{{max_tokens}}"}', "the request's JSON, with {{NAME}} for what changes", json = true },
    text = { "/choices/0/message/content", "JSON Pointer to the answer" },
    finish = { "", "JSON Pointer to why it ended" },
    input_tokens = { "", "JSON Pointer to the number of tokens read" },
    output_tokens = { "", "JSON Pointer to the number of tokens written" },
    error = { "", "JSON Pointer to the sentence of an error; where it is a text, the reply is an error" },
  },
  check = check,
  request = function(model, messages, params, opt)
    return { method = opt.method, path = opt.path, headers = headers_of(opt.headers),
      json = filled(assert(json.decode(opt.body)), values_of(model, messages, params)) }
  end,
  response = function(status, _, body, opt)
    local data, err = json.decode(body, bigint)
    if type(data) ~= "table" then return nil, retry.bad_reply(status, body, err) end
    local said = opt.error ~= "" and at(data, opt.error)
    if type(said) == "string" and said ~= "" then return nil, retry.provider_error(status, said) end
    if status >= 300 then return nil, retry.told_error(status, data) end
    local text = text_at(data, opt.text)
    if not text then return nil, retry.bad_reply(status, nil, "the reply has no text at " .. opt.text) end
    return { text = text, finish_reason = finish_at(data, opt.finish),
      usage = { input_tokens = number_at(data, opt.input_tokens), output_tokens = number_at(data, opt.output_tokens) } }
  end,
}
