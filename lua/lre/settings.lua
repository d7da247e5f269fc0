-- settings: where the value of a flag comes from where the command line does not say it. In this order: the flag, its
-- LRE_* variable, the second seed's variable, the roster (per model), lre.project.lua, the default.
local catalog = require "lre.catalog"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local platform = require "lre.platform"
local shape = require "lre.shape"
local suggest = require "lre.suggest"

local settings = {}

settings.PROJECT_FILE = "lre.project.lua"
local ENV_FILE = ".env"

-- The second seed's names for flags of ours.
local SEED = {
  concurrency = "BENCH_CONCURRENCY", timeout_total = "BENCH_TIMEOUT_S", retries = "BENCH_MAX_RETRIES",
  judge_model = "OPENROUTER_SCORER_MODEL", log_level = "LOG_LEVEL",
}

-- Those that speak of one adapter's models only.
local SEED_OF_ADAPTER = {
  openrouter = { base_url = "OPENROUTER_BASE_URL", rate_limit_rps = "OPENROUTER_MODEL_RPS",
    rate_limit_burst = "OPENROUTER_MODEL_BURST" },
}

-- What other programs mean by LOG_LEVEL.
local LEVELS = { WARN = "WARNING", CRITICAL = "ERROR", FATAL = "ERROR", TRACE = "DEBUG" }

-- LRE_* that are no flag: the folders of catalog and of the installation, and what this project's tests are told.
local NO_FLAG = {}
for _, name in ipairs { "PATH", "HOME", "SHARED", "NGINX_PORT", "COVERAGE", "ALL_POINTS", "UPDATE", "UPDATE_GOLDEN",
  "PYTHON", "FAULT", "TEMPLATES" } do
  NO_FLAG["LRE_" .. name] = true
end

---A script may say the plural.
settings.PLURAL = { suites = "suite", personas = "persona", judges = "judge", dataset = "suite" }
local LISTS = { words = true, specs = true, list = true }

local function fail(message, ...)
  error({ exit = 3, message = message:format(...) }, 0)
end

---The variable of a flag: "LRE_MAX_TOKENS" of max_tokens. nil for --path: LRE_PATH is a list of folders of its own.
function settings.variable(e)
  return e.name ~= "path" and "LRE_" .. e.name:upper() or nil
end

-- ---- the environment and .env ----

local from_file

-- Read once, before anything looks at the environment.
local function read_env_file()
  if from_file then return end
  from_file = {}
  local names, err = platform.load_env(ENV_FILE)
  if not names then fail("%s", err.message) end
  for _, name in ipairs(names) do from_file[name] = true end
end

-- Set and not empty.
local function variable(name)
  local value = platform.getenv(name)
  return value and value ~= "" and value or nil
end

local function origin(name)
  return from_file[name] and name .. " in " .. ENV_FILE or name
end

local TRUTH = { ["1"] = true, ["true"] = true, yes = true, on = true, ["0"] = false, ["false"] = false, no = false,
  off = false }

