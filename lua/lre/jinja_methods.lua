-- The methods of Python's str, dict and list that a sandboxed template may call. The ones that change a list or a
-- dictionary are refused, as transformers' immutable sandbox refuses them.
local pyformat = require "lre.pyformat"
local pytext = require "lre.pytext"
local pyvalue = require "lre.pyvalue"

local methods = {}

local function optional(v)
  if v == pyvalue.none then
    return nil
  end
  return v
end

local function text(v, what)
  if type(v) ~= "string" then
    error(("%s takes a str, got '%s'"):format(what, pyvalue.type_name(v)), 0)
  end
  return v
end

local function stripped(strip)
  return function(s, args)
    return strip(s, optional(args[1]))
  end
end

local function parts_of(split, what)
  return function(s, args, kwargs)
    local separator = optional(args[1] or kwargs.sep)
    if separator == "" then
      error("empty separator", 0)
    end
    return pyvalue.list(split(s, separator and text(separator, what), optional(args[2] or kwargs.maxsplit)))
  end
end

local function any_of(v, test, what)
  if type(v) == "table" and v.kind == "tuple" then
    for _, item in ipairs(v.items) do
      if test(text(item, what)) then
        return true
      end
    end
    return false
  end
  return test(text(v, what))
end

local function byte_to_index(s, at)
  return at and pytext.length(s:sub(1, at - 1)) or -1
end

local function found_or_fail(index)
  if index < 0 then
    error("substring not found", 0)
  end
  return index
end

local function padded(side)
  return function(s, args)
    local fill = math.max(0, args[1] - pytext.length(s))
    local pad = args[2] or " "
    if side == "left" then
      return s .. pad:rep(fill)
    elseif side == "right" then
      return pad:rep(fill) .. s
    end
    local before = fill // 2 + (fill % 2 == 1 and args[1] % 2 == 1 and 1 or 0)
    return pad:rep(before) .. s .. pad:rep(fill - before)
  end
end

