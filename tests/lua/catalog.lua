-- catalog: names, folders, scripts.
local catalog = require "lre.catalog"
local fs = require "lre.fs"
local test = require "lre.unit"

local root = test.folder()

local function write(path, data)
  assert(fs.mkdir(root .. "/" .. path:match "^(.*)/", true) ~= nil)
  assert(fs.write(root .. "/" .. path, data))
  return root .. "/" .. path
end

write("project/judges/mine.lua", "return 1")
write("project/suites/data.jsonl", '{"id":"a","text":"x"}\n')
write("project/suites/.hidden.jsonl", "")
write("project/suites/notes.txt", "")
write("given/judges/mine.lua", "return 2")
write("flat/mine.lua", "return 3")
write("same/judges/mine.lua", "return 1")

local function with(paths, fn)
  catalog.configure { paths = paths, project = root .. "/project" }
  local ok, err = pcall(fn)
  catalog.configure {}
  if not ok then
    error(err, 0)
  end
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  test.eq(ok, false)
  test.eq(err.exit, 3)
  return tostring(err)
end

test("what_looks_like_a_path_is_one", function()
  for _, s in ipairs { "./x", "a/b", "x.lua", "x.jsonl", "x.csv" } do
    test.eq(catalog.is_path(s), true)
  end
  for _, s in ipairs { "x", "x.json", "lua", "gpt-4.1" } do
    test.eq(catalog.is_path(s), false)
  end
end)

test("a_name_is_found_in_the_projects_folder", function()
  with({}, function()
    local found = catalog.find("judges", "mine")
    test.eq(found.path, root .. "/project/judges/mine.lua")
    test.eq(found.origin, "project")
    test.eq(catalog.find("suites", "data").path, root .. "/project/suites/data.jsonl")
  end)
end)

test("path_decides_between_two", function()
  with({ root .. "/given" }, function()
    test.eq(catalog.find("judges", "mine").path, root .. "/given/judges/mine.lua")
  end)
  with({ root .. "/flat", root .. "/given" }, function()
    test.eq(catalog.find("judges", "mine").path, root .. "/flat/mine.lua")
  end)
end)

test("two_different_files_of_a_name_are_an_error_that_shows_both", function()
  write("project/judges/mine2.lua", "return 4")
  write("two/judges/x.lua", "return 1")
  write("two/suites/x.lua", "return 1")
  write("two/suites/x.jsonl", "")
  with({ root .. "/two" }, function()
    local message = failure(catalog.find, "suites", "x")
    test.has(message, "two/suites/x.jsonl (--path)")
    test.has(message, "two/suites/x.lua (--path)")
  end)
end)

test("the_same_bytes_in_two_folders_are_one_thing", function()
  with({ root .. "/same" }, function()
    local n = 0
    for _, entry in ipairs(catalog.list "judges") do
      n = n + (entry.name == "mine" and 1 or 0)
    end
    test.eq(n, 1)
  end)
end)

test("a_list_is_sorted_and_has_only_files_of_the_kind", function()
  with({}, function()
    local names = {}
    for _, entry in ipairs(catalog.list "suites") do
      if entry.origin == "project" then
        names[#names + 1] = entry.name
      end
    end
    test.eq(table.concat(names, " "), "data")
  end)
end)

test("an_unknown_name_gets_the_nearest_and_the_folders_searched", function()
  with({ root .. "/given" }, function()
    local message = failure(catalog.find, "judges", "mien")
    test.has(message, 'unknown judge "mien". Did you mean "mine"')
    test.has(message, root .. "/given/judges (--path)")
    test.has(message, root .. "/project/judges (project)")
  end)
end)

test("a_missing_file_gets_the_nearest_in_its_folder", function()
  local message = failure(catalog.find, "suites", root .. "/project/suites/dat.jsonl")
  test.has(message, "no such file")
  test.has(message, 'Did you mean "' .. root .. '/project/suites/data.jsonl"?')
  test.has(failure(catalog.find, "suites", root .. "/project"), "expected a file, got a folder")
end)

test("none_is_a_persona_without_a_file", function()
  test.eq(catalog.find("personas", "none").path, nil)
  local message = failure(catalog.find, "personas", "nnoe")
  test.has(message, 'Did you mean "none"')
end)

test("names_cannot_leave_their_folder", function()
  for _, name in ipairs { "..", "", "\0", "mine\n" } do
    failure(catalog.find, "judges", name)
  end
end)

test("a_script_is_shown_relative_to_the_project", function()
  with({}, function()
    test.eq(catalog.display(root .. "/project/judges/mine.lua"), "judges/mine.lua")
  end)
  test.eq(catalog.display "./judges/x.lua", "judges/x.lua")
end)

test("a_chunk_knows_its_modules_and_hash", function()
  local path = write("mods/a.lua", 'local b = require "b.c"\nlocal re = require "lre.regex"\nreturn b')
  write("mods/b/c.lua", 'return require("d")')
  write("mods/d.lua", "return 1")
  local chunk = catalog.chunk(path)
  test.eq(chunk.modules["b.c"].source, 'return require("d")')
  test.eq(chunk.modules["lre.regex"], nil)
  local before = chunk.hash
  write("mods/b/c.lua", "return 2")
  test.eq(catalog.chunk(path).hash == before, false)
  test.eq(catalog.chunk(path).sha256, chunk.sha256)
end)

test("a_bom_and_a_shebang_are_not_lua_and_keep_line_numbers", function()
  local chunk = catalog.chunk(write("load/s.lua", '\239\187\191#!/usr/bin/env lre\nerror "here"'))
  test.has(failure(catalog.run, chunk), "s.lua:2: here")
end)

test("globals_are_refused_also_through_G", function()
  test.has(failure(catalog.run, catalog.chunk(write("load/g1.lua", "answer = 42"))), "use `local answer`")
  test.has(failure(catalog.run, catalog.chunk(write("load/g2.lua", "_G.answer = 42"))), "use `local answer`")
  test.has(failure(catalog.run, catalog.chunk(write("load/g3.lua", "function answer() end"))), "use `local answer`")
  test.eq(rawget(_G, "answer"), nil)
end)

test("a_traceback_ends_with_the_script", function()
  local message = failure(catalog.run, catalog.chunk(write("load/t.lua", "local function f() error 'deep' end\nf()")))
  test.has(message, "t.lua:1: deep\nstack traceback:")
  test.has(message, "t.lua:2: in main chunk")
  test.eq(message:find("catalog.lua", 1, true), nil)
end)
