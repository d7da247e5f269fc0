-- lre.store: the index over a journal, and the table that is made with it.
local fs, json, process = require "lre.fs", require "lre.json", require "lre.process"
local sched, store = require "lre.sched", require "lre.store"
local test = require "lre.unit"

local GOLDEN = test.root .. "/tests/golden/table."

local function trial(id, more)
  local row = { v = 1, type = "trial", key = "s/" .. id .. "|none|m", suite = "s", sample_id = id, persona = "none",
    model = "m", ["repeat"] = 1, turns = json.array {}, started_at = "2026-01-01T00:00:00Z", seconds = 0.25,
    response = { text = "answer " .. id, finish_reason = "stop", request_id = "r-" .. id,
      usage = { output_tokens = 3, cost_usd = 0.5 } } }
  for name, value in pairs(more or {}) do row[name] = value end
  return row
end

local function failed(id)
  return trial(id, { response = { error = { kind = "http", code = "server", message = "gone", status = 500 } } })
end

local function verdict(id, label, more)
  local text, reason = "answer " .. id, "stop"
  local row = { v = 1, type = "verdict", key = "s/" .. id .. "|none|m", judge = "j", judge_hash = "h", n = 1,
    state = "scored", label = label, response_hash = require "lre.rundir".response_hash(text, reason) }
  for name, value in pairs(more or {}) do row[name] = value end
  return row
end

-- A folder with a journal of these rows (or raw lines); the paths of the journal, the index, and of what is made.
local function journal(rows)
  local folder, lines = test.folder(), {}
  for i, row in ipairs(rows) do lines[i] = (type(row) == "string" and row or json.encode(row)) .. "\n" end
  assert(fs.write(folder .. "/partials.jsonl", table.concat(lines)))
  return folder .. "/partials.jsonl", folder .. "/state.sqlite", folder
end

local function append(path, row)
  assert(fs.write(path, assert(fs.read(path)) .. json.encode(row) .. "\n"))
end

-- `told`: of its update, with what is in it then.
local function bring_up(s, path)
  local told = assert(s:update(path))
  told.counts = assert(s:count())
  return told
end

local function counts(told)
  return { told.counts.done, told.counts.failed, told.counts.verdicts, told.counts.lines }
end

local function update(path, at)
  local s <close> = assert(store.open(at))
  return bring_up(s, path)
end

local function answered(path, at)
  local s <close> = assert(store.open(at))
  local set = assert(s:answered(path))
  return set:count(), set
end

local ROWS = { trial "b", failed "c", trial "a", verdict("b", "yes"), verdict("a", "no") }

test("the_index_has_what_the_journal_has_and_follows_it", function()
  local path, at = journal(ROWS)
  test.eq(counts(update(path, at)), { 2, 1, 2, 5 })
  append(path, trial "c")
  local told = update(path, at)
  test.eq(counts(told), { 3, 0, 2, 6 })
  test.eq({ told.rebuilt, told.n_problems }, { false, 0 })
  local out = assert(process.run { "sh", "-c", "command -v sqlite3 >/dev/null || exit 77; sqlite3 \"$0\" "
    .. "'SELECT key FROM done ORDER BY key'", at })
  test.ok(out.exit == 77 or out.out == "s/a|none|m\ns/b|none|m\ns/c|none|m\n", out.out)
end)

test("an_index_that_is_lost_foreign_older_damaged_or_of_another_journal_is_made_again", function()
  local path, at = journal(ROWS)
  local other, other_at = journal { trial "x", trial "y", trial "z", trial "u", trial "v", trial "w" }
  update(other, other_at)
  local spoilt = {
    lost = function() assert(fs.remove(at)) end,
    empty = function() assert(fs.write(at, "")) end,
    text = function() assert(fs.write(at, ("not a database\n"):rep(400))) end,
    cut = function() assert(fs.write(at, assert(fs.read(at)):sub(1, 5000))) end,
    older = function()
      local bytes = assert(fs.read(at))
      assert(fs.write(at, bytes:sub(1, 60) .. "\0\0\0\9" .. bytes:sub(65))) -- its user_version
    end,
    other = function() assert(fs.write(at, assert(fs.read(other_at)))) end,
  }
  for name, spoil in pairs(spoilt) do
    update(path, at)
    spoil()
    test.eq(counts(update(path, at)), { 2, 1, 2, 5 }, name)
    test.eq(answered(path, at), 2, name)
  end
end)

