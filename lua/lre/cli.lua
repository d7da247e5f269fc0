-- cli: from the arguments to a command and its exit code.
-- `--version` and a mistyped command are answered before argparse is loaded: start must stay within milliseconds.
local fs = require "lre.fs"
local platform = require "lre.platform"

local cli = {}

-- Flags that may stand before the command's name, as the first seed had them, and how many values each takes.
local GLOBAL = { ["-v"] = 0, ["--verbose"] = 0, ["-q"] = 0, ["--quiet"] = 0, ["--log-level"] = 1 }

---Ends the command: the message goes to stderr as "lre: message", without a traceback.
---@param exit integer 2 usage, 3 invalid input, 4 environment
function cli.fail(exit, message, ...)
  error({ exit = exit, message = select("#", ...) > 0 and message:format(...) or message }, 0)
end

---Text on standard output; a closed pipe or a full disk is an environment error, never silence.
function cli.out(text)
  local ok, err = fs.print("stdout", text)
  if not ok then cli.fail(4, "%s", tostring(err)) end
end

---Text on standard error. Nothing useful can be done when that fails.
function cli.note(text)
  fs.print("stderr", text)
end

---Before anything is read or paid for: can --out (or another flag's file) be written, and is it none of what is read?
---@param flag string "--out"
---@param path string? nil and "-" are standard output
---@param inputs string[] files that are read
function cli.check_out(flag, path, inputs)
  if not path or path == "-" then return end
  local stat = fs.stat(path)
  if stat and stat.type == "folder" then cli.fail(4, "%s: is a folder; expected a file's name", path) end
  local folder = path:match "^(.*)/[^/]*$" or "."
  local parent = fs.stat(folder == "" and "/" or folder)
  if not parent or parent.type ~= "folder" then cli.fail(4, "%s: the folder %s does not exist", path, folder) end
  for _, input in ipairs(inputs) do
    if stat and stat.type == "file" and input ~= "" and fs.same(path, input) then
      cli.fail(2, "%s: %s is read here and would be lost; give another name", flag, path)
    end
  end
end

---Text to a file, whole or not at all; to standard output where the path is nil or "-".
function cli.write(path, text)
  if not path or path == "-" then return cli.out(text) end
  local ok, err = fs.write(path, text)
  if not ok then cli.fail(4, "%s: %s", path, tostring(err)) end
end

---"lre 0.1.0" and the versions of what it stands on.
function cli.version()
  local lib = platform.libraries()
  return ("lre %s (Lua %s, libcurl %s, cJSON %s, PCRE2 %s%s, OpenSSL %s, SQLite %s, utf8proc %s)\n"):format(
    platform.version, lib.lua, lib.curl, lib.cjson, lib.pcre2, lib.pcre2_jit and " JIT" or "", lib.openssl, lib.sqlite,
    lib.utf8proc)
end

---The names of all commands, sorted: the files of lua/commands.
---@return string[]
function cli.commands()
  local names = {}
  for _, file in ipairs(assert(fs.list(platform.lua_dir .. "/commands"))) do
    local name = file:match("^([%w_]+)%.lua$")
    if name then names[#names + 1] = name end
  end
  return names
end

local function unknown_command(word)
  local names = cli.commands()
  local sentence = require("lre.suggest").sentence(word, names)
  cli.fail(2, '"%s" is not a command.%s `lre help` lists them.', word, sentence)
end

---The command's table: { name, summary, options(parser), run(args) }. Raises { exit = 2 } for an unknown one.
function cli.command(word)
  if not word:match("^[%w_]+$") or not fs.stat(platform.lua_dir .. "/commands/" .. word .. ".lua") then
    unknown_command(word)
  end
  return require("commands." .. word)
end

---An argparse parser with the command's options declared.
function cli.parser(command)
  local parser = require "argparse"("lre " .. command.name, command.summary)
  parser:add_help(false)
  parser:flag("-h --help", "Show this help.")
  parser:usage_max_width(100):help_max_width(100):help_description_margin(34)
  command.options(parser)
  if command.epilog then parser:epilog(command.epilog) end
  return parser
end

local function wants_help(args)
  for _, word in ipairs(args) do
    if word == "--" then return false end
    if word == "-h" or word == "--help" then return true end
  end
  return false
end

-- argparse takes "-1" for an option: "--seed -1" reaches it as "--seed=-1", so that the range is what is complained of.
local function join_negative_numbers(args)
  local out = {}
  for _, word in ipairs(args) do
    local last = out[#out]
    if word:find("^%-%.?%d") and last and last:find("^%-%-%w[%w-]*$") then
      out[#out] = last .. "=" .. word
    else
      out[#out + 1] = word
    end
  end
  return out
end

-- Names end up in files that must be UTF-8: said here, not when the first of them is written.
local function check_utf8(args)
  local text = require "lre.text"
  for _, word in ipairs(args) do
    local ok, offset = text.valid_utf8(word)
    if not ok then cli.fail(2, 'the argument "%s" is not valid UTF-8 (byte %d)', word, offset) end
  end
end

-- Runs a command with its own arguments.
local function dispatch(word, args)
  local command = cli.command(word)
  local parser = cli.parser(command)
  if wants_help(args) then
    cli.out(parser:get_help() .. "\n")
    return 0
  end
  local rest = {}
  if command.takes_rest then args, rest = cli.split_rest(args) end
  check_utf8(args)
  local ok, parsed = parser:pparse(join_negative_numbers(args))
  if not ok then cli.fail(2, "%s\nTry `lre %s --help`.", tostring(parsed), command.name) end
  parsed.rest = rest
  return command.run(parsed)
end

---Splits a list at its first "--": what stands before it, what stands after it.
function cli.split_rest(args)
  local before, after, seen = {}, {}, false
  for _, word in ipairs(args) do
    if not seen and word == "--" then
      seen = true
    else
      local list = seen and after or before
      list[#list + 1] = word
    end
  end
  return before, after
end

-- Moves global flags from before the command's name to behind it.
local function normalise(args)
  local flags, i = {}, 1
  while GLOBAL[args[i]] do
    for k = i, i + GLOBAL[args[i]] do flags[#flags + 1] = args[k] end
    i = i + 1 + GLOBAL[args[i]]
  end
  local rest = table.move(args, i + 1, #args, 1, {})
  return args[i], table.move(rest, 1, #rest, #flags + 1, flags)
end

local function run(args)
  local word, rest = normalise(args)
  if word == "--version" then
    cli.out(cli.version())
    return 0
  end
  if not word or word == "--help" or word == "-h" then return dispatch("help", rest) end
  if word:sub(1, 1) == "-" then cli.fail(2, "unknown option %s before a command. Try `lre help`.", word) end
  return dispatch(word, rest)
end

-- Errors that carry an exit code are meant for the user, and so is a file that cannot be read (fs.lines raises);
-- everything else is a bug and keeps its traceback.
local function handler(err)
  if type(err) == "table" and err.exit then return err end
  if type(err) == "table" and err.kind == "io" then return { exit = 4, message = tostring(err) } end
  return { exit = 3, message = debug.traceback(tostring(err), 2) }
end

---Text fit for a terminal: no secret, no escape sequence of someone else's.
function cli.safe(text)
  return require("lre.text").terminal(require("lre.http").redact(text), true)
end

---Runs the tool. `args` are the words after the program's name. Returns the exit code.
---@param args string[]
---@return integer
function cli.main(args)
  collectgarbage("incremental", 200, 400) -- longer pauses: the same time, more memory
  local ok, result = xpcall(run, handler, args)
  if ok then return math.tointeger(result) or 0 end
  if result.exit == 0 then -- a script's `--help`
    return fs.print("stdout", result.message .. "\n") and 0 or 4
  end
  fs.print("stderr", "lre: " .. cli.safe(tostring(result.message)) .. "\n")
  return result.exit
end

return cli
