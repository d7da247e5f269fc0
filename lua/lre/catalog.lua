-- catalog: finds suites, judges, adapters, personas and reports by name, and loads scripts.
--
-- Folders in order: --path, $LRE_PATH, the project's ./suites (./judges, ...), the user's configuration folder, the
-- installed share. A name that two folders know differently is an error, so that nobody measures with the wrong file.
local fs = require "lre.fs"
local hash = require "lre.hash"
local json = require "lre.json"
local platform = require "lre.platform"
local shape = require "lre.shape"
local suggest = require "lre.suggest"
local text = require "lre.text"

local catalog = {}

catalog.kinds = { "suites", "judges", "adapters", "personas", "reports" }

-- What may lie in a folder of each kind. Suites are data too.
local extensions = {
  suites = { ".lua", ".jsonl", ".csv" },
  judges = { ".lua" },
  adapters = { ".lua" },
  personas = { ".lua" },
  reports = { ".lua" },
}

-- Suites and judges are the user's to read and copy; the rest lies with our Lua.
local under_lua = { adapters = true, personas = true, reports = true }

-- Known without a file.
local built_in = { personas = { "none" } }

-- No script that a person writes is near this; a data file given by mistake is refused before it fills memory.
local MAX_SCRIPT_BYTES = 8 * 1024 * 1024

local settings = { paths = {}, project = "." }

---Where to look. `paths`: the folders of --path, `project`: the folder that has suites/, judges/, ...
---@param options { paths: string[]?, project: string? }
function catalog.configure(options)
  settings = { paths = options.paths or {}, project = options.project or "." }
end

local function strip_dot(path)
  return (path:gsub("^%./+", ""))
end

local function join(folder, name)
  return folder == "." and name or (folder:gsub("/+$", "")) .. "/" .. name
end

local function is_folder(path)
  local stat = fs.stat(path)
  return stat ~= nil and stat.type == "folder"
end

