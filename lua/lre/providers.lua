--- What is known about providers and their models, as tables: the file to edit when a new model wants it otherwise.
local catalog = require "lre.catalog"
local http = require "lre.http"
local suggest = require "lre.suggest"

local providers = {}

--- A model's name without an adapter in front: the first pattern (a Lua pattern) that matches decides.
providers.patterns = {
  { "^gpt%-", "openai" },
  { "^chatgpt%-", "openai" },
  { "^o[134]%f[%W]", "openai" },
  { "^claude%-", "anthropic" },
  { "^gemini%-", "gemini" },
  { "^fake%-", "fake" },
}

--- The variable with a provider's key, for adapters that are not opened (which providers could be meant?).
providers.keys = {
  openai = "OPENAI_API_KEY",
  anthropic = "ANTHROPIC_API_KEY",
  gemini = "GEMINI_API_KEY",
  openrouter = "OPENROUTER_API_KEY",
}

-- Reasoning models of OpenAI take the sampling parameters at their defaults only.
local reasoning = {
  rename = { max_tokens = "max_completion_tokens" },
  drop = { "temperature", "top_p", "presence_penalty", "frequency_penalty" },
}

--- By adapter: models that take parameters under another name, or not at all. The first pattern that matches the id
--- counts. What is missing here is learned from a 400 (retry.named_parameter).
providers.quirks = {
  openai = {
    { "^gpt%-5[%w.-]*%-chat", { rename = { max_tokens = "max_completion_tokens" } } },
    { "^gpt%-5", reasoning },
    { "^o[134]%f[%W]", reasoning },
  },
}

--- The quirks of a model, `{ rename?, drop? }`; empty where none are known.
function providers.quirk(adapter, id)
  for _, row in ipairs(providers.quirks[adapter] or {}) do
    if id:find(row[1]) then return row[2] end
  end
  return {}
end

local function installed()
  local names = {}
  for _, entry in ipairs(catalog.list "adapters") do
    if names[#names] ~= entry.name then names[#names + 1] = entry.name end
  end
  return names
end

local function contains(list, word)
  for _, item in ipairs(list) do
    if item == word then return true end
  end
  return false
end

local function by_pattern(name)
  for _, row in ipairs(providers.patterns) do
    if name:find(row[1]) then return row[2] end
  end
end

-- Only then can vendor/name mean a router: another key might be for the vendor itself, another name a slip.
local function only_openrouter_key()
  for adapter, env in pairs(providers.keys) do
    local set = http.load_key(env)
    if (set or false) ~= (adapter == "openrouter") then return false end
  end
  return true
end

local function refuse(name, names, first)
  local hint = first and suggest.sentence(first, names) or ""
  if first and hint == "" then
    hint = (" openrouter takes such names: write openrouter/%s, or set OPENROUTER_API_KEY and no other provider's key.")
      :format(name)
  end
  error({
    exit = 3,
    message = ('model "%s": no adapter is known for this name.%s Installed: %s. '
      .. "Write ADAPTER/ID or pass --adapter NAME."):format(name, hint, table.concat(names, ", ")),
  }, 0)
end

local function present(adapter, name, names)
  if contains(names, adapter) then return adapter end
  error({
    exit = 3,
    message = ('model "%s" needs the adapter "%s", which is not installed. Installed: %s. Pass --adapter NAME, or '
      .. "put %s.lua into ./adapters."):format(name, adapter, table.concat(names, ", "), adapter),
  }, 0)
end

-- The part behind "adapter/", where the name has that adapter in front.
local function without(name, adapter)
  local prefix = tostring(adapter) .. "/"
  return name:sub(1, #prefix) == prefix and #name > #prefix and name:sub(#prefix + 1) or name
end

--- Which adapter serves a model's name, the id that is left for it, and why: in the order --adapter, the roster's
--- provider, a first part that is an adapter's name, the name's pattern, OpenRouter where only its key is there.
--- `wish` is --adapter or the roster's provider (a name or a path); `rostered` says that the name comes from a roster.
--- Raises { exit = 3 } with the candidates.
function providers.choose(name, wish, rostered)
  if wish then return wish, without(name, wish), "as asked" end
  local names = installed()
  local first = name:match "^([^/]+)/."
  if first and contains(names, first) then return first, without(name, first), "by the name's first part" end
  local matched = by_pattern(name)
  if matched then return present(matched, name, names), name, "by the name's pattern" end
  local alone = first and suggest.sentence(first, names) == "" and only_openrouter_key()
  if rostered or alone then
    return present("openrouter", name, names), name, rostered and "a roster's default" or "only its key is set"
  end
  return refuse(name, names, first)
end

return providers
