-- lre config: every setting of a run, its value and where it came from. Takes the flags of `lre run`.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local json = require "lre.json"
local text = require "lre.text"

local command = {
  name = "config",
  summary = "Show every setting of a run, its value and where it came from.",
}

function command.options(parser)
  defaults.add(parser, "run")
end

local function given(value)
  return value ~= nil and not (type(value) == "table" and #value == 0)
end

-- What stands for "not given" in words: "none", "--concurrency", "the suite's, else refusal".
local function shown(entry, value)
  if type(value) == "table" then return table.concat(value, ",") end
  if value == nil then return entry.default_text or "none" end
  return tostring(value)
end

local function rows_of(args)
  local rows = {}
  for i, entry in ipairs(defaults.list "run") do
    local value = args[entry.name]
    local from = given(value) and "flag" or "default"
    if from == "default" then value = entry.default end
    rows[i] = { flag = entry.flag, value = value, text = shown(entry, value), from = from }
  end
  return rows
end

local function as_json(rows)
  local out = {}
  for _, row in ipairs(rows) do
    local value = row.value
    if type(value) == "table" then value = json.array(value) end
    out[row.flag:sub(3)] = { value = value == nil and json.null or value, from = row.from }
  end
  return assert(json.encode(out, 2))
end

local function as_table(rows)
  local lines = { ("%-22s %-32s %s"):format("SETTING", "VALUE", "FROM") }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%-22s %-32s %s"):format(row.flag, text.terminal(row.text), row.from)
  end
  return table.concat(lines, "\n") .. "\n"
end

function command.run(args)
  local rows = rows_of(args)
  cli.out(args.json and as_json(rows) or as_table(rows))
  return 0
end

return command
