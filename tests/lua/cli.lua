-- cli: what a person at the terminal gets.
local fs, process = require "lre.fs", require "lre.process"
local defaults = require "lre.defaults"
local test = require "lre.unit"

local function script(text)
  local path = test.folder() .. "/script.lua"
  assert(fs.write(path, text))
  return path
end

test("version_names_the_libraries", function()
  local result = test.lre("--version")
  test.eq(result.exit, 0)
  for _, part in ipairs { "lre ", "Lua 5.4", "libcurl", "cJSON", "PCRE2", "OpenSSL" } do test.has(result.out, part) end
end)

test("a_mistyped_command_gets_the_nearest_and_exit_2", function()
  local result = test.lre("rnu")
  test.eq(result.exit, 2)
  test.has(result.err, 'Did you mean "run"?')
end)

test("a_path_is_no_command", function()
  test.eq(test.lre("../commands/run").exit, 2)
end)

test("a_flag_out_of_its_range_gets_the_range_and_exit_2", function()
  for flag, range in pairs { ["--concurrency=0"] = "from 1 to 10000", ["--temperature=3"] = "from 0 to 2",
    ["--fake-refusal-rate=1.5"] = "from 0 to 1", ["--limit=0"] = "at least 1", ["--seed=-1"] = "from 0 to",
    ["--repeats=1.5"] = "an integer", ["--max-tokens=many"] = "an integer", ["--temperature=nan"] = "a number" } do
    local result = test.lre("run", "--model", "fake/a", "--suite", "harmful_helpful", flag)
    test.eq(result.exit, 2, flag)
    test.has(result.err, range, flag)
  end
end)

test("an_unknown_flag_gets_exit_2", function()
  local result = test.lre("run", "--modle", "x")
  test.eq(result.exit, 2)
  test.has(result.err, "--modle")
end)

test("an_unknown_suite_gets_the_nearest_the_folders_and_exit_3", function()
  local result = test.lre("run", "--model", "fake/a", "--suite", "harmfull_helpful")
  test.eq(result.exit, 3)
  test.has(result.err, "harmful_helpful")
  test.has(result.err, "suites")
end)

test("run_without_a_model_or_a_suite_says_so_and_exits_2", function()
  test.has(test.lre("run", "--suite", "harmful_helpful").err, "--model")
  test.has(test.lre("run", "--model", "fake/a").err, "--suite")
  test.eq(test.lre("run").exit, 2)
end)

test("run_ids_cannot_leave_the_run_folder", function()
  for _, id in ipairs { "../x", "a/b", "..", "." } do
    local result = test.lre("run", "--model", "fake/a", "--suite", "harmful_helpful", "--run-id", id)
    test.eq(result.exit, 2, id)
    test.has(result.err, "--run-id", id)
  end
end)

test("global_flags_may_stand_before_the_command", function()
  test.eq(test.lre("-v", "--log-level", "ERROR", "demo", "--sample", "2").exit, 0)
end)

test("help_lists_every_command_and_each_has_its_own", function()
  local overview = test.lre("help").out
  for _, name in ipairs(require("lre.cli").commands()) do
    test.has(overview, "\n  " .. name)
    local help = test.lre(name, "--help")
    test.eq(help.exit, 0, name)
    test.has(help.out, "Usage: lre " .. name)
  end
end)

test("help_and_markdown_name_every_flag", function()
  local help, markdown = test.lre("run", "--help").out, test.lre("help", "--markdown").out
  for _, e in ipairs(defaults.list("run")) do
    test.has(help, e.flag)
    test.has(markdown, e.flag)
  end
end)

test("completions_come_for_three_shells", function()
  for shell, sign in pairs { bash = "complete -F", zsh = "#compdef lre", fish = "complete -c lre" } do
    local result = test.lre("help", "--completion", shell)
    test.eq(result.exit, 0, shell)
    test.has(result.out, sign, shell)
    test.has(result.out, "concurrency", shell)
  end
  test.eq(process.run({ "bash", "-n", input = test.lre("help", "--completion", "bash").out }).exit, 0)
end)

