-- Jinja's filters, as far as published instruct templates use them and their near kin. A filter takes the value, the
-- positional and the named arguments and the run's context.
local methods = require "lre.jinja_methods"
local pyformat = require "lre.pyformat"
local pytext = require "lre.pytext"
local pyvalue = require "lre.pyvalue"
local text = require "lre.text"

-- `tests` is set by jinja_builtins: select and reject look them up by name.
local module = { filters = {}, tests = nil }
local filters = module.filters

local none = pyvalue.none

local function argument(args, kwargs, i, name, default)
  local v = args[i]
  if v == nil then
    v = kwargs[name]
  end
  if v == nil then
    return default
  end
  return v
end

-- "a.b.0" on a value: each part a key, an attribute or an index.
local function attribute(v, path)
  if path == nil or path == none then
    return v
  end
  for part in pyvalue.str(path):gmatch "[^%.]+" do
    local index = math.tointeger(tonumber(part))
    local kind = pyvalue.kind(v)
    local found
    if kind == "dict" then
      found = v.map[part]
      if found == nil and index then
        found = v.map[index]
      end
    elseif index and (kind == "list" or kind == "tuple") then
      found = v.items[index + 1]
    elseif kind == "namespace" then
      found = v.map[part]
    end
    if found == nil then
      return pyvalue.undefined(("'%s object' has no attribute '%s'"):format(pyvalue.type_name(v), part))
    end
    v = found
  end
  return v
end

local function folded(v, case_sensitive)
  return not case_sensitive and type(v) == "string" and pytext.lower(v) or v
end