test("a_journal_that_became_shorter_or_another_one_is_read_from_its_first_line", function()
  local path, at = journal(ROWS)
  update(path, at)
  assert(fs.write(path, json.encode(trial "only") .. "\n"))
  local told = update(path, at)
  test.eq({ counts(told), told.rebuilt }, { { 1, 0, 0, 1 }, true })
end)

test("the_answered_keys_are_those_of_the_index_and_of_the_lines_behind_it", function()
  local path, at = journal(ROWS)
  test.eq(answered(path, at), 2) -- nothing is indexed yet
  update(path, at)
  append(path, trial "c")
  append(path, trial('"é\n', {}))
  local n, set = answered(path, at)
  test.eq(n, 4)
  test.ok(set:has "s/c|none|m" and set:has 's/"é\n|none|m')
end)

test("an_error_after_an_answer_is_asked_again_for_the_last_line_counts", function()
  local path, at = journal { trial "a", trial "b", failed "a" }
  local n, set = answered(path, at)
  test.eq({ n, set:has "s/a|none|m", set:has "s/b|none|m" }, { 1, false, true })
end)

test("lines_that_are_torn_foreign_of_the_future_or_doubled_are_told_by_number_and_the_rest_is_kept", function()
  local path, at = journal { trial "a", '{"v":1,"type":"tri', '{"some":"thing"}', trial("b", { v = 2 }),
    "[" .. json.encode(trial "d") .. "]",
    verdict("a", "yes", { type = "gossip" }), '{"v":1,"type":"trial"}', trial "a", trial "c" }
  local told, seen = update(path, at), {}
  for i, problem in ipairs(told.problems) do seen[i] = { problem.line, problem.err.code } end
  test.eq(seen, { { 2, "syntax" }, { 3, "foreign" }, { 4, "future" }, { 5, "foreign" }, { 6, "foreign" },
    { 7, "foreign" }, { 8, "duplicate" } })
  test.eq(counts(told), { 2, 0, 0, 9 })
  test.has(tostring(told.problems[3].err), "written by a newer lre")
end)

test("a_torn_last_line_is_taken_once_it_is_whole", function()
  local path, at = journal { trial "a" }
  local line = json.encode(trial "b")
  local whole = assert(fs.read(path)) .. line .. "\n"
  assert(fs.write(path, whole:sub(1, -10)))
  test.eq(counts(update(path, at)), { 1, 0, 0, 1 })
  assert(fs.write(path, whole))
  test.eq(counts(update(path, at)), { 2, 0, 0, 2 })
end)

