-- Python's text formatting as templates use it: "%s" % x, "{}".format(x), and strftime's directives.
local pyvalue = require "lre.pyvalue"

local pyformat = {}

local function number(v, directive)
  local n = pyvalue.number_of(v)
  if not n then
    error(("%s format: a number is required, not %s"):format(directive, pyvalue.type_name(v)), 0)
  end
  return n
end

local function whole(n)
  return math.type(n) == "integer" and n or math.tointeger(n < 0 and math.ceil(n) or math.floor(n))
end

-- One value by a printf conversion. C's printf agrees with Python on these for numbers; text is padded by characters.
local function conversion(flags, width, precision, letter, v)
  if letter == "s" or letter == "r" then
    local text = letter == "s" and pyvalue.str(v) or pyvalue.repr(v)
    if precision ~= "" then
      text = text:sub(1, (utf8.offset(text, (tonumber(precision:sub(2)) or 0) + 1) or #text + 1) - 1)
    end
    local fill = (" "):rep((tonumber(width) or 0) - (utf8.len(text) or #text))
    return flags:find("-", 1, true) and text .. fill or fill .. text
  elseif letter:find "^[diu]$" then
    return ("%" .. flags .. width .. precision .. "d"):format(whole(number(v, "%d")))
  elseif letter:find "^[xXo]$" then
    return ("%" .. flags .. width .. precision .. letter):format(whole(number(v, "%x")))
  elseif letter:find "^[eEfFgG]$" then
    return ("%" .. flags .. width .. precision .. letter:gsub("F", "f")):format(number(v, "%f"))
  end
  error(("unsupported format character '%s'"):format(letter), 0)
end

-- "%s and %(name)d": positional values, or one dictionary.
function pyformat.percent(format, values, dict)
  local used = 0
  local function one(open, name, close, flags, width, precision, letter)
    if letter == "%" then
      return "%"
    end
    local v
    if open == "(" and close == ")" then
      v = dict and dict.map[name]
    else
      flags = name .. flags
      used = used + 1
      v = values[used]
    end
    if v == nil then
      error("not enough arguments for format string", 0)
    end
    if #width > 4 or #precision > 4 then
      error("a format's width is over four digits", 0)
    end
    return conversion(flags, width, precision, letter, v)
  end
  local result = format:gsub("%%(%(?)([^%)%%]-)(%)?)([%-%+ #0]*)(%d*)(%.?%d*)([%a%%])", one)
  if used < #values and not dict then
    error("not all arguments converted during string formatting", 0)
  end
  return result
end

-- A format specification: [[fill]align][sign][0][width][,][.precision][type].
local function specified(v, spec)
  if spec == "" then
    return pyvalue.str(v)
  end
  local fill, align, rest = spec:match "^([%z\1-\127\194-\244][\128-\191]*)([<>^=])(.*)$"
  if not fill then
    fill, align, rest = " ", spec:match "^([<>^=]?)(.*)$"
  end
  local sign, zero, width, comma, precision, letter = rest:match "^([%+%- ]?)(0?)(%d*)(,?)(%.?%d*)(%a?)$"
  if not sign or comma ~= "" or #width > 4 or #precision > 4 then
    error(("the format specification '%s' is not supported"):format(spec), 0)
  end
  local is_number = type(v) == "number"
  if letter == "" then
    letter = math.type(v) == "integer" and "d" or math.type(v) == "float" and precision ~= "" and "g" or "s"
  end
  local text = conversion(is_number and sign:gsub("%-", "") or "", "", precision, letter, v)
  if zero == "0" and align == "" then
    fill, align = "0", "="
  end
  if align == "" then
    align = is_number and ">" or "<"
  end
  local missing = (tonumber(width) or 0) - (utf8.len(text) or #text)
  if missing <= 0 then
    return text
  elseif align == "<" then
    return text .. fill:rep(missing)
  elseif align == "^" then
    return fill:rep(missing // 2) .. text .. fill:rep(missing - missing // 2)
  elseif align == "=" then
    local leading = text:match "^[%+%- ]" or ""
    return leading .. fill:rep(missing) .. text:sub(#leading + 1)
  end
  return fill:rep(missing) .. text
end

local function field(expression, args, kwargs, next_index)
  local name, rest = expression:match "^([^%.%[]*)(.*)$"
  local v
  if name == "" then
    v = args[next_index()]
  elseif name:find "^%d+$" then
    v = args[tonumber(name) + 1]
  else
    v = kwargs[name]
  end
  if v == nil then
    error(("format() has no argument for '{%s}'"):format(expression), 0)
  elseif rest ~= "" then
    error(("format() fields with '.' or '[' are not supported: '{%s}'"):format(expression), 0)
  end
  return v
end

-- "{} {0} {name:>8}".format(...)
function pyformat.format(format, args, kwargs)
  local parts, at, index = {}, 1, 0
  local function next_index()
    index = index + 1
    return index
  end
  while true do
    local from = format:find("[{}]", at)
    parts[#parts + 1] = format:sub(at, (from or #format + 1) - 1)
    if not from then
      return table.concat(parts)
    end
    local brace = format:sub(from, from)
    if format:sub(from + 1, from + 1) == brace then
      parts[#parts + 1], at = brace, from + 2
    else
      local inside, stop = format:match("^{([^{}]*)}()", from)
      if not inside then
        error("a single '{' or '}' in a format string", 0)
      end
      local expression, convert, spec = inside:match "^([^:!]*)(!?[rs]?):?(.*)$"
      local v = field(expression, args, kwargs, next_index)
      if convert ~= "" then
        v = convert == "!r" and pyvalue.repr(v) or pyvalue.str(v)
      end
      parts[#parts + 1] = specified(v, spec)
      at = stop
    end
  end
end

local DAYS = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local MONTHS = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December" }

-- strftime in UTC and English, whatever the machine's zone and locale.
function pyformat.date(format, unix)
  local t = os.date("!*t", math.floor(unix))
  local directives = {
    Y = ("%04d"):format(t.year), y = ("%02d"):format(t.year % 100), m = ("%02d"):format(t.month),
    d = ("%02d"):format(t.day), e = ("%2d"):format(t.day), j = ("%03d"):format(t.yday),
    H = ("%02d"):format(t.hour), I = ("%02d"):format((t.hour + 11) % 12 + 1), p = t.hour < 12 and "AM" or "PM",
    M = ("%02d"):format(t.min), S = ("%02d"):format(t.sec),
    A = DAYS[t.wday], a = DAYS[t.wday]:sub(1, 3), B = MONTHS[t.month], b = MONTHS[t.month]:sub(1, 3), ["%"] = "%",
  }
  directives.F = ("%s-%s-%s"):format(directives.Y, directives.m, directives.d)
  directives.T = ("%s:%s:%s"):format(directives.H, directives.M, directives.S)
  return (format:gsub("%%(%-?)(.)", function(bare, letter)
    local text = directives[letter]
    if not text then
      error(("strftime's '%%%s%s' is not supported"):format(bare, letter), 0)
    end
    return bare == "-" and text:gsub("^[0 ]+(%d)", "%1") or text
  end))
end

return pyformat
