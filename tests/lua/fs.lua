-- lre.fs
local fs = require "lre.fs"
local process = require "lre.process"
local test = require "lre.unit"

local function folder_with(name, data)
  local folder = test.folder()
  assert(fs.write(folder .. "/" .. name, data))
  return folder, folder .. "/" .. name
end

test("what_was_written_is_read", function()
  local data = "a\0b\r\n\xff"
  local folder, path = folder_with("x", data)
  test.eq(fs.read(path), data)
  test.eq(fs.list(folder), { "x" }, "no temporary file stays")
end)

test("the_world_s_errors_are_values_with_a_code_and_the_path", function()
  local data, err = fs.read "/nowhere/at/all"
  test.eq({ data, err.kind, err.code }, { nil, "io", "enoent" })
  test.has(tostring(err), "/nowhere/at/all")
  test.eq(select(2, fs.write("/nowhere/at/all", "x")).code, "enoent")
  test.eq(select(2, fs.list("/nowhere/at/all")).code, "enoent")
  test.eq(select(2, fs.remove("/nowhere/at/all")).code, "enoent")
end)

test("one_file_by_two_names_is_the_same_and_what_is_missing_is_none", function()
  local folder, path = folder_with("x", "data")
  assert(fs.write(folder .. "/y", "data"))
  assert(process.run { "ln", "-s", "x", folder .. "/link" })
  test.eq({ fs.same(path, folder .. "/./x"), fs.same(path, folder .. "/link"), fs.same(path, folder .. "/y"),
    fs.same(folder .. "/no", folder .. "/no") }, { true, true, false, false })
end)

test("a_read_is_bounded", function()
  local _, path = folder_with("x", ("a"):rep(100))
  local data, err = fs.read(path, 99)
  test.eq(data, nil)
  test.has(err.message, path)
end)

test("a_path_with_a_zero_byte_raises", function()
  test.raises(function() fs.read "a\0b" end, "zero byte")
  test.raises(function() fs.read "" end, "empty")
end)

test("mkdir_says_whether_it_made_it", function()
  local folder = test.folder() .. "/a/b"
  test.eq(fs.mkdir(folder, false), nil)
  test.eq(fs.mkdir(folder, true), true)
  test.eq(fs.mkdir(folder, true), false)
  test.eq(fs.mkdir(folder), false)
end)

test("stat_tells_kinds_apart_and_missing_is_nil", function()
  local folder, path = folder_with("x", "12345")
  test.eq({ fs.stat(path).type, fs.stat(path).size, fs.stat(folder).type }, { "file", 5, "folder" })
  test.eq({ fs.stat(path .. "-not"), select("#", fs.stat(path .. "-not")) }, { nil, 1 })
  test.eq(fs.stat("/dev/null").type, "other")
end)

test("names_are_sorted", function()
  local folder = test.folder()
  for _, name in ipairs { "b", "a", "B", "10", "9" } do assert(fs.write(folder .. "/" .. name, "")) end
  test.eq(fs.list(folder), { "10", "9", "B", "a", "b" })
  test.eq(fs.list(test.folder()), {})
end)

test("lines_come_with_number_offset_and_whether_they_ended", function()
  local _, path = folder_with("x", "one\n\nthree")
  local got = {}
  for line, number, offset, ended in fs.lines(path) do got[#got + 1] = { line, number, offset, ended } end
  test.eq(got, { { "one", 1, 0, true }, { "", 2, 4, true }, { "three", 3, 5, false } })
end)

test("a_line_over_the_bound_raises_with_its_number", function()
  local _, path = folder_with("x", "ok\n" .. ("x"):rep(100) .. "\n")
  local err = test.raises(function() for _ in fs.lines(path, 50) do end end, "2")
  test.eq(err.code, "line_too_long")
end)

test("a_missing_file_of_lines_raises", function()
  test.eq(test.raises(function() fs.lines "/nowhere" end, "/nowhere").code, "enoent")
end)

test("leaving_a_loop_over_lines_closes_the_file", function()
  local _, path = folder_with("x", ("line\n"):rep(10))
  for _ = 1, 3000 do -- more than a process may have open
    for _ in fs.lines(path) do break end -- luacheck: ignore 512
  end
end)

test("a_full_device_and_a_closed_pipe_are_errors_of_print", function()
  local folder, path = folder_with("x.lua", [[
    local fs = require "lre.fs"
    local ok, err = fs.print("stdout", ("x"):rep(100))
    fs.print("stderr", tostring(ok) .. " " .. (err and err.code or "") .. "\n")
  ]])
  local run = { "sh", "-c", '"$0" script "$1" 2>"$2/err" >/dev/full; cat "$2/err"', test.program, path, folder }
  test.has(assert(process.run(run)).out, "nil enospc")
  run[3] = 'mkfifo "$2/p"; (exec 3<"$2/p"; exec 3<&-; : >"$2/gone") & '
    .. '(until [ -e "$2/gone" ]; do sleep 0.01; done; "$0" script "$1" 2>"$2/err") >"$2/p"; cat "$2/err"'
  test.has(assert(process.run(run)).out, "nil epipe")
end)
