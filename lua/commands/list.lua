-- lre list suites|judges|adapters|personas|reports: what can be used by name, and where it lies.
local catalog = require "lre.catalog"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local fs = require "lre.fs"
local json = require "lre.json"
local judge = require "lre.judge"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local text = require "lre.text"

local command = {
  name = "list",
  summary = "List suites, judges, adapters, personas or reports with where they lie.",
}

function command.options(parser)
  parser:argument("kind", "suites, judges, adapters, personas or reports.")
  parser:flag("--json", "Print data instead of a table.")
  defaults.add(parser, "list")
end

-- A data file has no place for a summary but its first line, a comment.
local function first_comment(path)
  local ok, line = pcall(function()
    return fs.lines(path, 4096)()
  end)
  local comment = ok and line and line:gsub("^\239\187\191", ""):match "^%s*#+%s*(.-)%s*$"
  return comment or path:match "%.(%a+)$":upper() .. " file"
end

local function describe(kind, entry)
  if not entry.path then
    return "no persona: the control arm"
  elseif not entry.path:find "%.lua$" then
    return first_comment(entry.path)
  elseif kind == "judges" then
    return judge.describe(entry.path).summary
  end
  local declared = catalog.load(entry.path, (kind:gsub("s$", "")))
  return declared.summary or declared.intent
end

-- What the scripts of a folder require of one another: a file that declares nothing of the kind.
local function is_module(kind, entry)
  local source = entry.path and entry.path:find "%.lua$" and fs.read(entry.path, 1 << 24)
  local declares = "%f[%w_]" .. kind:gsub("s$", "") .. "%s*[({]"
  return source ~= nil and load(source, "", "t") ~= nil and not source:find(declares)
end

-- nil for a module. A file that does not load is listed with what is wrong: one bad file must not hide the others.
local function summary(kind, entry)
  local ok, said = pcall(describe, kind, entry)
  if ok then
    return said or ""
  elseif is_module(kind, entry) then
    return nil
  end
  local message = tostring(type(said) == "table" and said.message or said)
  return "broken: " .. message:match "^[^\n]*"
end

local function pad(s, width)
  return s .. (" "):rep(width - text.columns(s))
end

local function table_of(rows)
  local lines, widths = {}, { 0, 0, 0 }
  for _, row in ipairs(rows) do
    for i, value in ipairs(row) do
      row[i] = text.terminal(value)
      widths[i] = math.max(widths[i], text.columns(row[i]))
    end
  end
  for _, row in ipairs(rows) do
    local line = pad(row[1], widths[1]) .. "  " .. pad(row[2], widths[2]) .. "  " .. row[3]
    lines[#lines + 1] = line:gsub("%s+$", "") .. "\n"
  end
  return table.concat(lines)
end

local function known_kind(word)
  for _, kind in ipairs(catalog.kinds) do
    if word == kind or word .. "s" == kind then
      return kind
    end
  end
  local hint = suggest.sentence(word, catalog.kinds)
  shape.fail(("expected one of %s, got %s.%s"):format(
    table.concat(catalog.kinds, ", "), shape.quote(word), hint):gsub("%.$", ""), 2)
end

function command.run(args)
  defaults.apply(args, "list")
  local kind = known_kind(args.kind)
  local data, rows = json.array {}, { { "NAME", "SUMMARY", "FROM" } }
  for _, entry in ipairs(catalog.list(kind)) do
    local said = summary(kind, entry)
    if said then
      data[#data + 1] = { name = entry.name, summary = said, origin = entry.origin, path = entry.path }
      local from = entry.path and ("%s (%s)"):format(entry.path, entry.origin) or entry.origin
      rows[#rows + 1] = { entry.name, said, from }
    end
  end
  cli.out(args.json and json.encode(data, 2) or table_of(rows))
  return 0
end

return command
