-- A Jinja template's tokens to its tree. The grammar and its precedences are Jinja 3's; what instruct templates have
-- no use for (include, extends, block, import, trans) is refused by name and line.
local lexer = require "lre.jinja_lexer"

local parser = {}

-- Deeper nesting than any published template by an order of magnitude: a hostile one must not exhaust the C stack.
local MAX_DEPTH = 150

local Parser = {}
Parser.__index = Parser

local function node(kind, line, fields)
  fields = fields or {}
  fields.kind, fields.line = kind, line
  return fields
end

function Parser:peek()
  return self.tokens[self.at]
end

function Parser:next()
  local token = self.tokens[self.at]
  self.at = self.at + 1
  return token
end

function Parser:is(kind, value)
  local token = self.tokens[self.at]
  return token.type == kind and (value == nil or token.value == value)
end

function Parser:accept(kind, value)
  if self:is(kind, value) then
    return self:next()
  end
end

local function shown(token)
  if token.type == "eof" then
    return "the end of the template"
  end
  return token.value ~= nil and ("'%s'"):format(tostring(token.value)) or (token.type:gsub("_", " "))
end

function Parser:expect(kind, value)
  local token = self:next()
  if token.type ~= kind or (value ~= nil and token.value ~= value) then
    lexer.fail(token.line, "expected %s, got %s", value and ("'%s'"):format(value) or kind:gsub("_", " "), shown(token))
  end
  return token
end

function Parser:op(value)
  return self:accept("operator", value)
end

function Parser:nested(parse, ...)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    lexer.fail(self:peek().line, "nested more than %d deep", MAX_DEPTH)
  end
  local result = parse(self, ...)
  self.depth = self.depth - 1
  return result
end

-- Expressions, loosest first.

function Parser:expression()
  return self:nested(self.conditional)
end

function Parser:conditional()
  local value = self:either()
  while self:is("name", "if") do
    local line = self:next().line
    local test = self:either()
    local other = self:accept("name", "else") and self:expression() or nil
    value = node("conditional", line, { test = test, value = value, other = other })
  end
  return value
end

function Parser:either()
  local left = self:both()
  while self:is("name", "or") do
    left = node("or", self:next().line, { left = left, right = self:both() })
  end
  return left
end

function Parser:both()
  local left = self:negation()
  while self:is("name", "and") do
    left = node("and", self:next().line, { left = left, right = self:negation() })
  end
  return left
end

function Parser:negation()
  if self:is("name", "not") then
    return node("not", self:next().line, { value = self:nested(self.negation) })
  end
  return self:comparison()
end

local COMPARISONS = { ["=="] = true, ["!="] = true, ["<"] = true, ["<="] = true, [">"] = true, [">="] = true }

function Parser:comparison_operator()
  local token = self:peek()
  if token.type == "operator" and COMPARISONS[token.value] or self:is("name", "in") then
    return self:next().value
  end
  local after = self.tokens[self.at + 1]
  if self:is("name", "not") and after.type == "name" and after.value == "in" then
    self.at = self.at + 2
    return "not in"
  end
end

