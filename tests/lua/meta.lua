-- The stubs in lua/meta against the modules, both ways: what has no stub, and what only a stub has.
local fs = require "lre.fs"
local platform = require "lre.platform"
local test = require "lre.unit"

local folder = test.folder()

-- How an object of each class is had; a class of functions that is neither here nor a module fails the test.
local objects = {}
objects["lre.Hasher"] = function()
  return require("lre.hash").new()
end
objects["lre.Random"] = function()
  return require("lre.mt19937").new(1)
end
objects["lre.Store"] = function()
  return require("lre.store").open()
end
objects["lre.Set"] = function()
  return require("lre.set").new()
end
objects["lre.Pattern"] = function()
  return require("lre.regex").new "x"
end
objects["lre.PatternSet"] = function()
  return require("lre.regex").set { x = "x" }
end
objects["lre.Journal"] = function()
  return require("lre.journal").open(folder .. "/partials.jsonl")
end
objects["lre.Task"] = function()
  return require("lre.sched").spawn(function() end)
end
objects["lre.Gate"] = function()
  return require("lre.sched").gate(1)
end
objects["lre.Place"] = function()
  return require("lre.sched").gate(1):enter()
end
objects["lre.Event"] = function()
  return require("lre.sched").event()
end
objects["lre.Sandbox"] = function()
  return assert(require("lre.sandbox").new { name = "@x.lua", source = "return {}" })
end
objects["lre.Server"] = function()
  return assert(require("lre.serve").open {})
end
objects["lre.Engine"] = function()
  return assert(require("lre.infer").open("tests/infer/models/qwen2", { threads = 1 }))
end
objects["lre.Suite"] = function()
  return require("lre.suite").open(require("lre.suite").declare { name = "x", samples = {} })
end
objects["lre.Judge"] = function()
  local path = folder .. "/j.lua"
  assert(fs.write(path, [[
local lre = require "lre"
return lre.judge { name = "j", version = "1", kind = "rule", labels = { "a" },
  judge = function() return { label = "a" } end }]]))
  return require("lre.judge").open(path)
end
objects["lre.Experiment"] = function()
  return require("lre.experiment").from {}
end
objects["lre.Model"] = function()
  return require("lre.model").resolve { name = "fake/fake-1b" }
end

-- A run is had by running one; its methods stand in a local of the module.
local function methods_of_run()
  local run = require("lre.experiment").from({}).run
  for i = 1, 255 do
    local name, value = debug.getupvalue(run, i)
    if name == "Run" then
      return value
    elseif not name then
      error "lre.experiment has no local Run any more: say here how its methods are had"
    end
  end
end

-- class -> { name = true } of a stub file: `---@class X`, `local x = {}`, then `function x.f(`, `x:f(` or `x.f =`.
local function read_stubs(path, classes)
  local of_local, pending = {}, nil
  for line in fs.lines(path) do
    pending = line:match "^%-%-%-@class ([%w_.]+)" or pending
    local name = line:match "^local ([%w_]+) = {}"
    if name then
      of_local[name] = pending
      classes[pending] = classes[pending] or {}
    end
    local owner, member = line:match "^function ([%w_]+)[.:]([%w_]+)%("
    if not owner then
      owner, member = line:match "^([%w_]+)%.([%w_]+) ="
    end
    if owner then
      assert(of_local[owner], path .. ": " .. line)
      classes[of_local[owner]][member] = true
    end
  end
  return classes
end

local function members(value)
  local names = {}
  local content = value
  if type(value) == "userdata" or debug.getmetatable(value) and type(debug.getmetatable(value).__index) == "table" then
    content = debug.getmetatable(value).__index
  end
  for name in pairs(content) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then
      names[name] = true
    end
  end
  return names
end

local function real(class)
  if class == "lre.Run" then
    return members(methods_of_run())
  elseif objects[class] then
    return members((objects[class]()))
  end
  return members(require(class))
end

local function missing(from, into)
  local list = {}
  for name in pairs(from) do
    if not into[name] then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return table.concat(list, " ")
end

local classes = {}
for _, file in ipairs(assert(fs.list(platform.lua_dir .. "/meta"))) do
  if file:find "%.lua$" then
    read_stubs(platform.lua_dir .. "/meta/" .. file, classes)
  end
end
-- Written as a field where a module has them ready.
classes["lre"] = classes["lre"] or {}
for line in fs.lines(platform.lua_dir .. "/meta/lre.lua") do
  local name = line:match "^%-%-%-@field ([%w_]+) lre%.%l[%w_]*$"
  if name then
    classes["lre"][name] = true
  end
end

local names = {}
for class in pairs(classes) do
  names[#names + 1] = class
end
table.sort(names)

test("there_are_stubs", function()
  test.eq(#names > 20, true)
end)

for _, class in ipairs(names) do
  test("stubs_of_" .. class .. "_are_what_there_is", function()
    local there = real(class)
    test.eq(missing(there, classes[class]), "", "without a stub")
    test.eq(missing(classes[class], there), "", "only a stub")
  end)
end

test("what_a_script_requires_is_of_the_stubs_class_to_an_editor", function()
  test.has(fs.read(platform.lua_dir .. "/lre/init.lua"), "---@type lre ")
end)

test("every_module_in_c_has_stubs", function()
  for name in pairs(package.preload) do
    if name:find "^lre%." then
      test.ok(classes[name], name)
    end
  end
end)