test("a_script_gets_its_arguments_and_its_integer_is_the_exit_code", function()
  local result = test.lre("script", script 'print(arg[0] ~= nil, arg[1], arg[2]) return 7', "--", "a", "--b")
  test.eq(result.exit, 7)
  test.has(result.out, "true\ta\t--b")
end)

test("a_scripts_declared_options_show_in_its_help", function()
  local path = script [[
    local opt = require("lre").options { limit = { 20, "samples per suite" } }
    print(opt.limit)
  ]]
  local help = test.lre("script", path, "--", "--help")
  test.eq(help.exit, 0)
  test.has(help.out, "samples per suite")
  test.has(test.lre("script", path, "--", "--limit", "30").out, "30")
  test.eq(test.lre("script", path, "--", "--limti", "30").exit, 2)
end)

test("a_scripts_error_has_file_line_and_traceback_and_exit_3", function()
  local result = test.lre("script", script "local x\n\nlocal function f() return x.y end\nf()")
  test.eq(result.exit, 3)
  test.has(result.err, "script.lua:3:")
  test.has(result.err, "traceback")
end)

test("a_script_that_does_not_compile_has_file_and_line_and_exit_3", function()
  local result = test.lre("script", script "local x =\n= 1")
  test.eq(result.exit, 3)
  test.has(result.err, "script.lua:2:")
end)

test("an_error_of_the_world_that_a_script_raises_is_readable", function()
  local result = test.lre("script", script 'assert(require("lre.fs").read("/nonexistent"))')
  test.eq(result.exit, 3)
  test.has(result.err, "/nonexistent")
end)

test("output_that_cannot_be_written_is_exit_4", function()
  local result = process.run { "sh", "-c", test.program .. " demo > /dev/full" }
  test.eq(result.exit, 4)
  test.has(result.err, "standard output")
end)

test("the_demo_prints_the_same_bytes_each_time_and_all_three_tables", function()
  local first = test.lre("demo")
  test.eq(first.exit, 0)
  test.eq(test.lre("demo").out, first.out)
  for _, part in ipairs { "| fake-1b | harmful_helpful | 15 |", "| fake-7b | refusal_calibration | 15 |",
    "by category", "Size (B)", "Next steps" } do
    test.has(first.out, part)
  end
end)

test("the_demo_leaves_nothing_behind", function()
  local folder = test.folder()
  test.eq(process.run({ "sh", "-c", ("cd %s && %s demo > /dev/null"):format(folder, test.program) }).exit, 0)
  test.eq(#fs.list(folder), 0)
end)

test("the_demos_sample_carries_its_tag", function()
  test.has(test.lre("demo", "--sample", "5").out, "harmful_helpful[sampled 5/15, seed=42]")
end)

test("a_refusal_rate_of_0_and_1_are_obeyed", function()
  local json = require "lre.json"
  for _, rate in ipairs { 0, 1 } do
    local data = json.decode(test.lre("demo", "--refusal-rate", tostring(rate), "--json").out)
    for _, row in ipairs(data.rows) do
      if row.model == "fake-1b" then test.eq(row.refused, rate * row.total, row.suite) end
    end
  end
end)

test("docs_options_is_what_help_markdown_prints", function()
  test.eq(assert(fs.read(test.root .. "/docs/options.md")), test.lre("help", "--markdown").out)
end)

test("the_lines_that_ran_are_counted_of_commands_and_of_what_scripts_may_replace", function()
  local file = test.folder() .. "/lua.cov"
  local result = assert(process.run { "env", "LRE_COVERAGE=" .. file, test.program, "demo", "--sample", "1" })
  test.eq(result.exit, 0)
  local ran = assert(fs.read(file))
  for _, name in ipairs { "lua/commands/demo.lua", "lua/lre/run.lua", "lua/adapters/fake.lua", "lua/reports/md.lua" } do
    test.ok(ran:find("\n" .. name .. ":%d"), name)
  end
end)
