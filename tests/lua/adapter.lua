-- adapter: the shape of a provider's file.
local adapter = require "lre.adapter"
local test = require "lre.unit"

local function noop() end

local function failure(t)
  local ok, err = pcall(adapter.declare, t)
  test.eq(ok, false)
  return tostring(err)
end

test("a_pair_or_a_call_and_nothing_else", function()
  test.eq(failure { name = "x" }, "request: expected `request` and `response`, or `call`, got nil")
  test.eq(failure { name = "x", request = noop }, "response: expected `request` and `response`, or `call`, got nil")
  local both = failure { name = "x", request = noop, response = noop, call = noop }
  test.eq(both, "call: an adapter has either `call` or `request` and `response`, not both")
end)

test("wrong_fields_are_named", function()
  test.eq(failure { name = "a/b", call = noop }:match "^name: expected name" ~= nil, true)
  test.eq(failure { name = "x", call = noop, keyenv = "K" }, 'keyenv: unknown key. Did you mean "key_env"?')
  test.eq(failure { name = "x", call = noop, key_env = "A B" },
    'key_env: expected the name of an environment variable, got string "A B"')
  test.eq(failure { name = "x", call = noop, options = { base_url = "http" } },
    'options.base_url: expected { default, documentation }, got string "http"')
end)

test("a_declared_adapter_opens_with_its_options", function()
  local opened = adapter.open(adapter.declare {
    name = "x",
    request = noop,
    response = noop,
    options = { base_url = { "https://x.example", "endpoint" } },
  })
  test.eq(opened.name, "x")
  test.eq(opened.options.base_url[1], "https://x.example")
  test.eq(opened.request, noop)
end)

test("every_installed_adapter_opens", function()
  local catalog = require "lre.catalog"
  local seen = 0
  for _, entry in ipairs(catalog.list "adapters") do
    if entry.origin == "installed" then
      test.eq(type(adapter.open(entry.path).name), "string")
      seen = seen + 1
    end
  end
  if seen == 0 then
    test.skip "no adapter is installed"
  end
end)
