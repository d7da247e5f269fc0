-- Chat templates: the part of Jinja that published instruct templates are written in, with transformers' settings, so
-- that a local model is prompted byte for byte as its authors mean it. Own code: Debian has no Jinja for C or Lua.
local evaluator = require "lre.jinja_eval"
local parser = require "lre.jinja_parser"

local jinja = {}

-- Templates come with downloaded models: one that recurses or loops for ever ends here. Published ones take a few
-- thousand steps for a long conversation.
jinja.limits = { max_steps = 5000000, max_bytes = 64 << 20, max_depth = 100 }

local Template = {}
Template.__index = Template

local function failure(name, raised, line)
  if type(raised) ~= "table" or not raised.template then
    raised = { message = tostring(raised) }
  end
  local code = raised.raised and "raised" or raised.limit and "limit" or "template"
  return setmetatable({ kind = "template", code = code, line = raised.line or line,
    message = ("%s:%d: %s"):format(name, raised.line or line or 1, raised.message) }, {
    __tostring = function(self)
      return self.message
    end,
  })
end

---A template's source made ready to run, or nil and an error that names the line.
---@param source string
---@param name string? what errors call it ("chat_template")
---@return lre.Template? template, lre.Error? err
function jinja.compile(source, name)
  name = name or "template"
  local ok, tree = pcall(parser.parse, source)
  if not ok then
    return nil, failure(name, tree)
  end
  return setmetatable({ name = name, tree = tree }, Template)
end

---The text that the template makes of these variables. `options.now` is the Unix time that strftime_now() shows.
---@param variables table names to Lua values (json.null is None)
---@param options table?
---@return string? text, lre.Error? err
function Template:render(variables, options)
  local limits = jinja.limits
  local context = { max_steps = limits.max_steps, max_bytes = limits.max_bytes, max_depth = limits.max_depth,
    now = options and options.now }
  local ok, text = pcall(evaluator.run, self.tree, variables, context)
  if not ok then
    return nil, failure(self.name, text, context.line)
  end
  return text, nil, context.used_date
end

return jinja
