-- Chat templates: our Jinja against recorded output of the real one (tests/infer/make_templates.py); what it refuses.
local fs, hash, json = require "lre.fs", require "lre.hash", require "lre.json"
local chat_template = require "lre.chat_template"
local jinja = require "lre.jinja"
local platform = require "lre.platform"
local test = require "lre.unit"

local FOLDER = test.root .. "/tests/infer"
local NOW = 1721952000 -- 2024-07-26, as in make_templates.py

local function read(path)
  return assert(fs.read(path, 1 << 24))
end

local function data(name)
  return assert(json.decode(read(FOLDER .. "/" .. name)))
end

local function contexts()
  local list = data "contexts.json"
  for _, context in ipairs(list) do
    context.bos_token, context.eos_token, context.pad_token, context.unk_token = "<s>", "</s>", "<pad>", "<unk>"
    context.documents = json.null
  end
  return list
end

local function rendered(source, context)
  local template = jinja.compile(source, "t")
  return template and template:render(context, { now = NOW })
end

local function refusal(source, context)
  local template, err = jinja.compile(source, "t")
  if template then
    local text
    text, err = template:render(context or {})
    test.ok(text == nil, "this was to be refused: " .. source)
  end
  return tostring(err)
end

test("our_templates_of_every_construct_render_as_the_real_jinja_renders_them", function()
  local expected, n = data "templates/expected.json", 0
  for name, texts in pairs(expected) do
    local source = read(FOLDER .. "/templates/" .. name)
    for i, context in ipairs(contexts()) do
      local wanted = texts[i] ~= json.null and texts[i] or nil
      test.eq(rendered(source, context), wanted, name .. " in context " .. i)
      n = n + 1
    end
  end
  test.ok(n >= 45, n)
end)

test("published_templates_render_as_the_real_jinja_renders_them", function()
  local folder = platform.getenv "LRE_TEMPLATES"
    or (platform.getenv "XDG_CACHE_HOME" or (platform.getenv "HOME" or "") .. "/.cache") .. "/lre/templates-0.3.36"
  if not fs.stat(folder) then
    test.skip("no published templates at " .. folder .. ": ./dev deps --templates fetches them")
  end
  local same, total = 0, 0
  for name, recorded in pairs(data "published.json") do
    local source = read(folder .. "/" .. name)
    test.eq(hash.sha256(source), recorded.sha256, name)
    local alike = true
    for i, context in ipairs(contexts()) do
      local text = rendered(source, context)
      local got, wanted = text and hash.sha256(text), recorded.texts[i]
      alike = alike and got == (wanted ~= json.null and wanted or nil)
    end
    total, same = total + 1, same + (alike and 1 or 0)
    test.ok(alike, name .. " differs from the real Jinja")
  end
  test.ok(total >= 50 and same == total, ("%d of %d"):format(same, total))
end)

test("a_message_is_text_and_never_template", function()
  local source = "{% for m in messages %}{{ m.content }}{% endfor %}"
  local hostile = "{{ messages }}{% for x in y %}{# c #}{% raw %}"
  test.eq(rendered(source, { messages = { { role = "user", content = hostile } } }), hostile)
end)

test("what_is_not_supported_is_named_with_its_line", function()
  test.eq(refusal "a\n{% include 'x' %}", "t:2: the tag {% include %} is not supported")
  test.eq(refusal "a\n\n{{ x|frobnicate }}", "t:3: the filter 'frobnicate' is not supported")
  test.eq(refusal "{{ x is frobnicated }}", "t:1: the test 'is frobnicated' is not supported")
  test.eq(refusal "{% if x %}\n{% for y in z %}", "t:2: this tag is never closed: expected {% endfor %}")
  test.eq(refusal "{{ 'x", "t:1: a string that begins with ' never ends")
  test.eq(refusal "x {# y", "t:1: a comment {# never ends")
  test.eq(refusal "{{ (1 }}", "t:1: unexpected '}'")
  test.eq(refusal "{% endif %}", "t:1: the tag {% endif %} is not supported")
end)