-- A folder of --path holds kinds (DIR/judges/x.lua), or is itself a folder of files (DIR/x.lua).
local function add_given(folders, dir, kind, origin)
  local inner = join(dir, kind)
  folders[#folders + 1] = { path = is_folder(inner) and inner or dir, origin = origin }
end

local function user_folder()
  local config = platform.getenv("XDG_CONFIG_HOME")
  if config and config ~= "" then
    return join(config, "lre")
  end
  local home = platform.getenv("HOME")
  return home and home ~= "" and join(home, ".config/lre") or nil
end

---The folders that are searched for a kind, in order: `{ path, origin }`.
---@param kind string
---@return { path: string, origin: string }[]
function catalog.folders(kind)
  assert(extensions[kind], kind)
  local folders = {}
  for _, dir in ipairs(settings.paths) do
    add_given(folders, dir, kind, "--path")
  end
  for dir in (platform.getenv("LRE_PATH") or ""):gmatch("[^:]+") do
    add_given(folders, dir, kind, "$LRE_PATH")
  end
  folders[#folders + 1] = { path = join(settings.project, kind), origin = "project" }
  local user = user_folder()
  if user then
    folders[#folders + 1] = { path = join(user, kind), origin = "user" }
  end
  local share = under_lua[kind] and platform.lua_dir or platform.share_dir
  folders[#folders + 1] = { path = join(share, kind), origin = "installed" }
  return folders
end

---True for what names a file: it contains "/" or ends in .lua, .jsonl or .csv.
---@param s string
---@return boolean
function catalog.is_path(s)
  return s:find("/", 1, true) ~= nil or s:find("%.lua$") ~= nil or s:find("%.jsonl$") ~= nil or s:find("%.csv$") ~= nil
end

---The file's name without folder and extension.
---@param path string
---@return string
function catalog.stem(path)
  local name = path:match("([^/]+)/*$") or path
  return (name:gsub("%.%a+$", ""))
end

local function parent(path)
  local folder = path:match "^(.*)/[^/]*$" or "."
  return folder ~= "" and folder or "/"
end

-- Names as a list shows them: "x" for x.lua, where the kind allows that extension.
local function entries(kind, folder)
  local found = {}
  for _, file in ipairs(fs.list(folder.path) or {}) do
    for _, extension in ipairs(extensions[kind]) do
      if file:sub(1, 1) ~= "." and #file > #extension and file:sub(-#extension) == extension then
        local name = file:sub(1, -#extension - 1)
        found[#found + 1] = { name = name, path = join(folder.path, file), origin = folder.origin }
      end
    end
  end
  return found
end

-- The same bytes in two folders are one thing (a project that is the installed tree, a copied judge).
local function same_bytes(a, b)
  if a.path == b.path then
    return true
  end
  local one, other = fs.stat(a.path), fs.stat(b.path)
  if not (one and other and one.size == other.size and one.size <= MAX_SCRIPT_BYTES) then
    return false
  end
  local first = fs.read(a.path, MAX_SCRIPT_BYTES)
  return first ~= nil and first == fs.read(b.path, MAX_SCRIPT_BYTES)
end

local function add_distinct(list, entry)
  for _, other in ipairs(list) do
    if other.name == entry.name and same_bytes(other, entry) then
      return
    end
  end
  list[#list + 1] = entry
end

---Everything of a kind, sorted by name, then in the order of the folders.
---@param kind string
---@return { name: string, path: string?, origin: string }[]
function catalog.list(kind)
  local names, by_name = {}, {}
  local function add(entry)
    if not by_name[entry.name] then
      by_name[entry.name] = {}
      names[#names + 1] = entry.name
    end
    add_distinct(by_name[entry.name], entry)
  end
  for _, name in ipairs(built_in[kind] or {}) do
    add { name = name, origin = "built in" }
  end
  for _, folder in ipairs(catalog.folders(kind)) do
    for _, entry in ipairs(entries(kind, folder)) do
      add(entry)
    end
  end
  table.sort(names)
  local list = {}
  for _, name in ipairs(names) do
    table.move(by_name[name], 1, #by_name[name], #list + 1, list)
  end
  return list
end

local function singular(kind)
  return (kind:gsub("s$", ""))
end

local function fail_unknown(kind, name)
  local names, searched = {}, {}
  for _, entry in ipairs(catalog.list(kind)) do
    names[#names + 1] = entry.name
  end
  for _, folder in ipairs(catalog.folders(kind)) do
    searched[#searched + 1] = ("  %s (%s)"):format(folder.path, folder.origin)
  end
  local hint = suggest.sentence(name, names)
  if hint == "" and #names > 0 then
    hint = " There is: " .. table.concat(names, ", ", 1, math.min(#names, 20)) .. (#names > 20 and ", ..." or "")
  end
  shape.fail(("unknown %s %s.%s\nSearched in:\n%s\nA file is given by a path with a slash: ./%s"):format(
    singular(kind), shape.quote(name), hint, table.concat(searched, "\n"), text.terminal(name)))
end

local function fail_ambiguous(kind, name, hits)
  local lines = {}
  for i, hit in ipairs(hits) do
    lines[i] = ("  %s (%s)"):format(hit.path, hit.origin)
  end
  shape.fail(("two files are the %s %s; give the path of one, or its folder with --path:\n%s"):format(
    singular(kind), shape.quote(name), table.concat(lines, "\n")))
end

local function find_path(kind, path)
  local stat, err = fs.stat(path)
  if stat and stat.type == "file" then
    return { name = catalog.stem(path), path = path, origin = "path" }
  end
  if stat then
    local what = stat.type == "folder" and "a folder" or "a device, pipe or socket"
    shape.fail(("%s: expected a file, got %s"):format(path, what))
  end
  local names = {}
  for _, file in ipairs(fs.list(parent(path)) or {}) do
    names[#names + 1] = join(parent(path), file)
  end
  local why = err and err.code ~= "enoent" and " (" .. tostring(err) .. ")" or ""
  shape.fail(("%s: no such file for a %s%s.%s"):format(
    text.terminal(path), singular(kind), why, suggest.sentence(path, names)))
end

---Finds a file by name or path. Raises with exit 3: unknown (with the nearest names and the folders searched), or known
---to two folders with different contents, unless --path says which.
---@param kind string
---@param name string
---@return { name: string, path: string?, origin: string }
function catalog.find(kind, name)
  if catalog.is_path(name) then
    return find_path(kind, name)
  end
  for _, known in ipairs(built_in[kind] or {}) do
    if name == known then
      return { name = name, origin = "built in" }
    end
  end
  local hits = {}
  for _, folder in ipairs(catalog.folders(kind)) do
    for _, entry in ipairs(entries(kind, folder)) do
      if entry.name == name then
        add_distinct(hits, entry)
      end
    end
    -- --path decides: within one of its folders, that is.
    if #hits == 1 and hits[1].origin == "--path" then
      return hits[1]
    elseif #hits > 1 and folder.origin == "--path" then
      break
    end
  end
  if #hits == 0 then
    fail_unknown(kind, name)
  elseif #hits > 1 then
    fail_ambiguous(kind, name, hits)
  end
  return hits[1]
end

-- ---- scripts ----

---A path as messages and judges' errors show it: relative to the project or the installed tree where it lies in one.
---@param path string
---@return string
function catalog.display(path)
  local lua_parent = parent(platform.lua_dir)
  for _, root in ipairs { settings.project, platform.share_dir, lua_parent } do
    if root ~= "" and root ~= "." and path:sub(1, #root + 1) == root .. "/" then
      return path:sub(#root + 2)
    end
  end
  return strip_dot(path)
end

-- The line of a byte offset (0-based).
local function line_at(source, offset)
  return 1 + select(2, source:sub(1, offset):gsub("\n", ""))
end

local function read_script(path, name)
  local source, err = fs.read(path, MAX_SCRIPT_BYTES)
  if not source then
    shape.fail(("%s: %s"):format(name, err))
  end
  local valid, offset = text.valid_utf8(source)
  if not valid then
    shape.fail(("%s:%d: the file is not valid UTF-8 (byte %d): save it as UTF-8"):format(
      name, line_at(source, offset), offset))
  end
  source = source:gsub("^\239\187\191", "")
  -- As `lua FILE` does: a first line "#!..." is for the shell.
  return (source:gsub("^#", "--#"))
end

-- The files beside a script that it requires, and theirs: only names in quotes count, so that what belongs to a script
-- is known without running it.
local function collect_modules(folder, source, modules)
  for name in source:gmatch("require%s*%(?%s*[\"']([%w_.-]+)[\"']") do
    local path = join(folder, (name:gsub("%.", "/")) .. ".lua")
    local stat = not modules[name] and name ~= "lre" and not name:find("^lre%.") and fs.stat(path)
    if stat and stat.type == "file" then
      local shown = catalog.display(path)
      local inner = read_script(path, shown)
      modules[name] = { chunk = "@" .. shown, source = inner, sha256 = hash.sha256(inner) }
      collect_modules(folder, inner, modules)
    end
  end
  return modules
end

---A chunk of a script that has been read, with its modules.
---@return lre.Chunk
function catalog.chunk_of(name, source, modules, path)
  local sums = {}
  for module, entry in pairs(modules) do
    sums[module] = entry.sha256
  end
  return {
    path = path or name,
    name = name,
    source = source,
    sha256 = hash.sha256(source),
    modules = modules,
    -- Of everything that the script is made of.
    hash = hash.sha256(json.encode { source = hash.sha256(source), modules = sums }),
  }
end

---Reads a script: UTF-8 and size checked, with the files beside it that it requires.
---@param path string
---@return lre.Chunk
function catalog.chunk(path)
  local name = catalog.display(path)
  local source = read_script(path, name)
  return catalog.chunk_of(name, source, collect_modules(parent(path), source, {}), path)
end

-- The libraries that a script may change for itself.
local own_libraries = { "string", "table", "math", "utf8", "coroutine", "os", "io", "debug" }

local function environment(chunk)
  local env = {}
  for _, name in ipairs(own_libraries) do
    local copy = {}
    for key, value in pairs(_G[name] or {}) do
      copy[key] = value
    end
    env[name] = copy
  end
  env._G = env
  local loaded = {}
  function env.require(name)
    local module = chunk.modules[name]
    if not module then
      return require(name)
    end
    if loaded[name] == nil then
      loaded[name] = catalog.compile(module.source, module.chunk, env)(name) or true
    end
    return loaded[name]
  end
  return setmetatable(env, {
    __index = _G,
    __metatable = false,
    __newindex = function(_, key)
      error(("a script writes no globals: use `local %s`"):format(tostring(key)), 2)
    end,
  })
end

---Compiles a script's text in an environment. Raises with exit 3.
function catalog.compile(source, chunk_name, env)
  local fn, message = load(source, chunk_name, "t", env)
  if not fn then
    shape.fail(message)
  end
  return fn
end

local function is_fatal(err)
  return type(err) == "table" and err.exit ~= nil
end

-- What an error object says: a table that says nothing is shown as data, not as an address.
local function said(err)
  local meta = type(err) == "table" and getmetatable(err)
  if type(err) ~= "table" or type(meta) == "table" and meta.__tostring then
    return tostring(err)
  end
  return type(err.message) == "string" and err.message or json.encode(err) or "an error object without a message"
end

---A message handler: keeps the error tables that end the command, adds a traceback to everything else: the script's
---frames, not the engine's below it.
function catalog.traceback(err)
  if is_fatal(err) then
    return err
  end
  local trace = debug.traceback(said(err), 2)
  return trace:match "^(.-)\n%s*%[C%]: in function 'xpcall'" or trace
end

-- lre.suite and its like do not know in which file they are called.
local function name_file(err, file)
  if not err.problems then
    error(err, 0)
  end
  local lines = {}
  for i, problem in ipairs(err.problems) do
    lines[i] = file .. ": " .. problem.message
  end
  shape.fail(table.concat(lines, "\n"), err.exit)
end

---Runs a script in the main state and gives what it returns. Raises with exit 3: file, line and traceback.
---@param chunk lre.Chunk
---@return any
function catalog.run(chunk)
  local fn = catalog.compile(chunk.source, "@" .. chunk.name, environment(chunk))
  local ok, value = xpcall(fn, catalog.traceback)
  if ok then
    return value
  elseif is_fatal(value) then
    name_file(value, chunk.name)
  end
  shape.fail(value)
end

---Loads a script that must return what lre.<kind> made.
---@param path string
---@param kind string "suite", "judge", "adapter", "persona", "report"
---@return table declared, lre.Chunk chunk
function catalog.load(path, kind)
  local chunk = catalog.chunk(path)
  return shape.expect_mark(catalog.run(chunk), kind, chunk.name), chunk
end

return catalog
