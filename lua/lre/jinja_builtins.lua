-- Jinja's tests, globals and the loop variable, and printf-style formatting. Filters and methods have files of their
-- own.
local filters = require "lre.jinja_filters"
local methods = require "lre.jinja_methods"
local pyformat = require "lre.pyformat"
local pyvalue = require "lre.pyvalue"

local builtins = { filters = filters.filters, percent = pyformat.percent }

local kind = pyvalue.kind

-- Jinja's sandbox has the same limit on range().
local MAX_RANGE = 100000

local function of_kind(...)
  local wanted = {}
  for _, name in ipairs { ... } do
    wanted[name] = true
  end
  return function(v)
    return wanted[kind(v)] == true
  end
end

local function negated(test)
  return function(...)
    return not test(...)
  end
end

local function compared(operator, swap, or_equal)
  return function(v, args)
    local a, b = v, args[1]
    if swap then
      a, b = b, a
    end
    return pyvalue.less(a, b, operator) or (or_equal and pyvalue.equal(a, b))
  end
end

local function equal(v, args)
  return pyvalue.equal(v, args[1])
end

local function cased(wanted)
  return function(v)
    return methods.is_cased_as(pyvalue.str(v), wanted)
  end
end

local less, greater = compared("<"), compared(">", true)
local less_equal, greater_equal = compared("<=", false, true), compared(">=", true, true)

builtins.tests = {
  defined = negated(of_kind "undefined"),
  undefined = of_kind "undefined",
  none = of_kind "none",
  boolean = of_kind "boolean",
  string = of_kind "string",
  integer = of_kind "integer",
  float = of_kind "float",
  number = of_kind("integer", "float", "boolean"),
  mapping = of_kind "dict",
  iterable = of_kind("string", "list", "tuple", "dict", "generator", "view", "undefined", "loop"),
  sequence = of_kind("string", "list", "tuple", "dict", "undefined"),
  callable = of_kind "function",
  ["true"] = function(v)
    return v == true
  end,
  ["false"] = function(v)
    return v == false
  end,
  sameas = function(v, args)
    return rawequal(v, args[1])
  end,
  divisibleby = function(v, args)
    return v % args[1] == 0
  end,
  odd = function(v)
    return v % 2 == 1
  end,
  even = function(v)
    return v % 2 == 0
  end,
  ["in"] = function(v, args)
    return pyvalue.contains(args[1], v)
  end,
  filter = function(v)
    return filters.filters[v] ~= nil
  end,
  test = function(v)
    return builtins.tests[v] ~= nil
  end,
  upper = cased "upper",
  lower = cased "lower",
  eq = equal,
  equalto = equal,
  ["=="] = equal,
  ne = negated(equal),
  ["!="] = negated(equal),
  lt = less,
  lessthan = less,
  ["<"] = less,
  gt = greater,
  greaterthan = greater,
  [">"] = greater,
  le = less_equal,
  ["<="] = less_equal,
  ge = greater_equal,
  [">="] = greater_equal,
}
filters.tests = builtins.tests

local function range_of(args)
  local start, stop, step = args[1], args[2], args[3] or 1
  if stop == nil then
    start, stop = 0, start
  end
  for _, bound in ipairs { start, stop, step } do
    if math.type(bound) ~= "integer" then
      error(("range() takes integers, got a '%s'"):format(pyvalue.type_name(bound)), 0)
    end
  end
  if step == 0 then
    error("range() step must not be zero", 0)
  elseif (stop - start) // step > MAX_RANGE then
    error(("range() of more than %d items"):format(MAX_RANGE), 0)
  end
  local items = {}
  for i = start, stop + (step > 0 and -1 or 1), step do
    items[#items + 1] = i
  end
  return pyvalue.list(items)
end

local function dict_of(args, kwargs, _, order)
  local dict = pyvalue.dict()
  if args[1] and kind(args[1]) == "dict" then
    for _, key in ipairs(args[1].keys) do
      pyvalue.put(dict, key, args[1].map[key])
    end
  elseif args[1] then
    for _, pair in ipairs(pyvalue.items(args[1])) do
      pyvalue.put(dict, pair.items[1], pair.items[2])
    end
  end
  for _, name in ipairs(order or {}) do
    pyvalue.put(dict, name, kwargs[name])
  end
  return dict
end

local function joiner(args)
  local used = false
  return pyvalue.callable("joiner", function()
    if not used then
      used = true
      return ""
    end
    return args[1] or ", "
  end)
end

local function cycler(args)
  local at = 0
  local object = pyvalue.namespace(pyvalue.dict())
  local function current()
    return args[at % #args + 1]
  end
  object.map.next = pyvalue.callable("next", function()
    local value = current()
    at = at + 1
    object.map.current = current()
    return value
  end)
  object.map.reset = pyvalue.callable("reset", function()
    at = 0
    object.map.current = current()
    return pyvalue.none
  end)
  object.map.current = current()
  return object
end

-- The date is the caller's: a template that prints today's would change its answers from day to day.
local function strftime_now(args, _, context)
  if not context.now then
    error("strftime_now() was called, but no date was given to the template", 0)
  end
  context.used_date = true
  return pyformat.date(args[1], context.now)
end

local function raise_exception(args)
  error({ template = true, raised = true, message = pyvalue.str(args[1] or pyvalue.none) }, 0)
end

builtins.globals = {}
for name, call in pairs {
  range = range_of,
  dict = dict_of,
  namespace = function(args, kwargs, context, order)
    return pyvalue.namespace(dict_of(args, kwargs, context, order))
  end,
  joiner = joiner,
  cycler = cycler,
  strftime_now = strftime_now,
  raise_exception = raise_exception,
} do
  builtins.globals[name] = pyvalue.callable(name, call)
end

-- The variable `loop`: `index0` is moved by the loop, the rest follows from it.

local loop_fields = {
  index = function(loop)
    return loop.index0 + 1
  end,
  index0 = function(loop)
    return loop.index0
  end,
  revindex = function(loop)
    return #loop.of - loop.index0
  end,
  revindex0 = function(loop)
    return #loop.of - loop.index0 - 1
  end,
  first = function(loop)
    return loop.index0 == 0
  end,
  last = function(loop)
    return loop.index0 == #loop.of - 1
  end,
  length = function(loop)
    return #loop.of
  end,
  depth = function(loop)
    return loop.depth
  end,
  depth0 = function(loop)
    return loop.depth - 1
  end,
  previtem = function(loop)
    return loop.index0 > 0 and loop.of[loop.index0] or pyvalue.undefined "there is no previous item"
  end,
  nextitem = function(loop)
    local item = loop.of[loop.index0 + 2]
    return item == nil and pyvalue.undefined "there is no next item" or item
  end,
  cycle = function(loop)
    return pyvalue.callable("cycle", function(args)
      return args[loop.index0 % #args + 1]
    end)
  end,
  changed = function(loop)
    return pyvalue.callable("changed", function(args)
      local now = pyvalue.list(args)
      local changed = loop.last == nil or not pyvalue.equal(loop.last, now)
      loop.last = now
      return changed
    end)
  end,
}

function builtins.loop(items, depth, call)
  return { kind = "loop", of = items, index0 = 0, depth = depth, call = call }
end

-- A method or a field of a value that is no dictionary entry; nil where there is none.
function builtins.attribute(value, name)
  local k = kind(value)
  if k == "loop" then
    local field = loop_fields[name]
    if field then
      return field(value)
    end
    return nil
  elseif k == "namespace" then
    return value.map[name]
  elseif k == "function" then
    return name == "name" and (value.name or pyvalue.none) or nil
  end
  return methods.of(value, name)
end

return builtins