function Parser:comparison()
  local line, first, chain = self:peek().line, self:sum(), {}
  local operator = self:comparison_operator()
  while operator do
    chain[#chain + 1] = { operator = operator, value = self:sum() }
    operator = self:comparison_operator()
  end
  return #chain == 0 and first or node("compare", line, { first = first, chain = chain })
end

local function binary(name, operators, inner)
  Parser[name] = function(self)
    local left = Parser[inner](self)
    while self:peek().type == "operator" and operators[self:peek().value] do
      local token = self:next()
      left = node("binary", token.line, { operator = token.value, left = left, right = Parser[inner](self) })
    end
    return left
  end
end

binary("sum", { ["+"] = true, ["-"] = true }, "concat")
binary("concat", { ["~"] = true }, "product")
binary("product", { ["*"] = true, ["/"] = true, ["//"] = true, ["%"] = true }, "power")
binary("power", { ["**"] = true }, "unary")

function Parser:unary(without_filters)
  local value
  local line = self:peek().line
  if self:op "-" then
    value = node("negative", line, { value = self:nested(self.unary, true) })
  elseif self:op "+" then
    value = node("positive", line, { value = self:nested(self.unary, true) })
  else
    value = self:primary()
  end
  value = self:postfix(value)
  return without_filters and value or self:filters(value)
end

local CONSTANTS = { ["true"] = true, True = true, ["false"] = true, False = true, none = true, None = true }

function Parser:primary()
  local token = self:next()
  if token.type == "name" then
    return CONSTANTS[token.value] and node("constant", token.line, { name = token.value:lower() })
      or node("name", token.line, { name = token.value })
  elseif token.type == "string" then
    local parts = { token.value }
    while self:is "string" do
      parts[#parts + 1] = self:next().value
    end
    return node("literal", token.line, { value = table.concat(parts) })
  elseif token.type == "integer" or token.type == "float" then
    return node("literal", token.line, { value = token.value })
  elseif token.type == "operator" and token.value == "(" then
    local inside = self:tuple({ type = "operator", value = ")" }, true)
    self:expect("operator", ")")
    return inside
  elseif token.type == "operator" and token.value == "[" then
    return node("list", token.line, { items = self:items "]" })
  elseif token.type == "operator" and token.value == "{" then
    return self:dict(token.line)
  end
  lexer.fail(token.line, "unexpected %s", shown(token))
end

function Parser:items(close)
  local items = {}
  while not self:op(close) do
    if #items > 0 then
      self:expect("operator", ",")
      if self:op(close) then
        break
      end
    end
    items[#items + 1] = self:expression()
  end
  return items
end

function Parser:dict(line)
  local pairs_of = {}
  while not self:op "}" do
    if #pairs_of > 0 then
      self:expect("operator", ",")
      if self:op "}" then
        break
      end
    end
    local key = self:expression()
    self:expect("operator", ":")
    pairs_of[#pairs_of + 1] = { key = key, value = self:expression() }
  end
  return node("dict", line, { pairs = pairs_of })
end

-- One expression, or a tuple where commas follow. `stop` ends it early; `in_brackets` allows the empty tuple.
function Parser:tuple(stop, in_brackets, parse)
  parse = parse or self.expression
  local line, items, is_tuple = self:peek().line, {}, false
  while not (self:is(stop.type, stop.value) or self:is "variable_end" or self:is "block_end") do
    items[#items + 1] = parse(self)
    if not self:op "," then
      break
    end
    is_tuple = true
  end
  if #items == 1 and not is_tuple then
    return items[1]
  elseif #items == 0 and not in_brackets then
    lexer.fail(line, "expected an expression, got %s", shown(self:peek()))
  end
  return node("tuple", line, { items = items })
end

function Parser:arguments()
  local call = { args = {}, kwargs = {} }
  self:expect("operator", "(")
  local first = true
  while not self:op ")" do
    if not first then
      self:expect("operator", ",")
      if self:op ")" then
        break
      end
    end
    first = false
    local after = self.tokens[self.at + 1]
    if self:op "**" then
      call.dyn_kwargs = self:expression()
    elseif self:op "*" then
      call.dyn_args = self:expression()
    elseif self:is "name" and after.type == "operator" and after.value == "=" then
      local name = self:next().value
      self:next()
      call.kwargs[#call.kwargs + 1] = { name = name, value = self:expression() }
    else
      call.args[#call.args + 1] = self:expression()
    end
  end
  return call
end

function Parser:subscript(value, line)
  local slice = {}
  local function part(name)
    if not (self:is("operator", ":") or self:is("operator", "]")) then
      slice[name] = self:expression()
    end
  end
  part "from"
  if not self:op ":" then
    self:expect("operator", "]")
    return node("item", line, { value = value, index = slice.from })
  end
  part "to"
  if self:op ":" then
    part "step"
  end
  self:expect("operator", "]")
  return node("slice", line, { value = value, from = slice.from, to = slice.to, step = slice.step })
end

function Parser:postfix(value)
  while true do
    local line = self:peek().line
    if self:op "." then
      local token = self:next()
      if token.type == "name" then
        value = node("attribute", line, { value = value, name = token.value })
      elseif token.type == "integer" then
        value = node("item", line, { value = value, index = node("literal", line, { value = token.value }) })
      else
        lexer.fail(line, "expected a name after '.', got %s", shown(token))
      end
    elseif self:op "[" then
      value = self:subscript(value, line)
    elseif self:is("operator", "(") then
      value = node("call", line, { callee = value, call = self:arguments() })
    else
      return value
    end
  end
end

local NO_CALL = { args = {}, kwargs = {} }

function Parser:filter(value, line)
  local name = self:expect("name").value
  local call = self:is("operator", "(") and self:arguments() or NO_CALL
  return node("filter", line, { value = value, name = name, call = call })
end

local STARTS_ARGUMENT = { name = true, string = true, integer = true, float = true }

function Parser:test(value, line)
  local negated = self:accept("name", "not")
  local name = self:expect("name").value
  local call, token = NO_CALL, self:peek()
  if self:is("operator", "(") then
    call = self:arguments()
  elseif STARTS_ARGUMENT[token.type] and not (token.type == "name" and (token.value == "else" or token.value == "or"
    or token.value == "and")) or self:is("operator", "[") or self:is("operator", "{") then
    if self:is("name", "is") then
      lexer.fail(token.line, "tests with 'is' cannot be chained")
    end
    call = { args = { self:postfix(self:primary()) }, kwargs = {} }
  end
  local result = node("test", line, { value = value, name = name, call = call })
  return negated and node("not", line, { value = result }) or result
end

function Parser:filters(value)
  while true do
    local line = self:peek().line
    if self:op "|" then
      value = self:filter(value, line)
    elseif self:accept("name", "is") then
      value = self:test(value, line)
    elseif self:is("operator", "(") then
      value = node("call", line, { callee = value, call = self:arguments() })
    else
      return value
    end
  end
end

-- Statements.

local BLOCK_END = { type = "block_end" }
local statements = {}

local function target_of(self, stop)
  local function one()
    local token = self:next()
    if token.type == "operator" and token.value == "(" then
      local inside = target_of(self, { type = "operator", value = ")" })
      self:expect("operator", ")")
      return inside
    elseif token.type ~= "name" or CONSTANTS[token.value] then
      lexer.fail(token.line, "expected the name of a variable, got %s", shown(token))
    elseif self:op "." then
      return node("attribute_target", token.line, { name = token.value, field = self:expect("name").value })
    end
    return node("target", token.line, { name = token.value })
  end
  return self:tuple(stop, false, one)
end

statements["if"] = function(self, line)
  local branches, other = {}, nil
  repeat
    local test = self:tuple(BLOCK_END)
    self:expect "block_end"
    local body, word = self:body({ "elif", "else", "endif" }, line)
    branches[#branches + 1] = { test = test, body = body }
    if word == "else" then
      self:expect "block_end"
      other, word = self:body({ "endif" }, line)
    end
  until word == "endif"
  return node("if", line, { branches = branches, other = other })
end

statements["for"] = function(self, line)
  local target = target_of(self, { type = "name", value = "in" })
  self:expect("name", "in")
  -- The `if` after the sequence is the loop's filter: a conditional expression must stand in brackets.
  local iter = self:tuple({ type = "name", value = "recursive" }, false, self.either)
  local test = self:accept("name", "if") and self:expression() or nil
  local recursive = self:accept("name", "recursive") ~= nil
  self:expect "block_end"
  local body, word = self:body({ "else", "endfor" }, line)
  local other
  if word == "else" then
    self:expect "block_end"
    other = self:body({ "endfor" }, line)
  end
  return node("for", line, { target = target, iter = iter, test = test, recursive = recursive, body = body,
    other = other })
end

statements.set = function(self, line)
  local target = target_of(self, { type = "operator", value = "=" })
  if self:op "=" then
    return node("set", line, { target = target, value = self:tuple(BLOCK_END) })
  end
  local captured = node("captured", line)
  local value = self:filters(captured)
  self:expect "block_end"
  captured.body = self:body({ "endset" }, line)
  return node("set", line, { target = target, value = value })
end

local function parameters(self)
  local list = {}
  self:expect("operator", "(")
  while not self:op ")" do
    if #list > 0 then
      self:expect("operator", ",")
      if self:op ")" then
        break
      end
    end
    local name = self:expect("name").value
    list[#list + 1] = { name = name, default = self:op "=" and self:expression() or nil }
  end
  return list
end

statements.macro = function(self, line)
  local name = self:expect("name").value
  local params = parameters(self)
  self:expect "block_end"
  return node("macro", line, { name = name, params = params, body = self:body({ "endmacro" }, line) })
end

statements.call = function(self, line)
  local params = self:is("operator", "(") and parameters(self) or {}
  local call = self:postfix(self:primary())
  if call.kind ~= "call" then
    lexer.fail(line, "{%% call %%} needs the call of a macro")
  end
  self:expect "block_end"
  return node("call_block", line, { callee = call.callee, call = call.call, params = params,
    body = self:body({ "endcall" }, line) })
end

statements.filter = function(self, line)
  local captured = node("captured", line)
  local value = self:filters(self:filter(captured, line))
  self:expect "block_end"
  captured.body = self:body({ "endfilter" }, line)
  return node("output", line, { value = value })
end

statements.with = function(self, line)
  local sets = {}
  while not self:is "block_end" do
    if #sets > 0 then
      self:expect("operator", ",")
    end
    local target = target_of(self, { type = "operator", value = "=" })
    self:expect("operator", "=")
    sets[#sets + 1] = { target = target, value = self:expression() }
  end
  self:expect "block_end"
  return node("with", line, { sets = sets, body = self:body({ "endwith" }, line) })
end

-- transformers marks what the assistant wrote with it; for rendering it is only its body.
statements.generation = function(self, line)
  self:expect "block_end"
  return node("block", line, { body = self:body({ "endgeneration" }, line) })
end

statements["break"] = function(_, line)
  return node("break", line)
end

statements["continue"] = function(_, line)
  return node("continue", line)
end

statements["do"] = nil -- an extension that transformers does not load

-- A tag's statement. Its own end tag is left to be closed by the caller: `block_end` follows.
function Parser:statement()
  local token = self:expect "name"
  local parse = statements[token.value]
  if not parse then
    lexer.fail(token.line, "the tag {%% %s %%} is not supported", token.value)
  end
  local result = self:nested(parse, token.line)
  self:expect "block_end"
  return result
end

local function ends(token, words)
  for _, word in ipairs(words) do
    if token.type == "name" and token.value == word then
      return word
    end
  end
end

-- Nodes up to a tag named in `words`; the tag's name is taken, what follows it is not.
function Parser:body(words, opened_at)
  local list = {}
  while true do
    local token = self:next()
    if token.type == "data" then
      if token.value ~= "" then
        list[#list + 1] = node("data", token.line, { value = token.value })
      end
    elseif token.type == "variable_begin" then
      list[#list + 1] = node("output", token.line, { value = self:tuple({ type = "variable_end" }) })
      self:expect "variable_end"
    elseif token.type == "block_begin" then
      local word = ends(self:peek(), words)
      if word then
        self:next()
        return list, word
      end
      list[#list + 1] = self:statement()
    elseif token.type == "eof" then
      if #words == 0 then
        return list
      end
      lexer.fail(opened_at, "this tag is never closed: expected {%% %s %%}", words[#words])
    end
  end
end

-- The tree of a template: a list of nodes. Raises as `lexer.fail` does.
function parser.parse(source)
  local self = setmetatable({ tokens = lexer.tokens(source), at = 1, depth = 0 }, Parser)
  return self:body {}
end

return parser