local function partitioned(s, from, separator)
  if not from then
    return nil
  end
  return pyvalue.list({ s:sub(1, from - 1), separator, s:sub(from + #separator) }, "tuple")
end

local function every(test)
  return function(s)
    for _, c in ipairs(pytext.chars(s)) do
      if not test(c) then
        return false
      end
    end
    return s ~= ""
  end
end

local function is_digit(c)
  return c:find "^%d$" ~= nil
end

-- str.isupper and islower: at least one cased character, and none of the other case.
function methods.is_cased_as(s, wanted)
  local cased = false
  for _, c in ipairs(pytext.chars(s)) do
    if pytext.is_cased(c) then
      cased = true
      if pytext[wanted](c) ~= c then
        return false
      end
    end
  end
  return cased
end

local function count(s, needle)
  if needle == "" then
    return pytext.length(s) + 1
  end
  return #pytext.split(s, needle) - 1
end

local function joined(s, args)
  local parts = {}
  for i, item in ipairs(pyvalue.items(args[1])) do
    parts[i] = text(item, ("sequence item %d: join()"):format(i - 1))
  end
  return table.concat(parts, s)
end

local strings = {
  strip = stripped(pytext.strip),
  lstrip = stripped(pytext.lstrip),
  rstrip = stripped(pytext.rstrip),
  upper = pytext.upper,
  lower = pytext.lower,
  casefold = pytext.lower,
  title = pytext.title,
  capitalize = pytext.capitalize,
  split = parts_of(pytext.split, "split()"),
  rsplit = parts_of(pytext.rsplit, "rsplit()"),
  splitlines = function(s, args, kwargs)
    return pyvalue.list(pytext.splitlines(s, args[1] == true or kwargs.keepends == true))
  end,
  join = joined,
  format = pyformat.format,
  replace = function(s, args, kwargs)
    return pytext.replace(s, text(args[1], "replace()"), text(args[2], "replace()"), args[3] or kwargs.count)
  end,
  startswith = function(s, args)
    return any_of(args[1], function(prefix)
      return s:sub(1, #prefix) == prefix
    end, "startswith()")
  end,
  endswith = function(s, args)
    return any_of(args[1], function(suffix)
      return suffix == "" or s:sub(-#suffix) == suffix
    end, "endswith()")
  end,
  removeprefix = function(s, args)
    return s:sub(1, #args[1]) == args[1] and s:sub(#args[1] + 1) or s
  end,
  removesuffix = function(s, args)
    return args[1] ~= "" and s:sub(-#args[1]) == args[1] and s:sub(1, -#args[1] - 1) or s
  end,
  find = function(s, args)
    return byte_to_index(s, s:find(text(args[1], "find()"), 1, true))
  end,
  rfind = function(s, args)
    return byte_to_index(s, pytext.rfind(s, text(args[1], "rfind()")))
  end,
  index = function(s, args)
    return found_or_fail(byte_to_index(s, s:find(text(args[1], "index()"), 1, true)))
  end,
  count = function(s, args)
    return count(s, text(args[1], "count()"))
  end,
  partition = function(s, args)
    local from = s:find(text(args[1], "partition()"), 1, true)
    return partitioned(s, from, args[1]) or pyvalue.list({ s, "", "" }, "tuple")
  end,
  rpartition = function(s, args)
    local from = pytext.rfind(s, text(args[1], "rpartition()"))
    return partitioned(s, from, args[1]) or pyvalue.list({ "", "", s }, "tuple")
  end,
  ljust = padded "left",
  rjust = padded "right",
  center = padded "both",
  zfill = function(s, args)
    local sign = s:match "^[%+%-]" or ""
    return sign .. ("0"):rep(args[1] - pytext.length(s)) .. s:sub(#sign + 1)
  end,
  isdigit = every(is_digit),
  isnumeric = every(is_digit),
  isdecimal = every(is_digit),
  isspace = every(pytext.is_space),
  isalpha = every(pytext.is_alpha),
  isalnum = every(function(c)
    return is_digit(c) or pytext.is_alpha(c)
  end),
  isupper = function(s)
    return methods.is_cased_as(s, "upper")
  end,
  islower = function(s)
    return methods.is_cased_as(s, "lower")
  end,
}

function methods.pairs_of(dict)
  local items = {}
  for i, key in ipairs(dict.keys) do
    items[i] = pyvalue.list({ key, dict.map[key] }, "tuple")
  end
  return pyvalue.list(items, "view")
end

local dicts = {
  items = methods.pairs_of,
  keys = function(dict)
    return pyvalue.list(dict.keys, "view")
  end,
  values = function(dict)
    local values = {}
    for i, key in ipairs(dict.keys) do
      values[i] = dict.map[key]
    end
    return pyvalue.list(values, "view")
  end,
  get = function(dict, args)
    local found = dict.map[args[1]]
    if found == nil then
      found = args[2]
    end
    return found == nil and pyvalue.none or found
  end,
  copy = function(dict)
    local copy = pyvalue.dict()
    for _, key in ipairs(dict.keys) do
      pyvalue.put(copy, key, dict.map[key])
    end
    return copy
  end,
}

local function position(list, v)
  for i, item in ipairs(list.items) do
    if pyvalue.equal(item, v) then
      return i - 1
    end
  end
  error(("%s is not in list"):format(pyvalue.repr(v)), 0)
end

local lists = {
  index = function(list, args)
    return position(list, args[1])
  end,
  count = function(list, args)
    local n = 0
    for _, item in ipairs(list.items) do
      n = n + (pyvalue.equal(item, args[1]) and 1 or 0)
    end
    return n
  end,
  copy = function(list)
    return pyvalue.list(table.move(list.items, 1, #list.items, 1, {}))
  end,
}

local CHANGES = { append = true, clear = true, extend = true, insert = true, pop = true, popitem = true, remove = true,
  reverse = true, setdefault = true, sort = true, update = true }

local BY_KIND = { string = strings, dict = dicts, list = lists, tuple = lists }

-- The method `name` of a value as something to call, or nil.
function methods.of(value, name)
  local kind = pyvalue.kind(value)
  local method = BY_KIND[kind] and BY_KIND[kind][name]
  if method then
    return pyvalue.callable(name, function(args, kwargs)
      return method(value, args, kwargs)
    end)
  elseif CHANGES[name] and (kind == "list" or kind == "dict") then
    error(("'%s' of a '%s' is not allowed: templates may not change lists and dictionaries"):format(name,
      pyvalue.type_name(value)), 0)
  end
end

return methods
