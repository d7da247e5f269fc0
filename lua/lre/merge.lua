-- merge: runs of one plan, asked on several machines or in shards, as one run. A good answer is never given up for an
-- error; of two good answers to one trial the first is kept, with its own verdicts.
local diff = require "lre.diff"
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local rundir = require "lre.rundir"
local salvage = require "lre.salvage"
local set = require "lre.set"
local shape = require "lre.shape"

local merge = {}

local fail = shape.stop

local function open_all(paths)
  local runs = {}
  for i, path in ipairs(paths) do
    local dir = rundir.at(path)
    if not dir.old or not dir.old.inputs or not dir.old.files then
      fail(3, "%s; `lre salvage` makes it again", dir.lost or path .. "/run.json: it does not say what was run")
    end
    runs[i] = dir
  end
  return runs
end

-- What must be equal: the plan, and by it the hashes of suites, judges, personas, models and parameters.
local function check_alike(runs)
  for i = 2, #runs do
    diff.each(runs[1].old.plan, runs[i].old.plan, "plan", function(field, a, b)
      fail(3, "%s and %s are of two plans: %s differs\n  %s\n  %s", runs[1].path, runs[i].path, field, diff.show(a),
        diff.show(b))
    end)
  end
end

local function without_shard(text)
  local bare = text and text:gsub("%[shard %d+/%d+%]", "")
  return bare ~= "" and bare or nil
end

-- The inputs of the whole: those of the run that planned the most, as if it had been asked at once.
local function inputs_of(runs)
  local best, planned
  for _, dir in ipairs(runs) do
    local inputs = dir.old.inputs
    local all = inputs.shard and inputs.shard.of or inputs.planned
    if not planned or all > planned then best, planned = inputs, all end
  end
  local inputs = assert(json.decode(assert(json.encode(best)), { max_bytes = 1 << 30 }))
  inputs.shard, inputs.planned = nil, planned
  for _, suite in ipairs(inputs.suites) do
    suite.sampled, suite.title = without_shard(suite.sampled), without_shard(suite.title)
  end
  return inputs
end

-- Suites that were cut by --limit have sample lists of several lengths: the longest has them all.
local function copy_inputs(runs, into)
  local files, there, size = json.array {}, {}, {}
  for _, dir in ipairs(runs) do
    for _, entry in ipairs(dir.old.files) do
      local text, err = fs.read(dir.path .. "/" .. entry.file, 1 << 30)
      if not text then fail(4, "%s/%s: %s", dir.path, entry.file, tostring(err)) end
      local name = entry.kind .. "\0" .. entry.name
      if not there[name] or #text > size[name] then
        local at = there[name] or #files + 1
        files[at], there[name], size[name] = entry, at, #text
      end
      local ok, why = fs.write(into.path .. "/" .. entry.file, text)
      if not ok then fail(4, "%s: %s", into.path, tostring(why)) end
    end
  end
  return files
end

local FIELDS = { "type", "key", "response.error.kind" }

local function in_any(sets, key)
  for _, one in ipairs(sets) do
    if one:has(key) then return true end
  end
  return false
end

-- Copies a journal's lines as they are. `good`: keys with a good answer in any run; `taken`: for each run before, the
-- keys whose answers it gave. Returns those of this run, and how many answers were there already.
local function copy_journal(dir, into, good, taken)
  local lines, mine, left = fs.lines(dir.journal_path, 1 << 30), set.new(), set.new()
  local again, at, line = 0, 0, nil
  for row, number in dir:scan(FIELDS, function(number, err)
    log.warning(("%s:%d: left out: %s"):format(dir.journal_path, number, tostring(err)))
  end) do
    while at < number do line, at = lines(), at + 1 end
    local keep = not left:has(row.key) -- verdicts follow the answers that they are about
    if row.type == "trial" and row["response.error.kind"] then
      keep = not good:has(row.key)
    elseif row.type == "trial" and in_any(taken, row.key) then
      keep, again = false, again + 1
      left:add(row.key)
    elseif row.type == "trial" then
      mine:add(row.key)
    end
    if keep then into:append(line) end
  end
  return mine, again
end

---Joins run folders into a new one. Returns { path, results, again (answers that another run had given already) }.
function merge.run(paths, out)
  if fs.stat(out) then fail(3, "%s: is there already; a merge makes a new run", out) end
  local runs = open_all(paths)
  check_alike(runs)
  local parent, id = out:gsub("(.)/+$", "%1"):match "^(.*)/([^/]+)$"
  local into = rundir.open(parent == "" and "/" or parent or ".", id or out)
  local good, taken, again = set.new(), {}, 0
  for _, dir in ipairs(runs) do
    for row in dir:scan(FIELDS) do
      if row.type == "trial" and not row["response.error.kind"] then good:add(row.key) end
    end
  end
  local files = copy_inputs(runs, into)
  local first = runs[1].old
  first.flags = type(first.flags) == "table" and first.flags or {}
  first.flags.shard = nil
  into:describe(first.plan, inputs_of(runs), first.flags, files)
  for i, dir in ipairs(runs) do
    local mine, n = copy_journal(dir, into, good, taken)
    taken[i], again = mine, again + n
  end
  into:flush()
  into.old = { plan = first.plan, inputs = inputs_of(runs), files = files }
  local done = salvage.derive(into, into.old)
  for _, dir in ipairs(runs) do dir:close() end
  into:close()
  return { path = into.path, results = done.results, again = again }
end

return merge
