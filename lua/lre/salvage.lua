-- salvage: a run's index and derived files made again from its journal and inputs/ alone.
local clock = require "lre.clock"
local finals = require "lre.finals"
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local rejudge = require "lre.rejudge"
local results = require "lre.results"
local rundir = require "lre.rundir"
local timing = require "lre.timing"

local salvage = {}

-- run.json where it can be read, else what inputs/ says; that is written down as the new run.json.
local function description(dir)
  if dir.old and dir.old.inputs and dir.old.files then return dir.old, "run.json" end
  local kept = dir:kept_description()
  if not kept then
    error({ exit = 3, message = ("%s, and inputs/ does not say what was run; `lre run` with the run's flags and "
      .. "--run-id goes on with it"):format(dir.lost or dir.path .. "/run.json: it does not say what was run") }, 0)
  end
  local now = clock.iso(nil, false)
  dir.old = { schema = kept.schema, run_id = dir.id, plan = kept.plan, inputs = kept.inputs, files = kept.files,
    flags = {}, started_at = now, resumed_at = json.array {}, salvaged_at = now }
  dir:write_description(dir.old)
  return dir.old, "inputs/"
end

---The samples of a suite from the run's own copy.
---@param dir table a Run with its description
function salvage.samples_of(dir)
  return function(entry)
    local kept = rejudge.file_of(dir, "samples", entry.name)
    if not kept then
      error({ exit = 3, message = ("%s: the samples of suite %s are not in the run"):format(dir.path, entry.name) }, 0)
    end
    return dir:samples(kept:sub(#dir.path + 2))
  end
end

---Makes the derived files of an open Run whose description is `info`. Returns { results, left_out }.
function salvage.derive(dir, info)
  local left_out = 0
  local data = results.of(dir, info.inputs, salvage.samples_of(dir), nil, function(number, err)
    left_out = left_out + 1
    log.warning(("%s:%d: left out: %s"):format(dir.journal_path, number, tostring(err)))
  end)
  finals.write(dir, data)
  local counted = timing.new()
  counted:count(dir)
  dir:write("timing.json", assert(json.encode(counted:data(data.trials.recorded, 0), 2)))
  return { results = data, left_out = left_out }
end

---Makes them for the folder of a run. Returns { path, results, left_out, torn_bytes, from }.
function salvage.run(path)
  local dir = rundir.at(path)
  local info, from = description(dir)
  fs.remove(dir.path .. "/state.sqlite")
  local out = salvage.derive(dir, info)
  out.path, out.torn_bytes, out.from = dir.path, dir.torn_bytes, from
  dir:close()
  return out
end

return salvage
