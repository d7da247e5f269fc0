-- verify_tables: are results.csv, results.parquet and summary.csv what the journal gives? They are made anew beside and
-- held against those of the run byte by byte; where a CSV file differs, row and column say where.
local csv = require "lre.csv"
local finals = require "lre.finals"
local fs = require "lre.fs"
local store = require "lre.store"
local summary = require "lre.summary"

local verify_tables = {}

local MAX_BYTES = 1 << 30
local BLOCK = 1 << 20
-- So many wrong cells of a file are told: a column that is wrong is wrong in every row.
local MOST = 100

-- The first byte (from 1) in which two files differ; nil where they are the same.
local function first_difference(a, b)
  local one <close> = assert(io.open(a, "rb"))
  local two <close> = assert(io.open(b, "rb"))
  local before = 0
  while true do
    local x, y = one:read(BLOCK) or "", two:read(BLOCK) or ""
    if x ~= y then
      local at = 1
      while x:byte(at) == y:byte(at) do at = at + 1 end
      return before + at
    end
    if x == "" then return nil end
    before = before + #x
  end
end

-- A record's name: what its first columns say, up to where it is alone in the file (a trial's key; suite, model, ...).
local function name_of(record, columns)
  return table.concat(record, ", ", 1, math.min(columns, #record))
end

-- Tells the cells that differ, up to a row that is there on one side only. Returns how many it told.
local function compare_records(made, found, columns, tell)
  local header, number, told = nil, 0, 0
  local function say(...)
    told = told + 1
    tell(...)
  end
  while told < MOST do
    number = number + 1
    local x, y = made(), found()
    if not x and not y then break end
    local row = ("line %d (%s)"):format(number, name_of(x or y, columns))
    if not x or not y then
      say(row, nil, x and "this row" or "no such row", x and "it is missing" or "it is there")
      break
    end
    for i = 1, math.max(#x, #y) do
      if x[i] ~= y[i] then say(header and row or "header", (header or x)[i] or ("column " .. i), x[i], y[i]) end
    end
    if not header and told > 0 then break end -- other columns: no row can be held against another
    header = header or x
  end
  return told
end

-- A text that is not the expected one: the cells, or where nothing but the writing differs, the byte.
local function tell_csv(file, made, found, columns, at, problem)
  local ok, n = pcall(compare_records, csv.records(made), csv.records(found), columns, function(row, field, x, y)
    problem(file, row, field, x, y)
  end)
  if not ok then
    problem(file, nil, nil, "CSV", tostring(n))
  elseif n == 0 then
    problem(file, nil, "byte " .. at, "the canonical text", "the same cells written otherwise")
  end
end

local function check_tables(path, journal, figures, problem)
  local made = { ["results.csv"] = os.tmpname(), ["results.parquet"] = os.tmpname() }
  local index <close> = setmetatable({ state = assert(store.open()) }, { __close = function(self)
    self.state:close()
    for _, name in pairs(made) do os.remove(name) end
  end })
  assert(index.state:update(journal))
  assert(finals.tables(index.state, journal, figures, made["results.csv"], made["results.parquet"]))
  local at = first_difference(made["results.csv"], path .. "/results.csv")
  if at then
    tell_csv("results.csv", assert(fs.read(made["results.csv"], MAX_BYTES)),
      assert(fs.read(path .. "/results.csv", MAX_BYTES)), 1, at, problem)
  end
  at = first_difference(made["results.parquet"], path .. "/results.parquet")
  if at then problem("results.parquet", nil, "byte " .. at, "the table of this journal", "other bytes") end
end

---Calls problem(file, row?, field?, expected, found) for what is wrong. A file that an older run does not have is not
---wrong. figures: the results, made of the journal.
function verify_tables.check(path, journal, figures, problem)
  local text = fs.read(path .. "/summary.csv", MAX_BYTES)
  local made = summary.csv(figures)
  if text and text ~= made then
    local at = 1
    while text:byte(at) == made:byte(at) do at = at + 1 end
    tell_csv("summary.csv", made, text, 4, at, problem)
  end
  if fs.stat(path .. "/results.csv") and fs.stat(path .. "/results.parquet") then
    check_tables(path, journal, figures, problem)
  end
end

return verify_tables
