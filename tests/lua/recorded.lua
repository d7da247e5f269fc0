-- recorded: results.json and run.json of other hands, each of their fields in turn something else than it should be.
local fs, json = require "lre.fs", require "lre.json"
local recorded = require "lre.recorded"
local process = require "lre.process"
local report = require "lre.report"
local reproduce = require "lre.reproduce"
local source = require "lre.source"
local status = require "lre.status"
local test = require "lre.unit"
local verify = require "lre.verify"

local RUN = test.root .. "/examples/data/fake-1b"
local OTHERS = { json.null, true, -1, "", json.array {}, { a = 1 } }

local function read(path) return assert(json.decode(assert(fs.read(path, 1 << 26)), { max_bytes = 1 << 26 })) end

-- Calls each(path, root) once for every field and value, with the value in the field's place.
local function with_each_field(root, others, each)
  local function walk(node, path)
    local keys = {}
    for key in pairs(node) do keys[#keys + 1] = key end
    for _, key in ipairs(keys) do
      local was = node[key]
      local here = path .. "." .. tostring(key)
      for _, value in ipairs(others) do
        node[key] = value
        each(here, root)
      end
      if type(key) == "string" then -- else the list would have a hole
        node[key] = nil
        each(here .. " (removed)", root)
      end
      node[key] = was
      if type(was) == "table" then walk(was, here) end
    end
  end
  walk(root, "")
end

-- It goes well, or says file and field with an exit code: anything else is a fault of ours.
local function says_so(where, file, ...)
  local ok, err = pcall(...)
  if ok then return 0 end
  test.ok(type(err) == "table" and err.exit, ("%s: %s"):format(where, tostring(err)))
  test.has(err.message, file)
  return 1
end

test("no_field_of_results_that_is_something_else_reaches_a_report", function()
  local refused = 0
  with_each_field(read(RUN .. "/results.json"), OTHERS, function(where, data)
    refused = refused + says_so(where, "r.json", function()
      for _, format in ipairs { "md", "csv" } do report.render(format, recorded.results(data, "r.json")) end
    end)
  end)
  test.ok(refused > 100, refused)
end)

test("no_field_of_run_json_that_is_something_else_reaches_the_figures", function()
  local folder, refused = test.folder(), 0
  assert(fs.write(folder .. "/partials.jsonl", assert(fs.read(RUN .. "/partials.jsonl", 1 << 26))))
  local info = read(RUN .. "/run.json")
  info.files = json.array { info.files[1] }
  with_each_field(info, { json.null, true }, function(where, data)
    assert(fs.write(folder .. "/run.json", assert(json.encode(data))))
    refused = refused + says_so(where, folder, function() report.render("md", source.open(folder).results) end)
  end)
  test.ok(refused > 100, refused)
end)

test("no_field_of_a_run_that_is_something_else_ends_in_a_traceback", function()
  local folder = test.folder() .. "/run"
  local function hold(where)
    says_so(where, "", function() status.text(status.of(folder)) end)
    says_so(where, "", function() verify.run(folder) end)
    says_so(where, "", function() reproduce.settings(source.open(folder)) end)
  end
  assert(process.run { "cp", "-r", RUN, folder })
  for _, name in ipairs { "run.json", "results.json" } do
    local path = folder .. "/" .. name
    local whole = assert(fs.read(path, 1 << 26))
    with_each_field(read(path), { json.array { 7 } }, function(where, data)
      assert(fs.write(path, assert(json.encode(data))))
      hold(name .. where)
    end)
    assert(fs.write(path, whole))
  end
end)

test("a_share_without_its_interval_and_an_unknown_primary_metric_are_named", function()
  local data = read(RUN .. "/results.json")
  data.rows[1].metrics[data.rows[1].primary].low = json.null
  test.raises(function() recorded.results(data, "r.json") end, "r.json: rows[1].metrics.")
  data = read(RUN .. "/results.json")
  data.rows[1].primary = "no such"
  test.raises(function() recorded.results(data, "r.json") end, "r.json: rows[1].primary: expected the name of one")
end)

test("flags_of_a_run_are_those_of_lre_run_before_they_are_run_again", function()
  test.raises(function() recorded.flags({ retries = "many" }, "run.json") end, "run.json: flags.retries: expected")
  test.raises(function() recorded.flags({ model = "fake/a" }, "run.json") end, "run.json: flags.model: expected")
  test.eq(recorded.flags({ model = { "fake/a" }, of_a_later_version = 1 }, "run.json").model, { "fake/a" })
end)
