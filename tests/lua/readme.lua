-- readme: what the documents quote is what the files hold.
local fs = require "lre.fs"
local test = require "lre.unit"

local function read(name)
  return assert(fs.read(test.root .. "/" .. name))
end

---{ file, block } for each fenced block that follows a comment `<!-- examples/FILE -->`.
local function quoted(text)
  local out = {}
  for file, block in text:gmatch "<!%-%- (examples/[^ ]+) %-%->\n```%w*\n(.-)```\n" do
    out[#out + 1] = { file = file, block = block }
  end
  return out
end

test("a_readme_block_that_names_an_example_is_that_file_byte_for_byte", function()
  local blocks = quoted(read "README.md")
  test.ok(#blocks >= 2, "the recipes are quoted")
  table.move(quoted(read "docs/mock.md"), 1, 1, #blocks + 1, blocks)
  for _, q in ipairs(blocks) do test.eq(q.block, read(q.file), q.file) end
end)

test("every_readme_comment_that_names_an_example_is_followed_by_its_block", function()
  local text = read "README.md"
  test.eq(select(2, text:gsub("<!%-%- examples/", "")), #quoted(text))
end)

test("every_file_that_the_readme_links_to_is_there", function()
  for target in read("README.md"):gmatch "%]%(([^)#:]+)%)" do
    test.ok(fs.stat(test.root .. "/" .. target), target)
  end
end)

test("the_readme_leads_to_every_page_of_the_docs", function()
  local text = read "README.md"
  for _, name in ipairs(assert(fs.list(test.root .. "/docs"))) do
    if name:find "%.md$" then test.has(text, "](docs/" .. name .. ")") end
  end
end)

test("the_readmes_commands_are_run_by_a_transcript", function()
  local recipes = read "tests/cli/recipes.t":gsub("%$NGINX", "http://127.0.0.1:8000"):gsub("%$ROOT/", "")
  for block in read("README.md"):gmatch "```sh\n(.-)```\n" do
    for line in ("\n" .. block):gmatch "\n(lre [^\n]+)" do test.has(recipes, "$ " .. line) end
  end
end)

test("docs_options_is_what_lre_help_markdown_prints", function()
  test.eq(read "docs/options.md", test.lre("help", "--markdown").out)
end)

test("every_flag_in_the_man_page_and_the_docs_is_a_flag_of_some_command", function()
  local options = read "docs/options.md"
  local page = read("docs/lre.1"):gsub("\\%-", "-")
  for flag in page:gmatch "%-%-%w[%w-]+" do
    test.ok(options:find(flag, 1, true) or flag == "--version", flag)
  end
end)

test("the_man_page_names_every_command", function()
  local page = read "docs/lre.1"
  for _, name in ipairs(require("lre.cli").commands()) do test.has(page, "\n.B " .. name) end
end)
