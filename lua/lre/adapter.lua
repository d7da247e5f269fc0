-- adapter: how to talk to a provider. Two pure functions (`request`, `response`), or one `call` for what is not HTTP.
local catalog = require "lre.catalog"
local options = require "lre.options"
local shape = require "lre.shape"

local adapter = {}

local env_name = shape.string { pattern = "^[%a_][%w_]*$", what = "the name of an environment variable" }

---Where a key goes: into this header, behind this prefix.
adapter.auth = shape.record {
  header = shape.string { pattern = "^[%w-]+$", what = "the name of a header" },
  prefix = shape.optional(shape.string()),
}

local schema = shape.record {
  name = shape.name,
  version = shape.optional(shape.string { min = 1 }),
  summary = shape.optional(shape.string()),
  key_env = shape.optional(env_name),
  auth = shape.optional(shape.either(adapter.auth, shape.func())),
  options = shape.optional(options.schema),
  params = shape.optional(shape.list(shape.string { min = 1 })),
  structured = shape.optional(shape.boolean()), -- it takes params.reply_schema = { name, schema, strict }
  request = shape.optional(shape.func()),
  response = shape.optional(shape.func()),
  call = shape.optional(shape.func()),
  check = shape.optional(shape.func()),
  machine = shape.optional(shape.list(shape.string { min = 1 })),
  open = shape.optional(shape.func()),
  hosts = shape.optional(shape.list(shape.string { pattern = "^https?://", what = "a URL with http:// or https://" })),
}

-- What the shape cannot say: exactly one way to answer.
local rules = {
  what = schema.what,
  check = function(_, t, path, out)
    schema:check(t, path, out)
    if type(t) ~= "table" then
      return
    end
    local function say(field, detail)
      out[#out + 1] = { path = field, detail = detail }
    end
    if t.call and (t.request or t.response) then
      say("call", "an adapter has either `call` or `request` and `response`, not both")
    elseif not t.call and not (t.request and t.response) then
      say(t.request and "response" or "request", "expected `request` and `response`, or `call`, got nil")
    end
  end,
}

---lre.adapter{ name, key_env?, auth?, options?, params?, check?, open?, machine?, request + response | call }
---`open(model)` is called once a model is resolved: it may wait, and gives facts (plain data) that its answers depend
---on beside the request; they are part of the request's hash and of results. A second value is the id that requests
---and results name, where the one given is a place on this machine. `machine` names options that change how fast an
---answer comes and nothing else: they are part of neither.
---`auth` may be a function of the options; `check(options, params)` says what is wrong with them (a sentence), or nil.
---@param t table
---@return table t
function adapter.declare(t)
  return shape.declare("adapter", rules, t)
end

---Opens an adapter by name or path, or takes one that an experiment declared.
---@param name string|table
---@return lre.Adapter
function adapter.open(name)
  local t, chunk = name, nil
  if type(name) == "string" then
    t, chunk = catalog.load(catalog.find("adapters", name).path, "adapter")
  else
    shape.expect_mark(name, "adapter", "adapters")
  end
  return {
    name = t.name,
    version = t.version or "1",
    summary = t.summary,
    key_env = t.key_env,
    auth = t.auth,
    options = t.options or {},
    params = t.params,
    structured = t.structured,
    request = t.request,
    response = t.response,
    call = t.call,
    check = t.check,
    machine = t.machine,
    open = t.open,
    hosts = t.hosts,
    source_hash = chunk and chunk.hash,
    path = chunk and chunk.path,
  }
end

return adapter
