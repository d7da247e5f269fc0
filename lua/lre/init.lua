-- lre: what a script sees. Everything is loaded at its first use, so that starting stays fast.
local suggest

-- name -> { module, field }; without a field it is the module itself.
local parts = {
  -- what a script declares
  suite = { "lre.suite", "declare" },
  triplets = { "lre.triplets", "declare" },
  judge = { "lre.judge", "declare" },
  adapter = { "lre.adapter", "declare" },
  persona = { "lre.persona", "declare" },
  report = { "lre.report", "declare" },
  mock = { "lre.mock", "declare" },
  experiment = { "lre.experiment", "new" },
  options = { "lre.options", "declare" },
  -- a model to ask: lre.model("openai/gpt-4o-mini", { params = { temperature = 0 } }):chat(messages)
  model = { "lre.model" },
  -- tasks
  spawn = { "lre.sched", "spawn" },
  sleep = { "lre.sched", "sleep" },
  deadline = { "lre.sched", "deadline" },
  gate = { "lre.sched", "gate" },
  event = { "lre.sched", "event" },
  map = { "lre.map" },
  -- libraries
  json = { "lre.json" },
  regex = { "lre.regex" },
  stats = { "lre.stats" },
  hash = { "lre.hash" },
  clock = { "lre.clock" },
  csv = { "lre.csv" },
  text = { "lre.text" },
  schema = { "lre.schema" },
  composite = { "lre.composite" },
  fs = { "lre.fs" },
  http = { "lre.http" },
  process = { "lre.process" },
  version = { "lre.platform", "version" },
}

---@type lre an editor finds this file for `require "lre"`, not the stub
local lre = {}

local function names()
  local list = {}
  for name in pairs(parts) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local function load_part(_, name)
  local part = parts[name]
  if not part then
    suggest = suggest or require "lre.suggest"
    error(("lre has no %s.%s"):format(tostring(name), suggest.sentence(tostring(name), names())), 2)
  end
  local value = require(part[1])
  if part[2] then
    value = value[part[2]]
  end
  rawset(lre, name, value)
  return value
end

return setmetatable(lre, {
  __index = load_part,
  __newindex = function(_, name)
    error(("lre.%s: the engine's table cannot be changed by a script"):format(tostring(name)), 2)
  end,
  -- In sorted order, also what is not loaded yet.
  __pairs = function(self)
    local list, i = names(), 0
    return function()
      i = i + 1
      if list[i] then
        return list[i], self[list[i]]
      end
    end
  end,
})
