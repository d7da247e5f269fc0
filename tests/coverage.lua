-- lre script tests/coverage.lua -- FILE: from the lines that ran (LRE_COVERAGE=FILE), a share for each file of lua/
-- and the lines that did not run.
local fs = require "lre.fs"
local unit = require "lre.unit"

-- Lines that hold no instruction of their own: comments, brackets, what only opens or closes a block.
local function is_code(line)
  local bare = line:gsub("%-%-.*$", ""):gsub("[%s%(%)%{%},;]", "")
  if bare == "" or bare == "end" or bare == "else" or bare == "do" or bare == "repeat" then return false end
  return not bare:match("^local[%w_]+$")
end

local function read_ran(path)
  local ran = {}
  for line in fs.lines(path) do
    local file, number = line:match("^(.*):(%d+)$")
    if file then
      ran[file] = ran[file] or {}
      ran[file][math.tointeger(number)] = true
    end
  end
  return ran
end

local function each_file(folder, fn)
  for _, name in ipairs(assert(fs.list(unit.root .. "/" .. folder))) do
    local path = folder .. "/" .. name
    if fs.stat(unit.root .. "/" .. path).type == "folder" then
      if name ~= "meta" then each_file(path, fn) end
    elseif name:match("%.lua$") then
      fn(path)
    end
  end
end

-- { 3, 4, 5, 9 } as "3-5 9"
local function ranges(numbers)
  local parts, first = {}, nil
  for i, number in ipairs(numbers) do
    first = first or number
    if numbers[i + 1] ~= number + 1 then
      parts[#parts + 1] = first == number and tostring(number) or first .. "-" .. number
      first = nil
    end
  end
  return table.concat(parts, " ")
end

-- A statement over several lines counts where any of them ran; long strings and continued lines are not told apart.
local function measure(path, ran)
  local code, missing, in_comment = 0, {}, false
  for line, number in fs.lines(unit.root .. "/" .. path) do
    if line:match("^%s*%-%-%[%[") then in_comment = true end
    if not in_comment and is_code(line) then
      code = code + 1
      if not ran[number] then missing[#missing + 1] = number end
    end
    if line:find("]]", 1, true) then in_comment = false end
  end
  return code, missing
end

local ran = read_ran(assert(arg[1], "usage: lre script tests/coverage.lua -- FILE"))
local all, all_missing = 0, 0
each_file("lua", function(path)
  local code, missing = measure(path, ran[path] or {})
  all, all_missing = all + code, all_missing + #missing
  local share = code > 0 and 100 * (code - #missing) / code or 100
  print(("%-32s %5d %5.1f%%  %s"):format(path, code, share, ranges(missing)))
end)
print(("%-32s %5d %5.1f%%"):format("all", all, 100 * (all - all_missing) / math.max(all, 1)))