test("what_fails_in_python_fails_here_with_its_line", function()
  test.eq(refusal("\n{{ x.y.z }}", { x = {} }), "t:2: 'dict object' has no attribute 'y'")
  test.eq(refusal("{{ 'a' + 1 }}"), "t:1: unsupported operand type(s) for +: 'str' and 'int'")
  test.eq(refusal("{{ 1 // 0 }}"), "t:1: division by zero")
  test.has(refusal("{{ [1].append(2) }}"), "templates may not change lists and dictionaries")
  test.eq(refusal("{{ 9223372036854775807 + 1 }}"), "t:1: an integer grew past 64 bits")
  local template = jinja.compile("{{ raise_exception('no ' ~ 1) }}", "t")
  local _, err = template:render {}
  test.eq(err.message, "t:1: no 1")
  test.eq(err.code, "raised")
end)

test("a_template_that_never_ends_ends_at_a_limit", function()
  local forever = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
  test.has(refusal(forever), "did not end within")
  test.has(refusal "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recurses without end")
  test.has(refusal "{% set x = 'x' * 1000000000000 %}", "bytes of text")
  test.has(refusal "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "bytes of text")
  test.has(refusal "{{ range(100001) }}", "more than 100000 items")
  test.has(refusal("{{ " .. ("("):rep(1000) .. "1" .. (")"):rep(1000) .. " }}"), "nested more than")
  test.has(refusal "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
    "t:1: ")
end)

local function folder_with(files)
  local folder = test.folder()
  for name, text in pairs(files) do
    assert(fs.write(folder .. "/" .. name, text))
  end
  return folder
end

local MESSAGES = { { role = "user", content = "hi" } }

test("a_folders_own_template_comes_before_the_one_in_its_configuration", function()
  local config = '{"model_max_length":1000000000000000019884624838656,"bos_token":{"content":"<s>"},'
    .. '"chat_template":"config {{ bos_token }}"}'
  local chat = assert(chat_template.open(folder_with { ["tokenizer_config.json"] = config }))
  test.eq(chat:render(MESSAGES), "config <s>")
  chat = assert(chat_template.open(folder_with { ["tokenizer_config.json"] = config,
    ["chat_template.jinja"] = "file {{ bos_token }}{{ messages[0].content }}{{ add_generation_prompt }}" }))
  test.eq(chat:render(MESSAGES), "file <s>hiTrue")
  test.eq(chat:render(MESSAGES, { add_generation_prompt = false }), "file <s>hiFalse")
end)

test("of_several_named_templates_the_default_one_is_taken", function()
  local chat = assert(chat_template.open(folder_with { ["tokenizer_config.json"] =
    '{"chat_template":[{"name":"tool_use","template":"no"},{"name":"default","template":"yes"}]}' }))
  test.eq(chat:render(MESSAGES), "yes")
end)

test("a_date_in_a_prompt_is_the_one_the_run_names", function()
  local chat = assert(chat_template.open(folder_with { ["chat_template.jinja"] = "{{ strftime_now('%d %b %Y') }}" }))
  test.eq(chat:render(MESSAGES), "26 Jul 2024")
  test.eq(chat:render(MESSAGES, { date = "2000-02-29" }), "29 Feb 2000")
  test.has(tostring(select(2, chat:render(MESSAGES, { date = "tomorrow" }))), "expected YYYY-MM-DD")
end)

test("a_folder_without_a_template_says_what_to_do", function()
  local chat, err = chat_template.open(folder_with { ["tokenizer_config.json"] = "{}" })
  test.eq(chat, nil)
  test.has(tostring(err), "--no-chat-template")
  chat, err = chat_template.open(folder_with { ["tokenizer_config.json"] = "{" })
  test.eq(chat, nil)
  test.has(tostring(err), "tokenizer_config.json")
end)
