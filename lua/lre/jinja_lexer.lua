-- The words of a Jinja template. Whitespace as transformers sets Jinja up: trim_blocks and lstrip_blocks on, one
-- newline at the very end dropped; "-" and "+" beside a tag override.
local pytext = require "lre.pytext"

local lexer = {}

local ESCAPES = { n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v", ["\n"] = "", ["\\"] = "\\",
  ["'"] = "'", ['"'] = '"' }
local HEX_DIGITS = { x = 2, u = 4, U = 8 }
local TWO_BYTE = { ["//"] = true, ["**"] = true, ["=="] = true, ["!="] = true, [">="] = true, ["<="] = true }
local CLOSES = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- A failure of the template at a line: every module of the engine raises this, `jinja` turns it into an error value.
function lexer.fail(line, message, ...)
  error({ template = true, line = line, message = message:format(...) }, 0)
end

-- The same, where a template came to one of its limits: it may loop or recurse for ever.
function lexer.limit(line, message, ...)
  error({ template = true, limit = true, line = line, message = message:format(...) }, 0)
end

local function escape_at(body, i, line)
  local c = body:sub(i + 1, i + 1)
  if ESCAPES[c] then
    return ESCAPES[c], i + 2
  end
  local n = HEX_DIGITS[c]
  if n then
    local hex = body:sub(i + 2, i + 1 + n)
    if #hex < n or hex:find "%X" or tonumber(hex, 16) > 0x10FFFF then
      lexer.fail(line, "a string holds the escape \\%s%s, which is not %d hexadecimal digits of a character", c, hex, n)
    end
    return utf8.char(tonumber(hex, 16)), i + 2 + n
  end
  local octal = body:match("^[0-7][0-7]?[0-7]?", i + 1)
  if octal then
    return utf8.char(tonumber(octal, 8)), i + 1 + #octal
  end
  return "\\", i + 1 -- as Python: an unknown escape keeps its backslash
end

