-- Transcripts of the command line: `lre script tests/cli/run.lua -- [--update] FILE.t...`
--
-- A transcript is prose with indented commands and what they print (stdout and stderr together):
--
--   $ lre --version
--   lre 0.1.0 (re)
--   ...
--   [2]
--
-- "> " continues a command; a line ending in " (re)" is a PCRE2 pattern; "..." stands for any number of lines;
-- "[N]" is an exit status other than 0. Commands run in an empty folder, in one shell after another, with
-- $ROOT (the checkout), $SHARED (the folder of seeds, or empty), and $NGINX (http://127.0.0.1:PORT) where the text
-- names it. The machine's own paths and the port are printed back as $TMP, $LRE (where the installed suites, judges
-- and Lua lie), $ROOT and $NGINX. No key, proxy, or setting of whoever runs the tests reaches a command.
local lre = require "lre"
local platform, process = require "lre.platform", require "lre.process"
local fs, regex = require "lre.fs", require "lre.regex"

local root = assert(process.run { "pwd" }).out:gsub("\n$", "")
local program_folder = platform.program:match "^(.*)/[^/]*$"

-- What a person's environment may hold and a transcript must not see.
local CLEAN = [[
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
for name in ${!LRE_*}; do [ $name = LRE_COVERAGE ] || unset $name; done
unset ${!BENCH_*} ${!OPENROUTER_*} LOG_LEVEL OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY GOOGLE_API_KEY HF_TOKEN
export LRE_PROGRESS=none # a slow machine would print lines of its own
unset XDG_CONFIG_HOME SOURCE_DATE_EPOCH TZ LANG LANGUAGE NO_COLOR
]]

local function shell(text, timeout)
  return assert(process.run { "bash", "-c", text, timeout = timeout or 120 })
end

