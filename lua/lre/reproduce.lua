-- reproduce: from what a run (or a results.json) says of its inputs to the command that makes it again, to what the
-- present tree would change, and to a second run that is held against the first.
local aggregate = require "lre.aggregate"
local defaults = require "lre.defaults"
local diff = require "lre.diff"
local experiment = require "lre.experiment"
local fs = require "lre.fs"
local json = require "lre.json"
local platform = require "lre.platform"
local recorded = require "lre.recorded"
local results = require "lre.results"
local rundir = require "lre.rundir"
local shape = require "lre.shape"
local suite = require "lre.suite"
local text = require "lre.text"

local reproduce = {}

-- Flags of the first run that are no input of its results: where files lay, how fast, how loud.
local NOT_INPUT = { run_dir = true, run_id = true, fresh = true, quiet = true, verbose = true, log_level = true,
  out = true, dump_raw = true, cache = true, offline = true, dry_run = true, json = true, expect = true,
  score_now = true, cache_allow_nondeterministic = true }

-- ---- settings ----

local present = shape.present

-- "brevity:max_words=30,as=b30" of an entry in inputs.judges. `path`: where the judge was named by its file.
local function judge_spec(entry, path)
  local name, parts = path or entry.file or entry.name, {}
  for _, option in ipairs(shape.keys(entry.options or {})) do
    parts[#parts + 1] = ("%s=%s"):format(option, tostring(entry.options[option]))
  end
  if entry.file or path then parts[#parts + 1] = "as=" .. entry.name end
  return #parts > 0 and name .. ":" .. table.concat(parts, ",") or name
end

-- The file of a judge that no name finds. Shown paths leave the project's folder and the installed one out.
local function path_of(entry)
  local path = entry.source and entry.source.path
  if not path or path:find "^judges/[^/]+$" then return nil end
  for _, place in ipairs { path, platform.share_dir .. "/" .. path } do
    if place:find("/", 1, true) and fs.stat(place) then return place end
  end
end

-- Those that the run began with; where it does not say that, all.
local function first_judges(info)
  return info.plan and info.plan.judges or info.inputs.judges
end

-- Judges that spoke later (`lre judge`) are asked at once when the run is made again.
local function with_later_judges(info, judges)
  local planned, out = {}, json.array {}
  for _, one in ipairs(first_judges(info)) do planned[one.name] = true end
  local later = {}
  for _, entry in ipairs(info.inputs.judges) do
    if not planned[entry.name] then
      later[#later + 1] = judge_spec(entry, path_of(entry))
    end
  end
  if #later == 0 then return judges end
  if #judges == 0 then -- the suites' own
    for _, one in ipairs(first_judges(info)) do
      for _, entry in ipairs(info.inputs.judges) do
        if entry.name == one.name then out[#out + 1] = judge_spec(entry) end
      end
    end
  end
  table.move(judges, 1, #judges, #out + 1, out)
  return table.move(later, 1, #later, #out + 1, out), true
end

local function from_flags(info, path)
  local out = {}
  recorded.flags(info.flags, path)
  for _, e in ipairs(defaults.list "run") do
    if not NOT_INPUT[e.name] then out[e.name] = present(info.flags[e.name]) end
  end
  local judges, later = with_later_judges(info, out.judge or {})
  out.judge = judges
  if later then out.no_judge = nil end
  return out
end

local function common(list, field, what, path)
  local value = list[1] and list[1][field]
  for _, item in ipairs(list) do
    if diff.show(item[field]) ~= diff.show(value) then
      shape.fail(("%s: the models differ in %s (%s and %s), which one command cannot say; give the folder of the run")
        :format(path, what, diff.show(value), diff.show(item[field])))
    end
  end
  return present(value)
end

-- temperature and max_tokens are flags of their own; the seed is the run's.
local function take_params(out, params)
  out.param = json.array {}
  for _, name in ipairs(shape.keys(params or {})) do
    local value = params[name]
    if name == "temperature" or name == "max_tokens" then
      out[name] = value
    elseif name ~= "seed" or value ~= out.seed then
      out.param[#out.param + 1] = ("%s=%s"):format(name, type(value) == "string" and value
        or assert(json.encode(value)))
    end
  end
end

local function take_models(out, inputs, path)
  out.model = json.array {}
  for i, one in ipairs(inputs.models) do out.model[i] = one.label end
  out.adapter = common(inputs.models, "adapter", "the adapter", path)
  take_params(out, common(inputs.models, "params", "parameters", path))
  local options = common(inputs.models, "options", "options", path) or {}
  if out.adapter == "fake" then out.fake_refusal_rate = options.refusal_rate end
  out.base_url = common(inputs.models, "base_url", "the endpoint", path)
  if #inputs.models == 1 and inputs.models[1].label ~= inputs.models[1].id then
    out.model_id = inputs.models[1].id
  end
end

-- How many samples of each suite: drawn (the tag says so) or the first ones.
local function take_counts(out, inputs)
  local most = 0
  for i, one in ipairs(inputs.suites) do
    out.suite[i] = one.name
    local drawn = one.sampled and tonumber(one.sampled:match "sampled (%d+)/")
    out.sample = drawn and math.max(out.sample or 0, drawn) or out.sample
    most = math.max(most, one.count)
  end
  out.filter = present(inputs.filter)
  if out.sample or out.filter then return end
  for _, name in ipairs(out.suite) do
    local ok, checked = pcall(function() return suite.open(name):check() end)
    if ok and checked.count > most then out.limit = most end
  end
end

-- A run of an older version, or of a file, may have gone without the control arm.
local function take_control(out, inputs)
  out.no_control = #inputs.personas > 0 or nil
  for _, one in ipairs(inputs.personas) do
    if one.name == "none" then out.no_control = nil end
  end
end

local function from_results(inputs, path)
  local out = { suite = json.array {}, judge = json.array {}, persona = json.array {}, seed = inputs.seed,
    repeats = inputs.repeats }
  take_models(out, inputs, path)
  for i, one in ipairs(inputs.personas) do out.persona[i] = one.name end
  for i, entry in ipairs(inputs.judges) do out.judge[i] = judge_spec(entry) end
  take_counts(out, inputs)
  return out
end

-- How the models were talked to is said although their names had decided.
local function take_adapter(out, inputs)
  if out.adapter or #(out.models or {}) > 0 or #inputs.models == 0 then return end
  for _, one in ipairs(inputs.models) do
    if one.adapter ~= inputs.models[1].adapter then return end
  end
  out.adapter = inputs.models[1].adapter
end

-- A results file has a judge's endpoint and parameters only in its inputs.
local function take_judge_params(out, model)
  out.judge_base_url = present(model.base_url)
  out.judge_param = json.array {}
  for _, name in ipairs(shape.keys(model.params or {})) do
    local value = model.params[name]
    out.judge_param[#out.judge_param + 1] = ("%s=%s"):format(name, type(value) == "string" and value
      or assert(json.encode(value)))
  end
end

-- The run's flags know nothing of a judge that came with `lre judge`: where it was asked stands in the inputs alone.
local function spoke_later(info, entry)
  for _, one in ipairs(first_judges(info)) do
    if one.name == entry.name then return false end
  end
  return true
end

-- Who judged is said although the environment had named it.
local function take_judge_model(out, inputs, info)
  for _, entry in ipairs(inputs.judges) do
    local asked = entry.asks and entry.asks.model
    if asked and not out.judge_model and not table.concat(out.judge, " "):find "[:,]model=" then
      out.judge_model = asked.label
      out.judge_repeats = out.judge_repeats or entry.asks.votes
      if not info or spoke_later(info, entry) then take_judge_params(out, asked) end
    end
  end
end

---What `lre run` must be told to make this run again: a table of flags.
---@param source table see lre.source
function reproduce.settings(source)
  if source.inputs.imported then
    shape.fail(("%s: it was imported: this tool did not make it and cannot make it again"):format(source.path))
  end
  local out = source.info and source.info.flags and from_flags(source.info, source.path .. "/run.json")
    or from_results(source.inputs, source.path)
  take_adapter(out, source.inputs)
  take_judge_model(out, source.inputs, source.info)
  take_control(out, source.inputs)
  return out
end

-- ---- the command ----

-- What a terminal would not show as it is (and what is no UTF-8) stands as octal bytes: a copy is the word itself.
local function quote(word)
  word = tostring(word)
  if word:find "^[%w_./:=,@%%+-]+$" then return word end
  if text.terminal(word) ~= word then
    return "$'" .. word:gsub("[^%w_./:=,@%%+ -]", function(c) return ("\\%03o"):format(c:byte()) end) .. "'"
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function is_default(e, value)
  return value == nil or value == false or value == e.default
    or math.type(value) and math.type(e.default) and value == e.default
end

local SHORT = { integer = true, number = true, string = true }

local function number(value)
  return math.type(value) == "float" and ("%.17g"):format(value):gsub("^(.*)$", function(long)
    local short = ("%.15g"):format(value)
    return tonumber(short) == value and short or long
  end) or tostring(value)
end

---The words of the command, shell-quoted: "lre run --suite ... --model ...".
---@return string
function reproduce.command(settings)
  local words = { "lre run" }
  for _, e in ipairs(defaults.list "run") do
    local value = settings[e.name]
    if type(value) == "table" then
      for _, item in ipairs(value) do words[#words + 1] = e.flag .. " " .. quote(item) end
    elseif e.type == "flag" and value then
      words[#words + 1] = e.flag
    elseif SHORT[e.type] and (e.name == "seed" or not is_default(e, value)) and value ~= nil then
      words[#words + 1] = e.flag .. " " .. quote(type(value) == "number" and number(value) or value)
    end
  end
  return table.concat(words, " \\\n  ")
end

-- ---- the present tree ----

local function complete(settings)
  local out = {}
  for _, e in ipairs(defaults.list "run") do
    local value = settings[e.name]
    if value == nil then value = e.default end
    if value == nil and (e.type == "words" or e.type == "specs" or e.type == "list") then value = {} end
    out[e.name] = value
  end
  return out
end

local WHAT = {
  suites = { "name", "hash", "count", "sampled" }, judges = { "name", "hash", "kind", "labels" },
  personas = { "name", "hash" },
  models = { "label", "adapter", "id", "base_url", "params", "options", "adapter_hash" },
}

local function only(entry, fields)
  local out = {}
  for _, field in ipairs(fields) do out[field] = entry and present(entry[field]) end
  return out
end

---What making it again now would change: a list of { field, was, is }. `plan` is made from the same settings.
---@return table[]
function reproduce.changes(source, plan)
  local now, out = results.inputs(plan), {}
  local function add(field, was, is) out[#out + 1] = { field = field, was = was, is = is } end
  for _, list in ipairs { "suites", "judges", "models", "personas" } do
    local name = list == "models" and "label" or "name"
    diff.by_name(source.inputs[list], now[list], function(e) return e[name] end, function(who, was, is)
      local where = ("%s (%s)"):format(list, who)
      if not was or not is then return add(where, was and "there" or nil, is and "there" or nil) end
      diff.each(only(was, WHAT[list]), only(is, WHAT[list]), where .. ".", function(field, x, y)
        add(field:gsub("%.%.", "."), x, y)
      end)
    end)
  end
  for _, field in ipairs { "seed", "repeats", "version" } do
    if source.inputs[field] ~= now[field] then add(field, source.inputs[field], now[field]) end
  end
  return out
end

---The plan of these settings in the present tree; nothing is sent. Raises { exit = 2 | 3 | 4 }.
function reproduce.plan(settings)
  return experiment.from(complete(settings)):plan(true)
end

-- ---- doing it ----

local function same_rows(was, is, list, name_of)
  local found
  diff.by_name(was[list] or {}, is[list] or {}, name_of, function(name, x, y)
    if found then return end
    local where = ("%s (%s)"):format(list, name)
    if not x or not y then
      found = { field = where, was = x and "there", is = y and "there" }
      return
    end
    found = diff.list(x, y, where)[1]
  end)
  return found
end

local function row_name(row)
  return table.concat({ row.suite, row.model, row.persona, row.judge or row.inner .. " or " .. row.outer }, ", ")
end

-- What each trial was answered, as a hash by key.
local function answers_of(store)
  local out, counts = {}, aggregate.counting(store)
  local fields = { "type", "key", "judge_hash", "n", "response_hash", "response.text", "response.finish_reason",
    "response.error.kind", "response.error.code", "request_hash" }
  for row, line in store:scan(fields) do
    if row.type == "trial" and counts(row, line) then
      local failed = row["response.error.kind"]
      out[row.key] = { request = row.request_hash or nil, answer = failed and "error " .. tostring(failed) .. " "
        .. tostring(row["response.error.code"]) or rundir.response_hash(row["response.text"] or "",
        row["response.finish_reason"] or nil) }
    end
  end
  return out
end

local function first_answer(was, is)
  local keys = shape.keys(was)
  for _, key in ipairs(keys) do
    for _, field in ipairs { "request", "answer" } do
      local x, y = was[key][field], is[key] and is[key][field]
      if x ~= y then return { field = ("%s of trial %s"):format(field, key), was = x, is = y } end
    end
  end
end

---The first difference of two runs: { field, was, is }; nil where they are identical. Where both have a journal, each
---trial's request and answer too.
---@param was table see lre.source
---@param is table
function reproduce.difference(was, is)
  local x = assert(json.decode(assert(json.encode(was.results)), { max_bytes = 1 << 30 }))
  local y = assert(json.decode(assert(json.encode(is.results)), { max_bytes = 1 << 30 }))
  return same_rows(x, y, "rows", row_name) or same_rows(x, y, "joint", row_name)
    or was.store and is.store and first_answer(answers_of(was.store), answers_of(is.store))
    or diff.list(x, y, "results.json: ")[1]
end

---Runs it into a fresh folder: opt = { run_dir, run_id, cache, offline, on_start, progress }. Returns the Run.
function reproduce.exec(settings, opt)
  local all = complete(settings)
  all.run_dir, all.run_id, all.fresh = opt.run_dir, opt.run_id, true
  all.cache, all.offline, all.expect = opt.cache, opt.offline, {}
  return experiment.from(all):run { on_start = opt.on_start, progress = opt.progress }
end

---The version that made it, and this one.
function reproduce.versions(source)
  return source.inputs.version, platform.version
end

return reproduce
