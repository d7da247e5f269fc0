-- Python's str, as far as templates use it: its white space, its characters (code points), its case, its splitting.
local pytext = {}

-- The characters that str.isspace() takes beside ASCII's and the separators 0x1C to 0x1F.
local WIDE_SPACES = {}
for _, code in ipairs { 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 } do
  WIDE_SPACES[utf8.char(code)] = true
end
for code = 0x2000, 0x200A do
  WIDE_SPACES[utf8.char(code)] = true
end

-- The characters of a text. A byte that is no UTF-8 stands for itself.
function pytext.chars(s)
  local list = {}
  local at = 1
  while at <= #s do
    local c = s:match("^[\0-\x7f\xc2-\xf4][\x80-\xbf]*", at) or s:sub(at, at)
    list[#list + 1] = c
    at = at + #c
  end
  return list
end

function pytext.length(s)
  return utf8.len(s) or #pytext.chars(s)
end

function pytext.is_space(c)
  return c:find "^[\t-\r\x1c-\x20]$" ~= nil or WIDE_SPACES[c] == true
end

local function strippable(chars)
  if not chars then
    return pytext.is_space
  end
  local set = {}
  for _, c in ipairs(pytext.chars(chars)) do
    set[c] = true
  end
  return function(c)
    return set[c]
  end
end

local function last_char(s, stop)
  local from = stop
  while from > 1 and stop - from < 3 and s:byte(from) & 0xC0 == 0x80 do
    from = from - 1
  end
  return s:sub(from, stop)
end

function pytext.lstrip(s, chars)
  local strips, at = strippable(chars), 1
  while at <= #s do
    local c = s:match("^[\0-\x7f\xc2-\xf4][\x80-\xbf]*", at) or s:sub(at, at)
    if not strips(c) then
      break
    end
    at = at + #c
  end
  return s:sub(at)
end

function pytext.rstrip(s, chars)
  local strips, stop = strippable(chars), #s
  while stop > 0 do
    local c = last_char(s, stop)
    if not strips(c) then
      break
    end
    stop = stop - #c
  end
  return s:sub(1, stop)
end

function pytext.strip(s, chars)
  return pytext.rstrip(pytext.lstrip(s, chars), chars)
end

-- str.split(): by white space without a separator (no empty parts), else by the separator; `max` splits at most.
function pytext.split(s, separator, max)
  local parts, at = {}, 1
  max = max and max >= 0 and max or math.huge
  if not separator then
    local rest = pytext.lstrip(s)
    while rest ~= "" and #parts < max do
      local word, n = {}, 0
      for _, c in ipairs(pytext.chars(rest)) do
        if pytext.is_space(c) then
          break
        end
        word[#word + 1], n = c, n + #c
      end
      parts[#parts + 1] = table.concat(word)
      rest = pytext.lstrip(rest:sub(n + 1))
    end
    if rest ~= "" then
      parts[#parts + 1] = pytext.rstrip(rest)
    end
    return parts
  end
  while #parts < max do
    local from, stop = s:find(separator, at, true)
    if not from then
      break
    end
    parts[#parts + 1] = s:sub(at, from - 1)
    at = stop + 1
  end
  parts[#parts + 1] = s:sub(at)
  return parts
end

-- Where the last `needle` begins, or nil.
function pytext.rfind(s, needle)
  for at = #s - #needle + 1, 1, -1 do
    if s:sub(at, at + #needle - 1) == needle then
      return at
    end
  end
end

function pytext.rsplit(s, separator, max)
  if not separator or not max or max < 0 then
    return pytext.split(s, separator)
  end
  local parts = {}
  while #parts < max do
    local from = pytext.rfind(s, separator)
    if not from then
      break
    end
    table.insert(parts, 1, s:sub(from + #separator))
    s = s:sub(1, from - 1)
  end
  table.insert(parts, 1, s)
  return parts
end

local LINE_ENDS = { ["\n"] = true, ["\r"] = true, ["\v"] = true, ["\f"] = true, ["\x1c"] = true, ["\x1d"] = true,
  ["\x1e"] = true, ["\u{85}"] = true, ["\u{2028}"] = true, ["\u{2029}"] = true }

function pytext.splitlines(s, keep_ends)
  local lines, line = {}, {}
  local chars = pytext.chars(s)
  local i = 1
  while i <= #chars do
    local c = chars[i]
    if LINE_ENDS[c] then
      if c == "\r" and chars[i + 1] == "\n" then
        c, i = "\r\n", i + 1
      end
      lines[#lines + 1] = table.concat(line) .. (keep_ends and c or "")
      line = {}
    else
      line[#line + 1] = c
    end
    i = i + 1
  end
  if #line > 0 then
    lines[#lines + 1] = table.concat(line)
  end
  return lines
end

-- Plain replacement, the first `max` of them where given. An empty needle stands before each character, as in Python.
function pytext.replace(s, old, new, max)
  max = max and max >= 0 and max or math.huge
  if old ~= "" then
    return table.concat(pytext.split(s, old, max), new)
  end
  local parts = {}
  for i, c in ipairs(pytext.chars(s)) do
    parts[i] = (i <= max and new or "") .. c
  end
  return table.concat(parts) .. (#parts < max and new or "")
end

-- Case. ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic: the scripts with case that instruct templates and their
-- role names are written in. Characters of other scripts stay as they are.
local TO_UPPER, TO_LOWER = {}, {}

local function pair(lower, upper)
  TO_UPPER[utf8.char(lower)] = utf8.char(upper)
  TO_LOWER[utf8.char(upper)] = utf8.char(lower)
end

local function shifted(first, last, by, except)
  for lower = first, last do
    if lower ~= except then
      pair(lower, lower - by)
    end
  end
end

local function alternating(first, last)
  for upper = first, last, 2 do
    pair(upper + 1, upper)
  end
end

shifted(0x61, 0x7A, 0x20)
shifted(0xE0, 0xFE, 0x20, 0xF7)
alternating(0x100, 0x12E)
alternating(0x132, 0x136)
alternating(0x139, 0x147)
alternating(0x14A, 0x176)
alternating(0x179, 0x17D)
shifted(0x3B1, 0x3CB, 0x20, 0x3C2)
shifted(0x430, 0x44F, 0x20)
shifted(0x450, 0x45F, 0x50)
alternating(0x460, 0x480)
alternating(0x48A, 0x4BE)
pair(0xFF, 0x178)
pair(0x3AC, 0x386)
pair(0x3AD, 0x388)
pair(0x3AE, 0x389)
pair(0x3AF, 0x38A)
pair(0x3CC, 0x38C)
pair(0x3CD, 0x38E)
pair(0x3CE, 0x38F)
TO_UPPER["\u{DF}"], TO_UPPER["\u{3C2}"], TO_UPPER["\u{B5}"] = "SS", "\u{3A3}", "\u{39C}"

local function mapped(s, map)
  if not s:find "[\x80-\xff]" then
    return map == TO_UPPER and s:upper() or s:lower()
  end
  local chars = pytext.chars(s)
  for i, c in ipairs(chars) do
    chars[i] = map[c] or c
  end
  return table.concat(chars)
end

function pytext.upper(s)
  return mapped(s, TO_UPPER)
end

function pytext.lower(s)
  return mapped(s, TO_LOWER)
end

local function is_letter(c)
  return TO_UPPER[c] ~= nil or TO_LOWER[c] ~= nil or (c:byte() >= 0x80 and not WIDE_SPACES[c])
end

function pytext.is_cased(c)
  return TO_UPPER[c] ~= nil or TO_LOWER[c] ~= nil
end

function pytext.is_alpha(c)
  return c:find "^%a$" ~= nil or is_letter(c)
end

function pytext.capitalize(s)
  local chars = pytext.chars(s)
  local first = table.remove(chars, 1)
  return first and pytext.upper(first) .. pytext.lower(table.concat(chars)) or ""
end

-- str.title(): every letter after a non-letter is large, every other one small.
function pytext.title(s)
  local chars, inside = pytext.chars(s), false
  for i, c in ipairs(chars) do
    chars[i] = inside and pytext.lower(c) or pytext.upper(c)
    inside = pytext.is_cased(c)
  end
  return table.concat(chars)
end

-- Jinja's own `title` filter: words begin after a blank, "-" or an opening bracket only.
function pytext.title_words(s)
  local chars, begins = pytext.chars(s), true
  for i, c in ipairs(chars) do
    chars[i] = begins and pytext.upper(c) or pytext.lower(c)
    begins = pytext.is_space(c) or c:find "^[%-%(%[{<]$" ~= nil
  end
  return table.concat(chars)
end

return pytext
