-- lre help: commands, one command's options, and the same as Markdown or shell completions.
local cli = require "lre.cli"
local defaults = require "lre.defaults"

local command = {
  name = "help",
  summary = "Show the commands, or one command's options.",
}

function command.options(parser)
  parser:argument("command", "A command."):args("?")
  parser:option("--completion", "Print shell completions."):argname("<SHELL>"):choices { "bash", "zsh", "fish" }
  parser:flag("--markdown", "Print all commands and options as Markdown (docs/options.md).")
  defaults.add(parser, "help")
end

local function overview()
  local lines = { "lre: an evaluation engine for language-model behaviour.\n", "Usage: lre COMMAND [options]\n",
    "Commands:" }
  for _, name in ipairs(cli.commands()) do
    lines[#lines + 1] = ("  %-10s %s"):format(name, cli.command(name).summary)
  end
  lines[#lines + 1] = "\n`lre help COMMAND` or `lre COMMAND --help` shows its options, `lre --version` the versions."
  return table.concat(lines, "\n") .. "\n"
end

-- A parser of the whole tool: what the generators of completions walk over.
local function whole()
  local parser = require "argparse"("lre", "An evaluation engine for language-model behaviour.")
  parser:flag("--version", "Print the version and the libraries' versions.")
  for _, name in ipairs(cli.commands()) do
    local c = cli.command(name)
    c.options(parser:command(name, c.summary))
  end
  return parser
end

local function completion(shell)
  local parser = whole()
  if shell == "bash" then return parser:get_bash_complete() end
  return shell == "zsh" and parser:get_zsh_complete() or parser:get_fish_complete()
end

-- Markdown's own characters in a table's cell.
local function cell(text)
  return (text:gsub("|", "\\|"):gsub("<", "\\<"))
end

local function rows_of(elements)
  local rows = {}
  for _, element in ipairs(elements) do
    local names = {} -- argparse aligns the aliases for a terminal and ends each but the last in a comma
    for i, line in ipairs(element:_get_label_lines()) do names[i] = line:match("^%s*(.-),?%s*$") end
    local label = table.concat(names, ", "):gsub("|", "\\|")
    rows[#rows + 1] = ("| `%s` | %s |"):format(label, cell(element._description or ""))
  end
  return rows
end

-- Of one command: its arguments, then its options by group.
local function section(name)
  local c = cli.command(name)
  local parser = cli.parser(c)
  local out = { ("## lre %s\n\n%s\n"):format(name, c.summary), "| option | what |\n|---|---|" }
  table.move(rows_of(parser._arguments), 1, #parser._arguments, #out + 1, out)
  table.move(rows_of(parser._options), 1, #parser._options, #out + 1, out)
  if c.epilog then out[#out + 1] = "\n" .. c.epilog end
  return table.concat(out, "\n") .. "\n"
end

local function markdown()
  local parts = { "# Commands and options\n\nMade by `lre help --markdown` from lua/lre/defaults.lua.\n\n"
    .. "Every flag has a variable: `--max-tokens` is `LRE_MAX_TOKENS` (docs/settings.md).\n" }
  for _, name in ipairs(cli.commands()) do parts[#parts + 1] = section(name) end
  return table.concat(parts, "\n")
end

function command.run(args)
  if args.completion then
    cli.out(completion(args.completion))
  elseif args.markdown then
    cli.out(markdown())
  elseif args.command then
    cli.out(cli.parser(cli.command(args.command)):get_help() .. "\n")
  else
    cli.out(overview())
  end
  return 0
end

return command