-- A stable sort (Lua's is not) by a key of each item.
local function sorted(items, key, reverse)
  local rows = {}
  for i, item in ipairs(items) do
    rows[i] = { key = key(item), item = item, at = i }
  end
  table.sort(rows, function(a, b)
    if pyvalue.equal(a.key, b.key) then
      return a.at < b.at
    elseif reverse then
      return pyvalue.less(b.key, a.key)
    end
    return pyvalue.less(a.key, b.key)
  end)
  for i, row in ipairs(rows) do
    rows[i] = row.item
  end
  return rows
end

local function on_text(change)
  return function(v)
    return change(pyvalue.str(v))
  end
end

filters.upper = on_text(pytext.upper)
filters.lower = on_text(pytext.lower)
filters.capitalize = on_text(pytext.capitalize)
filters.title = on_text(pytext.title_words)
filters.string = pyvalue.str
filters.safe = pyvalue.str
filters.length = pyvalue.length
filters.count = pyvalue.length

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;", ['"'] = "&#34;" }

function filters.escape(v)
  return (pyvalue.str(v):gsub("[&<>'\"]", HTML))
end
filters.e = filters.escape

function filters.trim(v, args, kwargs)
  local chars = argument(args, kwargs, 1, "chars")
  return pytext.strip(pyvalue.str(v), chars ~= none and chars or nil)
end

function filters.default(v, args, kwargs)
  local falsy_too = argument(args, kwargs, 2, "boolean", false) == true
  if pyvalue.kind(v) == "undefined" or falsy_too and not pyvalue.truthy(v) then
    return argument(args, kwargs, 1, "default_value", "")
  end
  return v
end
filters.d = filters.default

function filters.replace(v, args, kwargs)
  local max = argument(args, kwargs, 3, "count")
  local old, new = pyvalue.str(argument(args, kwargs, 1, "old")), pyvalue.str(argument(args, kwargs, 2, "new"))
  return pytext.replace(pyvalue.str(v), old, new, max ~= none and max or nil)
end

function filters.join(v, args, kwargs)
  local path, parts = argument(args, kwargs, 2, "attribute"), {}
  for i, item in ipairs(pyvalue.items(v)) do
    parts[i] = pyvalue.str(attribute(item, path))
  end
  return table.concat(parts, pyvalue.str(argument(args, kwargs, 1, "d", "")))
end

local function indentation(v)
  return math.type(v) == "integer" and (" "):rep(math.min(v, 1000)) or v
end

function filters.tojson(v, args, kwargs)
  local indent, separators = argument(args, kwargs, 2, "indent", none), kwargs.separators
  return pyvalue.json(v, {
    ensure_ascii = argument(args, kwargs, 1, "ensure_ascii", false) == true,
    indent = indent ~= none and indentation(indent) or nil,
    separators = separators and separators ~= none and separators.items or nil,
    sort_keys = kwargs.sort_keys == true,
  })
end

function filters.indent(v, args, kwargs)
  local prefix = indentation(argument(args, kwargs, 1, "width", 4))
  local first, blank = argument(args, kwargs, 2, "first", false), argument(args, kwargs, 3, "blank", false)
  local lines = pytext.splitlines(pyvalue.str(v) .. "\n")
  for i, line in ipairs(lines) do
    if (i > 1 or pyvalue.truthy(first)) and (line ~= "" or pyvalue.truthy(blank) or i == 1) then
      lines[i] = prefix .. line
    end
  end
  return table.concat(lines, "\n")
end

function filters.format(v, args, kwargs)
  local dict = next(kwargs) and { map = kwargs } or nil
  return pyformat.percent(pyvalue.str(v), args, dict)
end

function filters.wordcount(v)
  return #pytext.split(pyvalue.str(v))
end

function filters.list(v)
  return pyvalue.list(table.move(pyvalue.items(v), 1, #pyvalue.items(v), 1, {}))
end

function filters.items(v)
  if pyvalue.kind(v) == "undefined" then
    return pyvalue.list({}, "view")
  elseif pyvalue.kind(v) ~= "dict" then
    error("Can only get item pairs from a mapping.", 0)
  end
  return methods.pairs_of(v)
end

function filters.first(v)
  local item = pyvalue.items(v)[1]
  return item == nil and pyvalue.undefined "no first item, sequence was empty" or item
end

function filters.last(v)
  local items = pyvalue.items(v)
  local item = items[#items]
  return item == nil and pyvalue.undefined "no last item, sequence was empty" or item
end

function filters.reverse(v)
  local items, reversed = pyvalue.items(v), {}
  for i, item in ipairs(items) do
    reversed[#items + 1 - i] = item
  end
  return type(v) == "string" and table.concat(reversed) or pyvalue.list(reversed)
end

function filters.sort(v, args, kwargs)
  local case_sensitive = argument(args, kwargs, 2, "case_sensitive", false)
  local path = argument(args, kwargs, 3, "attribute")
  return pyvalue.list(sorted(pyvalue.items(v), function(item)
    return folded(attribute(item, path), case_sensitive)
  end, argument(args, kwargs, 1, "reverse", false)))
end

function filters.dictsort(v, args, kwargs)
  local case_sensitive, by = argument(args, kwargs, 1, "case_sensitive", false), argument(args, kwargs, 2, "by", "key")
  return pyvalue.list(sorted(methods.pairs_of(v).items, function(pair)
    return folded(pair.items[by == "value" and 2 or 1], case_sensitive)
  end, argument(args, kwargs, 3, "reverse", false)))
end

function filters.unique(v, args, kwargs)
  local case_sensitive = argument(args, kwargs, 1, "case_sensitive", false)
  local path = argument(args, kwargs, 2, "attribute")
  local seen, kept = pyvalue.list {}, {}
  for _, item in ipairs(pyvalue.items(v)) do
    local key = folded(attribute(item, path), case_sensitive)
    if not pyvalue.contains(seen, key) then
      seen.items[#seen.items + 1], kept[#kept + 1] = key, item
    end
  end
  return pyvalue.list(kept, "generator")
end

local function extreme(wanted)
  return function(v, args, kwargs)
    local case_sensitive = argument(args, kwargs, 1, "case_sensitive", false)
    local path = argument(args, kwargs, 2, "attribute")
    local best, best_key
    for _, item in ipairs(pyvalue.items(v)) do
      local key = folded(attribute(item, path), case_sensitive)
      if best == nil or wanted == "min" and pyvalue.less(key, best_key)
        or wanted == "max" and pyvalue.less(best_key, key) then
        best, best_key = item, key
      end
    end
    return best == nil and pyvalue.undefined "no aggregated item, sequence was empty" or best
  end
end

filters.min = extreme "min"
filters.max = extreme "max"

function filters.sum(v, args, kwargs)
  local path, total = argument(args, kwargs, 1, "attribute"), argument(args, kwargs, 2, "start", 0)
  for _, item in ipairs(pyvalue.items(v)) do
    total = total + (pyvalue.number_of(attribute(item, path)) or error("sum takes numbers", 0))
  end
  return total
end

function filters.abs(v)
  return math.abs(v)
end

function filters.int(v, args, kwargs)
  local default, base = argument(args, kwargs, 1, "default", 0), argument(args, kwargs, 2, "base", 10)
  if type(v) == "string" then
    local digits = pytext.strip(v):gsub("_", "")
    return math.tointeger(base == 10 and digits:find "^[%+%-]?%d+$" and tonumber(digits:match "[^%+].*") or base ~= 10
      and tonumber(digits:gsub("^0[xXbBoO]", ""), base) or tonumber(digits) and tonumber(digits) // 1) or default
  end
  local n = pyvalue.number_of(v)
  return n and math.tointeger(n < 0 and math.ceil(n) or math.floor(n)) or default
end

function filters.float(v, args, kwargs)
  local n = type(v) == "string" and tonumber(pytext.strip(v)) or pyvalue.number_of(v)
  return n and n + 0.0 or argument(args, kwargs, 1, "default", 0.0)
end

function filters.round(v, args, kwargs)
  local precision, method = argument(args, kwargs, 1, "precision", 0), argument(args, kwargs, 2, "method", "common")
  if method == "common" then
    return tonumber(("%%.%df"):format(math.max(0, precision)):format(v)) + 0.0
  end
  local scale = 10.0 ^ precision
  return (method == "ceil" and math.ceil(v * scale) or math.floor(v * scale)) / scale
end

function filters.attr(v, args)
  return attribute(v, args[1])
end

function filters.batch(v, args, kwargs)
  local size, fill, rows = argument(args, kwargs, 1, "linecount"), argument(args, kwargs, 2, "fill_with", none), {}
  for i, item in ipairs(pyvalue.items(v)) do
    if (i - 1) % size == 0 then
      rows[#rows + 1] = pyvalue.list {}
    end
    local row = rows[#rows].items
    row[#row + 1] = item
  end
  while fill ~= none and #rows > 0 and #rows[#rows].items < size do
    table.insert(rows[#rows].items, fill)
  end
  return pyvalue.list(rows, "generator")
end

function filters.groupby(v, args, kwargs)
  local path = argument(args, kwargs, 1, "attribute")
  local case_sensitive = argument(args, kwargs, 3, "case_sensitive", false)
  local function key(item)
    return folded(attribute(item, path), case_sensitive)
  end
  local groups, last = {}, nil
  for _, item in ipairs(sorted(pyvalue.items(v), key)) do
    if #groups == 0 or not pyvalue.equal(key(item), last) then
      last = key(item)
      groups[#groups + 1] = pyvalue.list({ attribute(item, path), pyvalue.list {} }, "tuple")
    end
    local members = groups[#groups].items[2].items
    members[#members + 1] = item
  end
  return pyvalue.list(groups)
end

-- What map and select look at: they take anything that is false, None too, for an empty sequence.
local function streamed(v)
  return pyvalue.truthy(v) and pyvalue.items(v) or {}
end

function filters.map(v, args, kwargs, context)
  local mapped, rest = {}, table.move(args, 2, #args, 1, {})
  local path, default = kwargs.attribute, kwargs.default
  local filter = not path and (filters[pyvalue.str(args[1])] or error(("the filter '%s' is not supported"):format(
    pyvalue.str(args[1])), 0))
  for i, item in ipairs(streamed(v)) do
    if path then
      local found = attribute(item, path)
      mapped[i] = pyvalue.kind(found) == "undefined" and default ~= nil and default or found
    else
      mapped[i] = filter(item, rest, kwargs, context)
    end
  end
  return pyvalue.list(mapped, "generator")
end

-- select, reject, selectattr, rejectattr: a test by name, its arguments behind it; without one, the truth.
local function choosing(keep, by_attribute)
  return function(v, args)
    local at = by_attribute and 2 or 1
    local name = args[at]
    local test = pyvalue.truthy
    if name then
      test = module.tests[name] or error(("the test '%s' is not supported"):format(pyvalue.str(name)), 0)
    end
    local rest, kept = table.move(args, at + 1, #args, 1, {}), {}
    for _, item in ipairs(streamed(v)) do
      local value = by_attribute and attribute(item, args[1]) or item
      if test(value, rest) == keep then
        kept[#kept + 1] = item
      end
    end
    return pyvalue.list(kept, "generator")
  end
end

filters.select = choosing(true, false)
filters.reject = choosing(false, false)
filters.selectattr = choosing(true, true)
filters.rejectattr = choosing(false, true)

function filters.slice(v, args, kwargs)
  local slices, fill = argument(args, kwargs, 1, "slices"), argument(args, kwargs, 2, "fill_with", none)
  local items, rows, at = pyvalue.items(v), {}, 1
  for i = 1, slices do
    local size = #items // slices + (i <= #items % slices and 1 or 0)
    rows[i] = pyvalue.list(table.move(items, at, at + size - 1, 1, {}))
    at = at + size
    if fill ~= none and #items % slices > 0 and i > #items % slices then
      table.insert(rows[i].items, fill)
    end
  end
  return pyvalue.list(rows, "generator")
end

function filters.urlencode(v)
  return (pyvalue.str(v):gsub("[^%w%-%._~/]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

function filters.striptags(v)
  return table.concat(pytext.split(text.trim((pyvalue.str(v):gsub("<!%-%-.-%-%->", ""):gsub("<[^>]*>", "")))), " ")
end

return module
