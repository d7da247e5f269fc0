-- Runs a template's tree. Every node costs a step and every text made costs its bytes: a template that loops or grows
-- for ever ends at a limit, with its line.
local builtins = require "lre.jinja_builtins"
local lexer = require "lre.jinja_lexer"
local pyvalue = require "lre.pyvalue"

local evaluator = {}

local none, undefined = pyvalue.none, pyvalue.undefined
local evaluate, run -- the two dispatchers: an expression to its value, a list of statements to the output

local function child(frame)
  return { vars = {}, parent = frame, context = frame.context }
end

local function lookup(frame, name)
  local at = frame
  while at do
    local value = at.vars[name]
    if value ~= nil then
      return value
    end
    at = at.parent
  end
  local global = builtins.globals[name]
  return global or undefined(("'%s' is undefined"):format(name))
end

local function charge(context, steps)
  context.steps = context.steps + steps
  if context.steps > context.max_steps then
    lexer.limit(context.line, "the template did not end within %d steps", context.max_steps)
  end
end

-- Text that an operation made.
local function made(context, text)
  context.bytes = context.bytes + #text
  if context.bytes > context.max_bytes then
    lexer.limit(context.line, "the template made more than %d bytes of text", context.max_bytes)
  end
  return text
end

-- What a filter or a call gave: its bytes or its items are paid for.
local function paid(context, result)
  if type(result) == "string" then
    return made(context, result)
  elseif type(result) == "table" and (result.items or result.keys) then
    charge(context, #(result.items or result.keys))
  end
  return result
end

local function emit(context, text)
  context.out[#context.out + 1] = made(context, text)
end

local function captured(frame, body)
  local context = frame.context
  local out = context.out
  context.out = {}
  local signal = run(body, frame)
  local text = table.concat(context.out)
  context.out = out
  return text, signal
end

local function need_defined(v)
  if pyvalue.kind(v) == "undefined" then
    error(v.hint or "a value is undefined", 0)
  end
  return v
end

-- Arithmetic.

local function integers(a, b)
  return math.type(a) == "integer" and math.type(b) == "integer"
end

-- Lua's integers wrap where Python's grow: a result that left 64 bits is an error, never a wrong number.
local function exact(result, approximate)
  if math.abs(approximate) >= 2.0 ^ 63 then
    error("an integer grew past 64 bits", 0)
  end
  return result
end

local function repeated(context, v, n)
  if type(v) == "string" then
    if #v * math.max(n, 0) > context.max_bytes then
      lexer.limit(context.line, "the template made more than %d bytes of text", context.max_bytes)
    end
    return made(context, v:rep(n))
  end
  charge(context, #v.items * math.max(n, 0))
  local items = {}
  for i = 1, #v.items * n do
    items[i] = v.items[(i - 1) % #v.items + 1]
  end
  return pyvalue.list(items, v.kind)
end

local function is_sequence(v)
  return type(v) == "string" or type(v) == "table" and (v.kind == "list" or v.kind == "tuple")
end

local function power(a, b)
  if not integers(a, b) or b < 0 then
    return (a + 0.0) ^ b
  end
  local result = 1
  for _ = 1, b do
    result = exact(result * a, (result + 0.0) * a)
    if result == 0 or (result == 1 and a == 1) then
      break
    end
  end
  return result
end

local function not_zero(b)
  if b == 0 then
    error("division by zero", 0)
  end
  return b
end

local ARITHMETIC = {
  ["+"] = function(a, b)
    return integers(a, b) and exact(a + b, (a + 0.0) + b) or a + b
  end,
  ["-"] = function(a, b)
    return integers(a, b) and exact(a - b, (a + 0.0) - b) or a - b
  end,
  ["*"] = function(a, b)
    return integers(a, b) and exact(a * b, (a + 0.0) * b) or a * b
  end,
  ["/"] = function(a, b)
    return a / not_zero(b)
  end,
  ["//"] = function(a, b)
    return a // not_zero(b)
  end,
  ["%"] = function(a, b)
    return a % not_zero(b)
  end,
  ["**"] = power,
}

local function joined(a, b)
  local items = table.move(a.items, 1, #a.items, 1, {})
  table.move(b.items, 1, #b.items, #items + 1, items)
  return pyvalue.list(items, a.kind)
end

local function operate(context, operator, a, b)
  if operator == "~" then
    return made(context, pyvalue.str(a) .. pyvalue.str(b))
  elseif operator == "%" and type(a) == "string" then
    local args = type(b) == "table" and b.kind == "tuple" and b.items or { b }
    return made(context, builtins.percent(a, args, type(b) == "table" and b.kind == "dict" and b or nil))
  elseif operator == "+" and type(a) == "string" and type(b) == "string" then
    return made(context, a .. b)
  elseif operator == "+" and type(a) == "table" and type(b) == "table" and a.kind == b.kind and is_sequence(a) then
    charge(context, #a.items + #b.items)
    return joined(a, b)
  elseif operator == "*" and is_sequence(a) and math.type(b) == "integer" then
    return repeated(context, a, b)
  elseif operator == "*" and is_sequence(b) and math.type(a) == "integer" then
    return repeated(context, b, a)
  end
  local x, y = pyvalue.number_of(a), pyvalue.number_of(b)
  if not (x and y) then
    need_defined(a)
    need_defined(b)
    local left, right = pyvalue.type_name(a), pyvalue.type_name(b)
    error(("unsupported operand type(s) for %s: '%s' and '%s'"):format(operator, left, right), 0)
  end
  return ARITHMETIC[operator](x, y)
end

local COMPARE = {
  ["=="] = pyvalue.equal,
  ["!="] = function(a, b)
    return not pyvalue.equal(a, b)
  end,
  ["<"] = function(a, b)
    return pyvalue.less(need_defined(a), need_defined(b), "<")
  end,
  [">"] = function(a, b)
    return pyvalue.less(need_defined(b), need_defined(a), ">")
  end,
  ["<="] = function(a, b)
    return pyvalue.less(need_defined(a), need_defined(b), "<=") or pyvalue.equal(a, b)
  end,
  [">="] = function(a, b)
    return pyvalue.less(need_defined(b), need_defined(a), ">=") or pyvalue.equal(a, b)
  end,
  ["in"] = function(a, b)
    return pyvalue.contains(b, a)
  end,
  ["not in"] = function(a, b)
    return not pyvalue.contains(b, a)
  end,
}

-- Subscripts.

local function item_of(value, index)
  local kind = pyvalue.kind(value)
  if kind == "undefined" then
    need_defined(value)
  elseif kind == "dict" then
    local found = value.map[index]
    if found ~= nil then
      return found
    end
  elseif (kind == "list" or kind == "tuple" or kind == "string") and math.type(index) == "integer" then
    local items = pyvalue.items(value)
    local found = items[index < 0 and #items + index + 1 or index + 1]
    if found ~= nil then
      return found
    end
  end
  if type(index) == "string" then
    local method = builtins.attribute(value, index)
    if method ~= nil then
      return method
    end
  end
  return undefined(("'%s object' has no attribute %s"):format(pyvalue.type_name(value), pyvalue.repr(index)))
end

local function attribute_of(value, name)
  need_defined(value)
  local found = builtins.attribute(value, name)
  if found ~= nil then
    return found
  end
  if pyvalue.kind(value) == "dict" and value.map[name] ~= nil then
    return value.map[name]
  end
  return undefined(("'%s object' has no attribute '%s'"):format(pyvalue.type_name(value), name))
end

local function slice_bound(v, name)
  if v == nil or v == none then
    return nil
  elseif math.type(v) ~= "integer" then
    error(("a slice's %s is a '%s', not an integer"):format(name, pyvalue.type_name(v)), 0)
  end
  return v
end

-- Python's slice: bounds from the end where negative, then clipped.
local function sliced(value, from, to, step)
  local items, result = pyvalue.items(value), {}
  local n = #items
  step = step or 1
  if step == 0 then
    error("slice step cannot be zero", 0)
  end
  local low, high = step > 0 and 0 or -1, step > 0 and n or n - 1
  local function clip(bound, default)
    if not bound then
      return default
    end
    return math.max(low, math.min(high, bound < 0 and bound + n or bound))
  end
  local start, stop = clip(from, step > 0 and low or high), clip(to, step > 0 and high or low)
  for i = start, stop + (step > 0 and -1 or 1), step do
    result[#result + 1] = items[i + 1]
  end
  return type(value) == "string" and table.concat(result) or pyvalue.list(result, value.kind)
end

-- Calls.

local function arguments(call, frame)
  local args, kwargs, order = {}, {}, {} -- order: the named ones as they were written, for dict(a=1, b=2)
  for i, argument in ipairs(call.args) do
    args[i] = evaluate(argument, frame)
  end
  if call.dyn_args then
    for _, item in ipairs(pyvalue.items(evaluate(call.dyn_args, frame))) do
      args[#args + 1] = item
    end
  end
  for _, pair in ipairs(call.kwargs) do
    kwargs[pair.name] = evaluate(pair.value, frame)
    order[#order + 1] = pair.name
  end
  if call.dyn_kwargs then
    local dict = evaluate(call.dyn_kwargs, frame)
    for _, key in ipairs(pyvalue.items(dict)) do
      kwargs[pyvalue.str(key)] = dict.map[key]
      order[#order + 1] = pyvalue.str(key)
    end
  end
  return args, kwargs, order
end

local function invoke(callee, context, args, kwargs, order)
  if pyvalue.kind(callee) ~= "function" and not (pyvalue.kind(callee) == "loop" and callee.call) then
    need_defined(callee)
    error(("'%s' object is not callable"):format(pyvalue.type_name(callee)), 0)
  end
  context.depth = context.depth + 1
  if context.depth > context.max_depth then
    lexer.limit(context.line, "calls nest more than %d deep: the template recurses without end?", context.max_depth)
  end
  local result = callee.call(args, kwargs, context, order)
  context.depth = context.depth - 1
  return paid(context, result)
end

-- Binds a macro's parameters; what is left over is its varargs and kwargs.
local function bind(macro, frame, args, kwargs, order)
  local vars, used = frame.vars, {}
  for i, param in ipairs(macro.params) do
    local value = args[i]
    if value == nil then
      value, used[param.name] = kwargs[param.name], true
    end
    if value == nil and param.default then
      value = evaluate(param.default, frame)
    end
    if value == nil then
      value = undefined(("parameter '%s' was not provided"):format(param.name))
    end
    vars[param.name] = value
  end
  vars.varargs = pyvalue.list(table.move(args, #macro.params + 1, #args, 1, {}), "tuple")
  local rest = pyvalue.dict()
  for _, name in ipairs(order) do
    if not used[name] then
      pyvalue.put(rest, name, kwargs[name])
    end
  end
  vars.kwargs, vars.caller = rest, kwargs.caller
end

local function macro_of(statement, frame)
  return pyvalue.callable(statement.name, function(args, kwargs, _, order)
    local inner = child(frame)
    bind(statement, inner, args, kwargs, order)
    return (captured(inner, statement.body))
  end)
end

-- Expressions.

local expressions = {}

function expressions.literal(e)
  return e.value
end

function expressions.constant(e)
  if e.name == "none" then
    return none
  end
  return e.name == "true"
end

function expressions.name(e, frame)
  return lookup(frame, e.name)
end

local function evaluated(nodes, frame)
  local items = {}
  for i, item in ipairs(nodes) do
    items[i] = evaluate(item, frame)
  end
  return items
end

function expressions.list(e, frame)
  return pyvalue.list(evaluated(e.items, frame))
end

function expressions.tuple(e, frame)
  return pyvalue.list(evaluated(e.items, frame), "tuple")
end

function expressions.dict(e, frame)
  local dict = pyvalue.dict()
  for _, pair in ipairs(e.pairs) do
    pyvalue.put(dict, evaluate(pair.key, frame), evaluate(pair.value, frame))
  end
  return dict
end

function expressions.conditional(e, frame)
  if pyvalue.truthy(evaluate(e.test, frame)) then
    return evaluate(e.value, frame)
  elseif e.other then
    return evaluate(e.other, frame)
  end
  return undefined "the inline if-expression evaluated to false and no else section was defined"
end

expressions["or"] = function(e, frame)
  local left = evaluate(e.left, frame)
  return pyvalue.truthy(left) and left or evaluate(e.right, frame)
end

expressions["and"] = function(e, frame)
  local left = evaluate(e.left, frame)
  if pyvalue.truthy(left) then
    return evaluate(e.right, frame)
  end
  return left
end

expressions["not"] = function(e, frame)
  return not pyvalue.truthy(evaluate(e.value, frame))
end

function expressions.compare(e, frame)
  local left = evaluate(e.first, frame)
  for _, link in ipairs(e.chain) do
    local right = evaluate(link.value, frame)
    if not COMPARE[link.operator](left, right) then
      return false
    end
    left = right
  end
  return true
end

function expressions.binary(e, frame)
  return operate(frame.context, e.operator, evaluate(e.left, frame), evaluate(e.right, frame))
end

local function number(v)
  local n = pyvalue.number_of(need_defined(v))
  if not n then
    error(("bad operand type for a sign: '%s'"):format(pyvalue.type_name(v)), 0)
  end
  return n
end

function expressions.negative(e, frame)
  return -number(evaluate(e.value, frame))
end

function expressions.positive(e, frame)
  return number(evaluate(e.value, frame))
end

function expressions.attribute(e, frame)
  return attribute_of(evaluate(e.value, frame), e.name)
end

function expressions.item(e, frame)
  return item_of(evaluate(e.value, frame), evaluate(e.index, frame))
end

function expressions.slice(e, frame)
  local value = need_defined(evaluate(e.value, frame))
  local function bound(name)
    return slice_bound(e[name] and evaluate(e[name], frame), name)
  end
  if not is_sequence(value) then
    error(("'%s' object is not subscriptable by a slice"):format(pyvalue.type_name(value)), 0)
  end
  return sliced(value, bound "from", bound "to", bound "step")
end

function expressions.call(e, frame)
  local callee = evaluate(e.callee, frame)
  return invoke(callee, frame.context, arguments(e.call, frame))
end

function expressions.filter(e, frame)
  local filter = builtins.filters[e.name]
  if not filter then
    lexer.fail(e.line, "the filter '%s' is not supported", e.name)
  end
  local value = evaluate(e.value, frame)
  local args, kwargs = arguments(e.call, frame)
  return paid(frame.context, filter(value, args, kwargs, frame.context))
end

function expressions.test(e, frame)
  local test = builtins.tests[e.name]
  if not test then
    lexer.fail(e.line, "the test 'is %s' is not supported", e.name)
  end
  return test(evaluate(e.value, frame), (arguments(e.call, frame)))
end

function expressions.captured(e, frame)
  return (captured(child(frame), e.body))
end

function evaluate(e, frame)
  local context = frame.context
  context.line = e.line
  context.steps = context.steps + 1
  if context.steps > context.max_steps then
    charge(context, 0)
  end
  local value = expressions[e.kind](e, frame)
  context.line = e.line
  return value
end

-- Statements. One returns "break" or "continue" where its loop is to act on it.

local statements = {}

local function assign(target, value, frame)
  if target.kind == "target" then
    frame.vars[target.name] = value
  elseif target.kind == "attribute_target" then
    local namespace = lookup(frame, target.name)
    if pyvalue.kind(namespace) ~= "namespace" then
      error(("cannot set '%s.%s': only a namespace's attributes can be set"):format(target.name, target.field), 0)
    end
    namespace.map[target.field] = value
  else
    local items = pyvalue.items(value)
    if #items ~= #target.items then
      error(("%s values to unpack: expected %d, got %d"):format(#items < #target.items and "not enough" or "too many",
        #target.items, #items), 0)
    end
    for i, part in ipairs(target.items) do
      assign(part, items[i], frame)
    end
  end
end

function statements.data(s, frame)
  emit(frame.context, s.value)
end

function statements.output(s, frame)
  emit(frame.context, pyvalue.str(evaluate(s.value, frame)))
end

function statements.set(s, frame)
  assign(s.target, evaluate(s.value, frame), frame)
end

function statements.block(s, frame)
  return run(s.body, frame)
end

function statements.with(s, frame)
  local inner = child(frame)
  for _, pair in ipairs(s.sets) do
    assign(pair.target, evaluate(pair.value, inner), inner)
  end
  return run(s.body, inner)
end

function statements.macro(s, frame)
  frame.vars[s.name] = macro_of(s, frame)
end

function statements.call_block(s, frame)
  local callee = evaluate(s.callee, frame)
  local args, kwargs, order = arguments(s.call, frame)
  kwargs.caller = macro_of(s, frame)
  emit(frame.context, pyvalue.str(invoke(callee, frame.context, args, kwargs, order)))
end

statements["if"] = function(s, frame)
  for _, branch in ipairs(s.branches) do
    if pyvalue.truthy(evaluate(branch.test, frame)) then
      return run(branch.body, frame)
    end
  end
  return s.other and run(s.other, frame)
end

statements["break"] = function()
  return "break"
end

statements["continue"] = function()
  return "continue"
end

local function wanted(s, items, frame)
  if not s.test then
    return items
  end
  charge(frame.context, #items)
  local kept = {}
  for _, item in ipairs(items) do
    local inner = child(frame)
    assign(s.target, item, inner)
    if pyvalue.truthy(evaluate(s.test, inner)) then
      kept[#kept + 1] = item
    end
  end
  return kept
end

local function run_loop(s, items, frame, depth)
  items = wanted(s, items, frame)
  local again = s.recursive and function(args)
    return (captured({ vars = {}, parent = frame, context = frame.context, loop_again = function(inner)
      run_loop(s, pyvalue.items(args[1] or none), inner, depth + 1)
    end }, { { kind = "loop_again", line = s.line } }))
  end or nil
  local loop = builtins.loop(items, depth, again)
  for i, item in ipairs(items) do
    charge(frame.context, 1)
    local inner = child(frame)
    loop.index0 = i - 1
    assign(s.target, item, inner)
    inner.vars.loop = loop
    if run(s.body, inner) == "break" then
      break
    end
  end
  if #items == 0 and s.other then
    return run(s.other, frame)
  end
end

function statements.loop_again(_, frame)
  frame.loop_again(frame)
end

statements["for"] = function(s, frame)
  return run_loop(s, pyvalue.items(evaluate(s.iter, frame)), frame, 1)
end

function run(body, frame)
  for _, statement in ipairs(body) do
    local context = frame.context
    context.line = statement.line
    charge(context, 1)
    local signal = statements[statement.kind](statement, frame)
    if signal then
      return signal
    end
  end
end

-- Runs a tree over variables (Lua values or pyvalue's). limits: max_steps, max_bytes, max_depth, now (Unix time).
-- Raises as lexer.fail does, or a text where an operation failed: `context.line` says where.
function evaluator.run(tree, variables, context)
  context.out, context.steps, context.bytes, context.depth, context.line = {}, 0, 0, 0, 1
  local vars = {}
  for name, value in pairs(variables) do
    vars[name] = pyvalue.from_lua(value)
  end
  run(tree, { vars = vars, context = context })
  return table.concat(context.out)
end

return evaluator
