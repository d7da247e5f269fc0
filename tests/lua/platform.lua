-- lre.platform, lre.clock, lre.hash, lre.mt19937, lre.csv, lre.set: the small modules, each with its promises.
local clock = require "lre.clock"
local csv = require "lre.csv"
local fs = require "lre.fs"
local hash = require "lre.hash"
local mt19937 = require "lre.mt19937"
local platform = require "lre.platform"
local process = require "lre.process"
local set = require "lre.set"
local test = require "lre.unit"

test("the_program_finds_its_lua_from_any_folder", function()
  test.eq(fs.stat(platform.lua_dir .. "/lre/cli.lua").type, "file")
  local out = assert(process.run { "sh", "-c", 'cd / && "$0" --version', test.program })
  test.has(out.out, "lre " .. platform.version)
end)

test("every_library_names_its_version", function()
  local libraries = platform.libraries()
  for _, name in ipairs { "lua", "curl", "cjson", "pcre2", "openssl", "sqlite", "utf8proc" } do
    test.ok(libraries[name]:match("^%d+%.%d+"), name)
  end
  test.eq(type(libraries.pcre2_jit), "boolean")
end)

test("the_machine_is_described_but_not_named", function()
  test.ok(platform.cpus() >= 1)
  test.ok(platform.describe():match("^%l+ %S+$"))
  test.ok(platform.columns() >= 1)
  test.ok(platform.peak_memory() > 1000000)
  test.ok(platform.pid() > 1)
end)

test("the_host_s_mark_is_stable_for_a_user_and_differs_between_users", function()
  local folder = test.folder()
  local function mark(home)
    local path = folder .. "/x.lua"
    assert(fs.write(path, 'io.write(require("lre.platform").host_hash())'))
    local env = { "env", "-u", "XDG_STATE_HOME", "HOME=" .. folder .. "/" .. home, test.program, "script", path }
    return assert(process.run(env)).out
  end
  local first = mark "a"
  test.ok(first:match("^%x+$") and #first == 16, first)
  test.eq(mark "a", first)
  test.ok(mark "b" ~= first)
end)

test("open_files_are_raised_towards_the_limit", function()
  test.ok(platform.raise_nofile(64) >= 64)
end)

test("getenv_gives_values_and_nil", function()
  test.eq(platform.getenv "LRE_NOT_SET_ANYWHERE", nil)
  test.eq(platform.getenv "PATH", os.getenv "PATH")
end)

test("dates_are_utc", function()
  test.eq(clock.iso(1735734600.5), "2025-01-01T12:30:00.500000Z")
  test.eq({ clock.iso(0, false), clock.stamp(1735734600) }, { "1970-01-01T00:00:00Z", "20250101_123000" })
  test.eq(clock.http_date "Sun, 06 Nov 1994 08:49:37 GMT", 784111777)
  test.eq(clock.http_date "tomorrow", nil)
  test.raises(function() clock.iso(1e18) end, "years")
end)

test("source_date_epoch_fixes_every_date_and_a_bad_one_is_said", function()
  local path = test.folder() .. "/x.lua"
  assert(fs.write(path, [[local c = require "lre.clock"
    local epoch, err = c.epoch()
    print(c.iso(), epoch, err and err.code)]]))
  local function with(value)
    return assert(process.run { "env", "SOURCE_DATE_EPOCH=" .. value, test.program, "script", path }).out
  end
  test.eq(with "1735734600", "2025-01-01T12:30:00.000000Z\t1735734600\tnil\n")
  test.has(with "soon", "\tnil\tinvalid\n")
end)

test("sha256_is_sha256", function()
  local abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  test.eq(hash.sha256 "abc", abc)
  test.eq(hash.new():update("a"):update("bc"):hex(), abc)
  test.near(hash.unit "abc", 0xba7816bf8f01cfea / 2.0 ^ 64 + 1, 1e-15)
  local hasher = hash.new()
  hasher:hex()
  test.raises(function() hasher:update "x" end, "already")
end)

test("the_generator_draws_what_cpython_draws", function()
  -- random.Random(42): sample(range(15), 5), then a fresh one's random()
  test.eq(mt19937.new(42):sample(15, 5), { 10, 1, 0, 11, 4 })
  test.near(mt19937.new(42):random(), 0.6394267984578837, 1e-16)
  test.raises(function() mt19937.new(1):sample(3, 4) end, "0 to the population")
  test.raises(function() mt19937.new(1):below(0) end, "over 0")
end)

test("csv_is_rfc_4180", function()
  local got = {}
  for fields, line in csv.records 'a,b\r\n"x,""y""\n",2\n' do got[#got + 1] = { line, fields } end
  test.eq(got, { { 1, { "a", "b" } }, { 2, { 'x,"y"\n', "2" } } })
  test.eq(csv.format { "a", "b,c", 'd"e', 3 }, 'a,"b,c","d""e",3\n')
  test.eq(test.raises(function() for _ in csv.records '"a' do end end, "line 1").kind, "csv")
end)

test("a_set_knows_what_it_has_seen", function()
  local s = set.new()
  test.eq({ s:add "a", s:add "a", s:has "a", s:has "b", s:count() }, { true, false, true, false, 1 })
end)