local function unescape(body, line)
  local parts, i = {}, 1
  while true do
    local at = body:find("\\", i, true)
    if not at then
      parts[#parts + 1] = body:sub(i)
      return table.concat(parts)
    end
    parts[#parts + 1] = body:sub(i, at - 1)
    parts[#parts + 1], i = escape_at(body, at, line)
  end
end

local function string_at(source, at, line)
  local quote = source:sub(at, at)
  local i = at + 1
  while true do
    local stop = source:find("[\\" .. quote .. "]", i)
    if not stop then
      lexer.fail(line, "a string that begins with %s never ends", quote)
    end
    if source:sub(stop, stop) == quote then
      return unescape(source:sub(at + 1, stop - 1), line), stop + 1
    end
    i = stop + 2
  end
end

local function number_at(source, at)
  local after_dot = source:sub(at - 1, at - 1) == "."
  local digits = source:match("^%d[%d_]*", at)
  local rest = at + #digits
  local fraction = not after_dot and source:match("^%.%d[%d_]*", rest) or ""
  local exponent = not after_dot and source:match("^[eE][+-]?%d[%d_]*", rest + #fraction) or ""
  local written = (digits .. fraction .. exponent):gsub("_", "")
  rest = rest + #fraction + #exponent
  if fraction == "" and exponent == "" then
    return "integer", math.tointeger(tonumber(written)) or tonumber(written), rest
  end
  return "float", tonumber(written) + 0.0, rest
end

-- One word inside a tag: type, value, where the next one begins.
local function word_at(source, at, line)
  local name = source:match("^[%a_\x80-\xff][%w_\x80-\xff]*", at)
  if name then
    return "name", name, at + #name
  end
  local c = source:sub(at, at)
  if c:find "%d" then
    return number_at(source, at)
  elseif c == "'" or c == '"' then
    local value, rest = string_at(source, at, line)
    return "string", value, rest
  end
  local two = source:sub(at, at + 1)
  if TWO_BYTE[two] then
    return "operator", two, at + 2
  elseif c:find "[%+%-/%*%%~%[%]%(%){}><=%.:|,]" then
    return "operator", c, at + 1
  end
  lexer.fail(line, "unexpected character '%s'", pytext.chars(source:sub(at, at + 3))[1] or c)
end

local Lexer = {}
Lexer.__index = Lexer

function Lexer:push(kind, value)
  self.tokens[#self.tokens + 1] = { type = kind, value = value, line = self.line }
end

function Lexer:advance(to)
  local _, newlines = self.source:sub(self.at, to - 1):gsub("\n", "")
  self.line, self.at = self.line + newlines, to
end

-- The text before a tag, as the tag's sign and lstrip_blocks leave it.
function Lexer:stripped(data, sign, is_variable)
  if sign == "-" then
    return pytext.rstrip(data)
  end
  if sign ~= "+" and not is_variable then
    local before, tail = data:match "^(.*\n)(.-)$"
    if not before then
      before, tail = "", data
    end
    if (before ~= "" or self.line_starting) and pytext.strip(tail) == "" then
      return before
    end
  end
  return data
end

-- Where a tag that ends at `at` lets the text go on: "-" eats white space, trim_blocks one newline unless "+".
function Lexer:after_tag(at, sign, trims)
  if sign == "-" then
    at = at + #self.source:sub(at) - #pytext.lstrip(self.source:sub(at))
  elseif trims and sign ~= "+" and self.source:sub(at, at) == "\n" then
    at = at + 1
  end
  self.line_starting = self.source:sub(at - 1, at - 1) == "\n"
  self:advance(at)
end

function Lexer:comment(at)
  local stop = self.source:find("#}", at, true)
  if not stop then
    lexer.fail(self.line, "a comment {# never ends")
  end
  local sign = self.source:sub(stop - 1, stop - 1)
  self:after_tag(stop + 2, stop - 1 >= at and sign or "", true)
end

function Lexer:raw(at, open_sign, data)
  self:push("data", self:stripped(data, open_sign))
  local open_stop, close_sign = select(2, self.source:find("^%s*raw%s*(%-?)%%}", at))
  self:after_tag(open_stop + 1, close_sign, false)
  local from, stop, sign, last = self.source:find("{%%([%-%+]?)%s*endraw%s*([%-%+]?)%%}", self.at)
  if not from then
    lexer.fail(self.line, "a {%% raw %%} never ends")
  end
  local body = self.source:sub(self.at, from - 1)
  self:push("data", self:stripped(body, sign))
  self:after_tag(stop + 1, last, true)
end

-- Where the tag ends here: the sign before its end and the place after it.
function Lexer:tag_end(close)
  local sign = self.source:match(close == "%}" and "^[%-%+]" or "^%-", self.at) or ""
  if self.source:sub(self.at + #sign, self.at + #sign + 1) == close then
    return sign, self.at + #sign + 2
  end
end

function Lexer:tag(close)
  local open = {}
  local kind = close == "%}" and "block_end" or "variable_end"
  local first = self.line
  while true do
    self:advance(select(2, self.source:find("^%s*", self.at)) + 1)
    if self.at > #self.source then
      lexer.fail(first, "a tag never ends: expected %s", close)
    end
    if #open == 0 then
      local sign, stop = self:tag_end(close)
      if sign then
        self:push(kind)
        return self:after_tag(stop, sign, kind == "block_end")
      end
    end
    local word, value, rest = word_at(self.source, self.at, self.line)
    if word == "operator" and value:find "^[%(%[{]$" then
      open[#open + 1] = value
    elseif word == "operator" and CLOSES[value] and table.remove(open) ~= CLOSES[value] then
      lexer.fail(self.line, "unexpected '%s'", value)
    end
    self:push(word, value)
    self:advance(rest)
  end
end

function Lexer:root()
  local from = self.source:find("{[{%%#]", self.at)
  if not from then
    self:push("data", self.source:sub(self.at))
    self.at = #self.source + 1
    return
  end
  local data, mark = self.source:sub(self.at, from - 1), self.source:sub(from + 1, from + 1)
  local sign = self.source:match("^[%-%+]", from + 2) or ""
  local inside = from + 2 + #sign
  if mark == "%" and self.source:find("^%s*raw%s*%-?%%}", inside) then
    return self:raw(inside, sign, data)
  end
  self:push("data", self:stripped(data, sign, mark == "{"))
  self.line_starting = false
  self:advance(inside)
  if mark == "#" then
    return self:comment(inside)
  end
  self:push(mark == "%" and "block_begin" or "variable_begin")
  self:tag(mark == "%" and "%}" or "}}")
end

-- All tokens of a template: { type, value, line }. Types: data, block_begin, block_end, variable_begin, variable_end,
-- name, string, integer, float, operator.
function lexer.tokens(source)
  source = source:gsub("\r\n", "\n"):gsub("\r", "\n"):gsub("\n$", "")
  local self = setmetatable({ source = source, at = 1, line = 1, tokens = {}, line_starting = true }, Lexer)
  while self.at <= #source do
    self:root()
  end
  self:push("eof")
  return self.tokens
end

return lexer
