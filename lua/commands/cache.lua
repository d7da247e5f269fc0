-- lre cache info|clear|explain: looks into a cache of answers.
local cache = require "lre.cache"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local rundir = require "lre.rundir"
local json = require "lre.json"
local suggest = require "lre.suggest"

local command = {
  name = "cache",
  summary = "Show a cache of answers, empty it, or explain why a request missed.",
  epilog = "explain takes a request's hash (or how it begins), or a trial's key with --run.",
}

local ACTIONS = { "info", "clear", "explain" }

function command.options(parser)
  parser:argument("action", "info, clear or explain.")
  parser:argument("key", "What to explain: a request's hash or a trial's key."):args "?"
  defaults.add(parser, "cache")
end

local UNITS = { s = 1, m = 60, h = 3600, d = 86400, [""] = 86400 }

local function seconds_of(text)
  local n, unit = text:match "^(%d+%.?%d*)([smhd]?)$"
  if not n then cli.fail(2, '--older-than: expected a time such as 7d, 24h, 30m, 45s or 7 (days), got "%s"', text) end
  return tonumber(n) * UNITS[unit]
end

local function size(bytes)
  if bytes < 10240 then return ("%d bytes"):format(bytes) end
  return bytes < 10 << 20 and ("%.0f KiB"):format(bytes / 1024) or ("%.0f MiB"):format(bytes / (1 << 20))
end

local function info(args, opened)
  local data = opened:info()
  if args.json then return cli.out(assert(json.encode(data, 2))) end
  local lines = { ("%s: %d answers, %s"):format(args.cache, data.entries, size(data.bytes)) }
  local names = {}
  for name in pairs(data.models) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do lines[#lines + 1] = ("  %6d  %s"):format(data.models[name], name) end
  if data.broken > 0 then lines[#lines + 1] = ("%d torn or foreign entries, taken as misses"):format(data.broken) end
  if data.misses > 0 then lines[#lines + 1] = ("%d requests noted that have no answer here"):format(data.misses) end
  cli.out(cli.safe(table.concat(lines, "\n")) .. "\n")
end

local function clear(args, opened)
  local n, bytes = opened:clear(args.older_than and seconds_of(args.older_than), args.dry_run)
  if args.json then return cli.out(assert(json.encode({ removed = n, bytes = bytes, dry_run = args.dry_run }, 2))) end
  cli.out(("%s %d answers, %s\n"):format(args.dry_run and "would remove" or "removed", n, size(bytes)))
end

-- The hash of a trial's request, from the journal of its run.
local function hash_of_trial(run, key)
  local found, keys = nil, {}
  for row in rundir.rows(run .. "/partials.jsonl", { "type", "key", "request_hash" }) do
    if row.type == "trial" and row.key == key then found = row.request_hash end
    if row.type == "trial" and #keys < 10000 then keys[#keys + 1] = row.key end
  end
  if not found then cli.fail(3, '%s: no trial "%s".%s', run, key, suggest.sentence(key, keys)) end
  return found
end

local function key_of(args, opened)
  local key = args.key or cli.fail(2, "explain: expected a request's hash or a trial's key")
  if key:find "|" then
    if not args.run then cli.fail(2, "explain: a trial's key needs --run RUN, the folder of its run") end
    return hash_of_trial(args.run, key)
  end
  if not key:find "^%x+$" then
    cli.fail(2, 'explain: expected a hash (hexadecimal) or a trial\'s key (with "|"), got "%s"', key)
  end
  local found = #key < 64 and opened:find(key) or { key }
  if #found ~= 1 then cli.fail(3, "%s: %d requests begin with %s", args.cache, #found, key) end
  return found[1]
end

local STATES = {
  entry = "is answered here", miss = "was asked, and no answer of it is kept",
  unknown = "was never asked with this cache",
  broken = "has an entry that cannot be used",
}

local function explain(args, opened)
  local data = opened:explain(key_of(args, opened))
  if args.json then return cli.out(assert(json.encode(data, 2))) end
  local lines = { ("%s %s%s"):format(data.key, STATES[data.state], data.why and ": " .. data.why or "") }
  if data.nearest then
    lines[#lines + 1] = ("the nearest other entry, %s, differs in:"):format(data.nearest:sub(1, 16))
    for i, d in ipairs(data.differs) do
      if i > 20 then
        lines[#lines + 1] = ("  ... and %d more"):format(#data.differs - 20)
        break
      end
      lines[#lines + 1] = ("  %-24s %s here, %s there"):format(d.field, d.wanted or "nothing", d.there or "nothing")
    end
  elseif data.state ~= "unknown" then
    lines[#lines + 1] = "there is no other entry to compare it with"
  end
  cli.out(cli.safe(table.concat(lines, "\n")) .. "\n")
end

local RUN = { info = info, clear = clear, explain = explain }

function command.run(args)
  defaults.apply(args, "cache")
  if not RUN[args.action] then
    cli.fail(2, '"%s": expected info, clear or explain.%s', args.action, suggest.sentence(args.action, ACTIONS))
  end
  if not args.cache then cli.fail(2, "which cache? Give its folder with --cache DIR") end
  RUN[args.action](args, cache.existing(args.cache))
  return 0
end

return command