test("trials_come_in_the_order_of_their_keys_with_their_verdicts", function()
  local path, at = journal(ROWS)
  local s <close> = assert(store.open(at))
  assert(s:update(path))
  local seen = {}
  for line, verdicts in s:trials(path) do
    seen[#seen + 1] = { json.decode(line).sample_id, verdicts[1] and json.decode(verdicts[1]).label }
  end
  test.eq(seen, { { "a", "no" }, { "b", "yes" }, { "c" } })
end)

test("a_walk_over_a_closed_index_is_a_scripts_bug", function()
  local path, at = journal(ROWS)
  local s = assert(store.open(at))
  assert(s:update(path))
  local walk = assert(s:trials(path))
  walk()
  s:close()
  test.raises(walk, "the index is closed")
  test.raises(function() s:update(path) end, "the index is closed")
end)

test("while_an_index_is_brought_up_to_date_nothing_else_is_done_with_it", function()
  local path, at = journal(ROWS)
  local s = assert(store.open(at))
  assert(s:update(path))
  local walk = assert(s:trials(path))
  append(path, trial "z")
  local updater = sched.spawn(function() assert(s:update(path)) end)
  local other = sched.spawn(function() -- its turn is before the end of any wait is looked for
    for _, use in ipairs { walk, function() s:count() end, function() s:update(path) end } do
      test.raises(use, "the index is being brought up to date")
    end
    walk = nil
    collectgarbage()
  end)
  updater:wait()
  other:wait()
  test.eq(assert(s:count()).done, 3)
  local cut_off = sched.spawn(function() s:update(path) end)
  sched.spawn(function() cut_off:cancel() end):wait()
  s:close()
end)

test("something_else_in_its_place_is_an_error_and_stays", function()
  local folder = test.folder()
  local s, err = store.open(folder)
  test.eq({ s, err.code }, { nil, "not_a_file" })
end)

-- ---- the table ----

local TABLE = {
  trial("b", { category = "harmful", params = { temperature = 0, top_p = 0.5 } }),
  failed "c",
  trial("a", { params = { temperature = 0.25 }, turns = json.array { { text = "first", request_id = "x" } } }),
  trial("d", { response = { text = 'with "quotes",\ncommas\tand é', finish_reason = "length" } }),
  trial("e", { response = { text = "", finish_reason = "stop" } }),
  verdict("b", "red", { evidence = { sure = true, score = 1, where = json.array { 1, 2 }, mixed = 1 } }),
  verdict("a", "blue", { evidence = { sure = false, score = 0.5, mixed = "one" }, value = 7 }),
  verdict("a", "old", { judge_hash = "another" }),
  verdict("d", "stale", { response_hash = ("0"):rep(64) }),
  { v = 1, type = "verdict", key = "s/nobody|none|m", judge = "j", judge_hash = "h", n = 1, state = "scored" },
}

local function write_table(rows)
  local path, at, folder = journal(rows)
  local s <close> = assert(store.open(at))
  assert(s:update(path))
  assert(s:table { journal = path, csv = folder .. "/t.csv", parquet = folder .. "/t.parquet",
    judges = { { name = "j", hash = "h" }, { name = "absent", hash = "h" } },
    left_out = { "v", "type", "started_at", "seconds", "response.request_id", "response.usage.cost_usd",
      "response.error.message", "turns.request_id" },
    left_out_verdict = { "v", "type", "key", "judge", "judge_hash", "n", "response_hash" } })
  return assert(fs.read(folder .. "/t.csv")), assert(fs.read(folder .. "/t.parquet")), folder
end

test("a_table_has_the_bytes_that_it_always_had", function()
  local csv, parquet = write_table(TABLE)
  if os.getenv "LRE_UPDATE_GOLDEN" then
    assert(fs.write(GOLDEN .. "csv", csv))
    assert(fs.write(GOLDEN .. "parquet", parquet))
  end
  test.eq(csv, fs.read(GOLDEN .. "csv"))
  test.ok(parquet == fs.read(GOLDEN .. "parquet"), "tests/golden/table.parquet differs")
  test.eq({ parquet:sub(1, 4), parquet:sub(-4) }, { "PAR1", "PAR1" })
end)

test("a_table_is_the_same_whatever_the_order_of_the_lines_and_whatever_was_superseded", function()
  local csv, parquet = write_table(TABLE)
  local shuffled = { failed "a", trial("b", { params = { old = "column" } }) }
  for i = #TABLE, 1, -1 do shuffled[#shuffled + 1] = TABLE[i] end
  local csv2, parquet2 = write_table(shuffled)
  test.eq(csv2, csv)
  test.ok(parquet2 == parquet)
end)

test("a_table_is_the_same_where_lines_have_space_around_them_or_a_byte_order_mark_before", function()
  local csv, parquet = write_table(TABLE)
  local edited = {}
  for i, row in ipairs(TABLE) do edited[i] = (i == 1 and "\u{FEFF}" or " \t") .. json.encode(row) .. " \r" end
  local csv2, parquet2 = write_table(edited)
  test.eq(csv2, csv)
  test.ok(parquet2 == parquet)
end)

test("of_a_judge_that_was_asked_again_under_another_hash_the_last_verdict_is_shown_whole", function()
  local path, at, dir = journal { trial "a", verdict("a", "old", { evidence = { only = "old" } }),
    verdict("a", "new", { judge_hash = "h2" }) }
  local s <close> = assert(store.open(at))
  assert(s:update(path))
  assert(s:table { journal = path, csv = dir .. "/t.csv", parquet = dir .. "/t.parquet", left_out = {},
    left_out_verdict = {}, judges = { { name = "j", hash = "h2" }, { name = "j", hash = "h" } } })
  local csv = assert(fs.read(dir .. "/t.csv"))
  test.has(csv, "new")
  test.ok(not csv:find("old", 1, true), csv)
end)

-- The files are begun with the columns of the first rows.
test("a_column_or_a_type_that_only_the_last_of_many_rows_has_is_the_tables", function()
  local rows = {}
  for i = 1, 600 do rows[i] = trial(("%04d"):format(i), { params = { odd = i } }) end
  test.has(write_table(rows), ",600,")
  rows[600].params.odd = 0.5
  local csv = write_table(rows)
  test.has(csv, ",1.0,")
  test.has(csv, ",0.5,")
  rows[600].params = { late = "z", odd = 600 }
  csv = write_table(rows)
  test.has(csv:match "^[^\n]+", "params.late,params.odd")
  test.has(csv, ",,1,")
  test.has(csv, ",z,600,")
  test.eq(select(2, csv:gsub("\n", "")), 601)
end)

test("a_journal_without_trials_is_a_table_without_rows", function()
  local csv, parquet = write_table {}
  test.eq(csv, "key\n")
  test.eq(parquet:sub(1, 4), "PAR1")
end)

-- LRE_PYTHON names an interpreter that has the libraries.
local function python(script, ...)
  local program = os.getenv "LRE_PYTHON" or "python3"
  local out = process.run { program, "-W", "error", "-c", script, ..., timeout = 300 }
  if not out or out.err:find "No module named" then
    test.skip "python with pyarrow and duckdb is not here (LRE_PYTHON)"
  end
  return out
end

test("pyarrow_reads_what_was_written_with_its_types", function()
  local _, _, folder = write_table(TABLE)
  local out = python([[
import sys, json, pyarrow.parquet as pq
f = pq.ParquetFile(sys.argv[1])
t = f.read()
t.validate(full=True)
print(json.dumps([[str(x.type) for x in t.schema], t.to_pylist()], ensure_ascii=True))]], folder .. "/t.parquet")
  test.eq({ out.exit, out.err }, { 0, "" })
  local seen = json.decode(out.out)
  local by = {}
  for _, row in ipairs(seen[2]) do by[row.sample_id] = row end
  test.eq(#seen[2], 5)
  test.eq(by.d["response.text"], 'with "quotes",\ncommas\tand é')
  test.eq({ by.a["verdicts.j.evidence.sure"], by.a["verdicts.j.evidence.score"], by.a["verdicts.j.evidence.mixed"] },
    { false, 0.5, "one" })
  test.eq({ by.b["verdicts.j.evidence.score"], by.b["verdicts.j.evidence.mixed"], by.b["verdicts.j.evidence.where"] },
    { 1.0, "1", "[1,2]" })
  test.eq({ by.c["response.error.status"], by.c["response.text"], by.e["response.text"] }, { 500, json.null, "" })
  test.eq(by.a.turns, '[{"text":"first"}]')
  test.eq(by.d["verdicts.j.label"], json.null, "a verdict on another answer is not shown")
end)

test("duckdb_reads_both_files_alike", function()
  local _, _, folder = write_table(TABLE)
  local out = python([[
import sys, duckdb, pyarrow
def rows(source): return duckdb.sql(f"""SELECT key, "repeat", "response.text", "verdicts.j.label", "params.temperature"
  FROM {source} ORDER BY key""").fetchall()
a = rows(f"'{sys.argv[1]}.parquet'")
b = rows(f"read_csv('{sys.argv[1]}.csv', header = true, allow_quoted_nulls = false)")
assert len(a) == 5 and a == b, (a, b)
print("same")]], folder .. "/t")
  test.eq({ out.exit, out.out, out.err }, { 0, "same\n", "" })
end)

test("many_groups_of_rows_are_read_back", function()
  local rows, text = {}, ("long text "):rep(2000)
  for i = 1, 1500 do
    rows[i] = trial(("%05d"):format(i), { response = { text = text .. i, finish_reason = "stop" },
      category = i % 3 > 0 and "c" or nil })
  end
  local _, _, folder = write_table(rows)
  local out = python([[
import sys, pyarrow.parquet as pq, duckdb
f = pq.ParquetFile(sys.argv[1])
t = f.read()
assert f.num_row_groups > 2, f.num_row_groups
assert t.column("response.text").to_pylist() == ["long text " * 2000 + str(i) for i in range(1, 1501)]
assert t.column("category").to_pylist() == ["c" if i % 3 else None for i in range(1, 1501)]
print(duckdb.sql(f"select count(category) from '{sys.argv[1]}'").fetchall()[0][0])]], folder .. "/t.parquet")
  test.eq({ out.exit, out.out, out.err }, { 0, "1000\n", "" })
end)
