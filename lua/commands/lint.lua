-- lre lint FILE...: checks suites, judges, adapters, personas and reports. Needs no key, sends nothing.
local catalog = require "lre.catalog"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local json = require "lre.json"
local judge = require "lre.judge"
local suite = require "lre.suite"
local text = require "lre.text"

local command = {
  name = "lint",
  summary = "Check suite files (and judges, adapters, ...): JSON, keys, categories, duplicates.",
}

function command.options(parser)
  parser:argument("file", "Files or names of suites."):args "+"
  parser:flag("--json", "Print data instead of lines.")
  defaults.add(parser, "lint")
end

-- What a script declares, by its `return lre.judge {`: known without running it.
local function declared_kind(path)
  if not path:find "%.lua$" then
    return "suite"
  end
  local kind = catalog.chunk(path).source:match "return%s+lre%.(%a+)%s*[{(]" or "suite"
  return kind == "triplets" and "suite" or kind
end

local function check_suite(file)
  local opened = suite.open(file)
  local check = opened:check { texts = true }
  return {
    count = check.count,
    hash = check.hash,
    categories = check.categories,
    problems = check.problems,
    warnings = check.warnings,
    more = check.more,
  }
end

local function check_script(file, kind)
  if kind == "judge" then
    local declared, chunk = judge.describe(file)
    return { count = #(declared.examples or {}), hash = chunk.hash, problems = {}, warnings = {}, more = 0 }
  end
  local _, chunk = catalog.load(file, kind)
  return { hash = chunk.hash, problems = {}, warnings = {}, more = 0 }
end

-- What ends the reading of a file (a script error, no such file) is a finding like any other.
local function as_problem(file, err)
  local message = tostring(type(err) == "table" and err.message or err)
  local line = message:sub(1, #file + 1) == file .. ":" and message:match("^(%d+):", #file + 2)
  local where = file .. (line and ":" .. line or "")
  local detail = message:sub(1, #where + 2) == where .. ": " and message:sub(#where + 3) or message
  return { file = file, line = math.tointeger(tonumber(line)), detail = detail, message = message }
end

local function check_file(file)
  local kind = "suite"
  local ok, result = xpcall(function()
    if catalog.is_path(file) and fs.stat(file) then
      kind = declared_kind(file)
    end
    return kind == "suite" and check_suite(file) or check_script(file, kind)
  end, catalog.traceback)
  if not ok then
    result = { problems = { as_problem(file, result) }, warnings = {}, more = 0 }
  end
  result.file, result.kind = file, kind
  return result
end

local function line_of(entry, level)
  local where = entry.line and ("%s:%d"):format(entry.file, entry.line) or entry.file
  local field = entry.field and text.terminal(entry.field) .. ": " or ""
  return ("%s: %s: %s%s"):format(text.terminal(where), level, field, text.terminal(entry.detail, true))
end

local function print_result(result)
  for _, entry in ipairs(result.problems) do
    cli.note(line_of(entry, "error") .. "\n")
  end
  for _, entry in ipairs(result.warnings) do
    cli.note(line_of(entry, "warning") .. "\n")
  end
  if result.more > 0 then
    cli.note(("%s: error: and %d more\n"):format(text.terminal(result.file), result.more))
  end
  if #result.problems + #result.warnings == 0 then
    local what = result.kind == "suite" and ("%d sample%s"):format(result.count, result.count == 1 and "" or "s")
      or result.kind
    cli.out(("OK: %s (%s, hash %s)\n"):format(text.terminal(result.file), what, result.hash:sub(1, 16)))
  end
end

local function plain(list)
  local out = json.array {}
  for i, entry in ipairs(list) do
    out[i] = { file = entry.file, line = entry.line, field = entry.field, message = entry.detail }
  end
  return out
end

function command.run(args)
  defaults.apply(args, "lint")
  local clean, data = true, json.array {}
  for _, file in ipairs(args.file) do
    local result = check_file(file)
    clean = clean and #result.problems + #result.warnings == 0
    if args.json then
      result.problems, result.warnings = plain(result.problems), plain(result.warnings)
      data[#data + 1] = result
    else
      print_result(result)
    end
  end
  if args.json then
    cli.out(json.encode(data, 2))
  end
  return clean and 0 or 1
end

return command
