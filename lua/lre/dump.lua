-- dump: the responses of a run as JSON lines, sorted by key: `lre run --dump-raw`. Holds a key and a place for each, no
-- response.
local aggregate = require "lre.aggregate"
local fs = require "lre.fs"
local json = require "lre.json"

local dump = {}

-- What is in a line: canonical, so no times, tries and request ids.
local FIELDS = { "key", "suite", "sample_id", "category", "subcategory", "target", "persona", "model", "repeat",
  "params",
  "request_hash" }
local ANSWER = { "text", "finish_reason", "usage", "model", "reasoning" }

-- The counting trials: keys in order, and the journal's line of each.
local function places(store)
  local counts, keys, line_of = aggregate.counting(store), {}, {}
  for row, number in store:scan { "type", "key", "judge_hash", "n", "response_hash" } do
    if row.type == "trial" and counts(row, number) then
      keys[#keys + 1] = row.key
      line_of[row.key] = number
    end
  end
  table.sort(keys)
  return keys, line_of
end

local function offsets_of(path)
  local offsets = {}
  for _, number, offset in fs.lines(path, 1 << 30) do offsets[number] = offset end
  return offsets
end

local function canonical(row)
  local out = { prompt_id = row.sample_id, response = {} }
  for _, field in ipairs(FIELDS) do out[field] = row[field] end
  local from = row.response
  for _, field in ipairs(ANSWER) do out.response[field] = from[field] end
  if from.error then
    out.response.error = { kind = from.error.kind, code = from.error.code, status = from.error.status }
  end
  return assert(json.encode(out)) .. "\n"
end

-- A function that writes to the file, and one that closes it.
local function sink(path)
  local function must(ok, err)
    if not ok then error({ exit = 4, message = ("%s: %s"):format(path, tostring(err)) }, 0) end
    return ok
  end
  if path == "-" then
    return function(line) must(fs.print("stdout", line)) end, function() end
  end
  local file = must(io.open(path, "w"))
  return function(line) must(file:write(line)) end, function() must(file:close()) end
end

---Writes all responses of a run folder to `path` ("-": standard output). Returns how many. Raises { exit = 4 }.
function dump.write(store, path)
  local keys, line_of = places(store)
  local offsets = offsets_of(store.journal_path)
  local journal = assert(io.open(store.journal_path, "rb"))
  local put, close = sink(path)
  for _, key in ipairs(keys) do
    journal:seek("set", offsets[line_of[key]])
    put(canonical(assert(json.decode(journal:read("l"), { bigint = "string", max_bytes = 1 << 30 }))))
  end
  journal:close()
  close()
  return #keys
end

return dump