local function quote(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end

---Splits a transcript into { text = prose line } and { command, expected = lines, status }.
local function parse(text)
  local blocks, current = {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    local command, more, body = line:match "^  %$ (.*)", line:match "^  > (.*)", line:match "^  (.*)"
    if command then
      current = { command = command, lines = { line }, expected = {}, status = 0 }
      blocks[#blocks + 1] = current
    elseif current and more and #current.expected == 0 then
      current.command = current.command .. "\n" .. more
      current.lines[#current.lines + 1] = line
    elseif current and body then
      local status = body:match "^%[(%d+)%]$"
      if status then
        current.status = tonumber(status)
      else
        current.expected[#current.expected + 1] = body
      end
    else
      current = nil
      blocks[#blocks + 1] = { text = line }
    end
  end
  return blocks
end

local function line_matches(want, got)
  local pattern = want:match "^(.*) %(re%)$"
  if pattern then return regex.new("^(?:" .. pattern .. ")$"):test(got) end
  return want == got
end

---What --update writes: the new lines, but a pattern that still matches one of them stays a pattern.
local function updated(want, got)
  local out = {}
  for i, line in ipairs(got) do
    out[i] = line
    for _, pattern in ipairs(want) do
      if pattern:find(" (re)", 1, true) and line_matches(pattern, line) then out[i] = pattern end
    end
  end
  return out
end

---Does `got` (lines) follow `want`, in which "..." stands for any number of lines?
local function lines_match(want, got, i, j)
  i, j = i or 1, j or 1
  while i <= #want do
    if want[i] == "..." then
      for k = j, #got + 1 do
        if lines_match(want, got, i + 1, k) then return true end
      end
      return false
    end
    if j > #got or not line_matches(want[i], got[j]) then return false end
    i, j = i + 1, j + 1
  end
  return j > #got
end

local function split(text)
  local lines = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  if #lines == 1 and lines[1] == "" then return {} end
  return lines
end

local function show(title, lines)
  return title .. "\n    " .. table.concat(lines, "\n    ")
end

---Literal replacement of every `from` by `to`.
local function replace(text, from, to)
  if from == "" then return text end
  return (text:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%"))))
end

---The URL of a fresh nginx under tmp.nginx; nil where nginx is not installed, which start.sh says with 77.
local function start_nginx(tmp)
  local started = shell(("mkdir %s.nginx && sh tests/nginx/start.sh %s.nginx"):format(tmp, tmp))
  if started.exit == 77 then return nil, started.err end
  if started.exit ~= 0 then error("nginx did not start: " .. started.err) end
  return "http://127.0.0.1:" .. started.out:match "%d+"
end

local function run_file(path, update)
  local text = assert(fs.read(path))
  local tmp = shell("mktemp -d").out:gsub("\n", "")
  local nginx = ""
  if text:find("$NGINX", 1, true) then
    local url, missing = start_nginx(tmp)
    nginx = url
    if not url then
      print(path .. ": skipped: " .. missing)
      return 0, {}, select(2, text:gsub("\n  %$ ", ""))
    end
  end
  local shared = os.getenv "LRE_SHARED" or root .. "/../shared"
  if not fs.stat(shared) then shared = "" end
  local setup = CLEAN .. ("cd %s; export ROOT=%s SHARED=%s NGINX=%s LC_ALL=C.UTF-8 HOME=%s PATH=%s:\"$PATH\"\n"):format(
    quote(tmp), quote(root), quote(shared), quote(nginx), quote(tmp .. ".home"), quote(program_folder))

  local passed, failures, skipped, out = 0, {}, 0, {}
  for _, block in ipairs(parse(text)) do
    if not block.command then
      out[#out + 1] = block.text
    elseif block.command:find("$SHARED", 1, true) and shared == "" then
      skipped = skipped + 1
      for _, line in ipairs(block.lines) do out[#out + 1] = line end
      for _, line in ipairs(block.expected) do out[#out + 1] = "  " .. line end
    else
      local result = shell(setup .. "{ " .. block.command .. "\n} 2>&1")
      local printed = result.out
      for _, pair in ipairs { { tmp, "$TMP" }, { platform.share_dir, "$LRE" }, { shared, "$SHARED" }, { root, "$ROOT" },
        { nginx, "$NGINX" } } do
        printed = replace(printed, pair[1], pair[2])
      end
      local got = split(printed)
      local good = result.exit == block.status and lines_match(block.expected, got)
      if good then
        passed = passed + 1
      else
        failures[#failures + 1] = ("%s: $ %s\n%s\n%s\n  exit %d, expected %d"):format(path, block.command,
          show("  expected:", block.expected), show("  got:", got), result.exit, block.status)
      end
      for _, line in ipairs(block.lines) do out[#out + 1] = line end
      for _, line in ipairs(good and block.expected or updated(block.expected, got)) do out[#out + 1] = "  " .. line end
      local status = good and block.status or result.exit
      if status ~= 0 then out[#out + 1] = ("  [%d]"):format(status) end
    end
  end
  if nginx ~= "" then shell(("tests/nginx/stop.sh %s.nginx"):format(tmp)) end
  shell(("rm -rf %s %s.nginx %s.home"):format(tmp, tmp, tmp))
  if update then assert(fs.write(path, table.concat(out, "\n") .. "\n")) end
  return passed, failures, skipped
end

local update, files = false, {}
for _, word in ipairs(arg) do
  if word == "--update" then update = true else files[#files + 1] = word end
end
local passed, failed, skipped = 0, 0, 0
for _, path in ipairs(files) do
  local p, failures, s = run_file(path, update)
  passed, failed, skipped = passed + p, failed + #failures, skipped + s
  for _, text in ipairs(failures) do print(lre.text.terminal(text, true) .. "\n") end
  if s > 0 then
    print(("%s: skipped %d commands; what they need (nginx, or the folder of seeds) is not here"):format(path, s))
  end
end
print(("%d passed, %d failed, %d skipped"):format(passed, failed, skipped))
if failed > 0 then return 1 end
return skipped > 0 and 77 or 0 -- 77: ctest shows it as skipped