-- A variable's text as the flag's value. `list` values may hold commas: there a line each.
local function read_text(e, text, name)
  if e.type == "flag" then
    local value = TRUTH[text:lower()]
    if value == nil then fail('%s: expected true or false, got "%s"', name, text) end
    return value
  end
  if e.type == "list" then
    local out = {}
    for line in text:gmatch "[^\n]+" do out[#out + 1] = line end
    return out
  end
  if LISTS[e.type] then return e.type == "words" and defaults.words { text } or defaults.specs { text } end
  local value, why = defaults.read(e, text, name)
  if value == nil then fail("%s", why) end
  return value
end

local function from_variables(e)
  local name = settings.variable(e)
  local text = name and variable(name)
  if text then return read_text(e, text, origin(name)), origin(name) end
  name = SEED[e.name]
  text = name and variable(name)
  if not text then return nil end
  if e.name == "log_level" then text = LEVELS[text:upper()] or text end
  if e.name == "judge_model" then text = "openrouter/" .. text end
  return read_text(e, text, origin(name)), origin(name)
end

---What the seed's variables say of an adapter's models: values by flag, and where each comes from.
---@param adapter string
---@return table<string, any> values, table<string, string> origins
function settings.of_adapter(adapter)
  read_env_file()
  local values, origins = {}, {}
  for name, var in pairs(SEED_OF_ADAPTER[adapter] or {}) do
    local text = variable(var)
    if text then values[name], origins[name] = read_text(defaults.entry(name), text, origin(var)), origin(var) end
  end
  return values, origins
end

-- ---- lre.project.lua ----

---A value that a script gives for a flag, checked: lists may be one string. Raises { exit = 3 } with `where` in front.
function settings.check(e, value, where)
  if e.type == "integer" or e.type == "number" then
    local number = e.type == "integer" and math.tointeger(value) or e.type == "number" and type(value) == "number"
      and value
    if not number or number < e.min or number > (e.max or math.huge) then
      fail("%s%s: expected %s, got %s", where, e.name, defaults.range(e), shape.show(value))
    end
    return number
  end
  if LISTS[e.type] then return type(value) == "table" and value or { value } end
  local kind = e.type == "flag" and "boolean" or "string"
  if type(value) ~= kind then fail("%s%s: expected %s, got %s", where, e.name, kind, shape.show(value)) end
  if not e.choices then return value end
  local read, why = defaults.read(e, value, where .. e.name)
  return read or fail("%s", why)
end

-- A table has no lines: the first that gives the field a value is where to look.
local function line_of(source, field)
  local number = 0
  for line in (source .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if line:find("%f[%w_]" .. field .. "%s*=") then return number end
  end
end

local function where_in(chunk, field)
  local line = line_of(chunk.source, field)
  return ("%s:%s"):format(chunk.name, line and line .. ": " or " ")
end

local project

-- { values = { flag = value }, params }, read once.
local function read_project()
  if project then return project end
  project = { values = {} }
  if not fs.stat(settings.PROJECT_FILE) then return project end
  local chunk = catalog.chunk(settings.PROJECT_FILE)
  local given = catalog.run(chunk)
  if type(given) ~= "table" then
    fail("%s: expected a table of settings: return { concurrency = 4, ... }, got %s", chunk.name, shape.show(given))
  end
  for _, field in ipairs(shape.keys(given)) do
    local e = defaults.entry(field == "models" and "model" or settings.PLURAL[field] or field)
    if field == "params" and type(given.params) == "table" then
      project.params = require("lre.params").check(given.params, where_in(chunk, field) .. field)
    elseif not e then
      local known = defaults.names()
      known[#known + 1] = "params"
      fail("%sunknown setting %s.%s", where_in(chunk, field), shape.quote(field), suggest.sentence(field, known))
    else
      project.values[e.name] = settings.check(e, given[field], where_in(chunk, field))
    end
  end
  return project
end

---Decoding parameters that lre.project.lua gives, or nil.
function settings.project_params()
  return read_project().params
end

-- ---- all of them ----

local function given(value)
  return value ~= nil and not (type(value) == "table" and #value == 0)
end

local function distance(from)
  if from == "flag" then return 1 end
  return from == "default" and 4 or from == settings.PROJECT_FILE and 3 or 2
end

-- --model and --models are two words for one thing: the nearer one is meant.
local function one_kind_of_models(args, from)
  local a, b = distance(from.model), distance(from.models)
  local farther = a > b and "model" or a < b and "models"
  if farther and from[farther] ~= "default" then args[farther], from[farther] = nil, "default" end
end

local ASKS = { run = true, judge = true }

---Fills in what `args` does not say, from variables, the project's file and the defaults. Returns where each value
---comes from: "flag", a variable, "lre.project.lua" or "default"; it is kept in args.from too.
---@param args table
---@param command string
---@return table<string, string>
function settings.fill(args, command)
  read_env_file()
  local file, from = read_project().values, {}
  for _, e in ipairs(defaults.list(command)) do
    local name = e.name
    if given(args[name]) then
      from[name] = "flag"
    else
      args[name], from[name] = from_variables(e)
      if from[name] == nil and given(file[name]) then
        args[name], from[name] = file[name], settings.PROJECT_FILE
      elseif from[name] == nil then
        args[name], from[name] = e.default, "default"
      end
    end
  end
  one_kind_of_models(args, from)
  if ASKS[command] then -- a bad number is said also where no model of that adapter is asked
    for _, adapter in ipairs(shape.keys(SEED_OF_ADAPTER)) do settings.of_adapter(adapter) end
  end
  args.from = from
  return from
end

---True where a value is nearer than a roster's: given by a flag, a script or a variable.
function settings.is_near(args, name)
  local from = args.from and args.from[name]
  if not from then -- made by hand
    local e = defaults.entry(name)
    return e and args[name] ~= nil and args[name] ~= e.default or false
  end
  return from ~= "default" and from ~= settings.PROJECT_FILE
end

---Variables that look like a setting's and are none: a slip must not go unseen. `{ name, hint }` each; without a name
---that is near (hint "") it is somebody else's.
---@return { name: string, hint: string }[]
function settings.strangers()
  local known, out = {}, {}
  for _, name in ipairs(defaults.names()) do known[#known + 1] = "LRE_" .. name:upper() end
  local set = {}
  for _, name in ipairs(known) do set[name] = true end
  for _, name in ipairs(platform.env_names "LRE_") do
    if not set[name] and not NO_FLAG[name] and not name:find "^LRE_TEST_" then
      out[#out + 1] = { name = name, hint = suggest.sentence(name, known) }
    end
  end
  table.sort(out, function(a, b) return a.name < b.name end)
  return out
end

return settings
