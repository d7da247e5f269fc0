-- kappa: agreement of two sets of labels, joined on all that tells one trial from another.
local agreement = require "lre.agreement"
local answers = require "lre.answers"
local fs = require "lre.fs"
local json = require "lre.json"
local plan = require "lre.plan"
local report = require "lre.report"
local shape = require "lre.shape"
local source = require "lre.source"
local suggest = require "lre.suggest"

local kappa = {}

-- So many of the rows that do not join are named.
local SHOWN = 3

-- ---- sides ----

local function choose_judge(run, wanted)
  local names = run:judges()
  if not wanted then
    if #names == 1 then return names[1] end
    shape.fail(("%s has %d judges (%s): choose with --judge"):format(run.path, #names, table.concat(names, ", ")))
  end
  for _, name in ipairs(names) do
    if name == wanted then return name end
  end
  shape.fail(("%s: no verdicts of judge %s.%s It has %s"):format(run.path, shape.quote(wanted),
    suggest.sentence(wanted, names), table.concat(names, ", ")))
end

local function rows_of_run(run, judge)
  local out = {}
  for i, t in ipairs(run:trials(judge)) do
    local suite, id, who, model, n = plan.parse_key(t.key)
    out[i] = { outcome = t.outcome, scored = t.scored, where = t.key,
      parts = { suite = suite, id = id, persona = who, model = model, ["repeat"] = n } }
  end
  return out
end

-- A run's folder under one judge, or a file of labels.
local function side(path, judge)
  local stat = fs.stat(path)
  if not stat or stat.type ~= "folder" then return { name = path, path = path } end
  local run = source.open(path)
  local name = choose_judge(run, judge)
  return { name = ("%s, judge %s"):format(path, name), labels = run:labels(name), rows = rows_of_run(run, name) }
end

---Both sides: two paths, or one run and two judges. A file's labels must be among those of the other side's judge,
---where that is known. Raises { exit = 2 | 3 | 4 }.
---@param a string
---@param b string?
---@param judges string[]
function kappa.sides(a, b, judges)
  if not b and #judges ~= 2 then
    shape.fail(("expected two files or runs, or one run and two judges (--judge x --judge y), got %d judges"):format(
      #judges), 2)
  elseif #judges > 2 then
    shape.fail(("--judge: expected two judges at most, got %d"):format(#judges), 2)
  end
  local x, y = side(a, judges[1]), side(b or a, judges[2] or judges[1])
  x.rows = x.rows or answers.labels(x.path, y.labels)
  y.rows = y.rows or answers.labels(y.path, x.labels)
  return x, y
end

-- ---- joining ----

local function has_all(rows, field)
  for _, row in ipairs(rows) do
    if row.parts[field] == nil then return false end
  end
  return true
end

-- What both sides say of every row; the id always.
local function join_fields(x, y)
  local fields = json.array {}
  for _, field in ipairs(answers.PARTS) do
    if field == "id" or has_all(x.rows, field) and has_all(y.rows, field) then fields[#fields + 1] = field end
  end
  return fields
end

-- Rows by key; keys that are there twice say nothing certain and are left out, on both sides.
local function by_key(rows, fields)
  local index, order, twice = {}, {}, {}
  for _, row in ipairs(rows) do
    local key = answers.key(row.parts, fields)
    if index[key] then
      if not twice[key] then twice[#twice + 1] = row.where end
      twice[key] = true
    else
      index[key], order[#order + 1] = row, key
    end
  end
  return index, order, twice
end

local function only(order, other, twice, mine)
  local out = {}
  for _, key in ipairs(order) do
    if not other[key] and not twice[key] and not mine[key] then out[#out + 1] = key end
  end
  return out
end

local function names_of(keys, index)
  local out = json.array {}
  for i, key in ipairs(keys) do out[i] = index[key].where end
  return out
end

-- Labels in the order of a judge that declares them, then the others sorted.
local function all_labels(x, y, pairs_)
  local labels, seen, more = {}, {}, {}
  for _, list in ipairs { x.labels or {}, y.labels or {} } do
    for _, label in ipairs(list) do
      if not seen[label] then labels[#labels + 1] = label end
      seen[label] = true
    end
  end
  for _, pair in ipairs(pairs_) do
    for _, row in ipairs(pair) do
      if row.scored and not seen[row.outcome] then
        seen[row.outcome], more[#more + 1] = true, row.outcome
      end
    end
  end
  table.sort(more)
  return table.move(more, 1, #more, #labels + 1, labels)
end

local function count(pairs_, labels)
  local at, rows, apart, disagree = {}, agreement.table(labels), {}, json.array {}
  for i, label in ipairs(labels) do at[label] = i end
  for _, pair in ipairs(pairs_) do
    local a, b = pair[1], pair[2]
    if a.scored and b.scored then
      local row = rows[at[a.outcome]]
      row[at[b.outcome]] = row[at[b.outcome]] + 1
      if a.outcome ~= b.outcome then disagree[#disagree + 1] = { where = a.where, a = a.outcome, b = b.outcome } end
    else
      local what = a.outcome .. " / " .. b.outcome
      apart[what] = (apart[what] or 0) + 1
    end
  end
  return rows, apart, disagree
end

local function clustered(pairs_)
  local seen = {}
  for _, pair in ipairs(pairs_) do
    local sample = tostring(pair[1].parts.suite) .. "\0" .. pair[1].parts.id
    if seen[sample] then return true end
    seen[sample] = true
  end
  return false
end

local function check_strict(out)
  local problems = {}
  local function add(what, list)
    if #list == 0 then return end
    problems[#problems + 1] = ("%d %s, first %s"):format(#list, what, shape.quote(list[1]))
  end
  add("rows are there twice in A", out.twice_a)
  add("rows are there twice in B", out.twice_b)
  add("rows are only in A", out.only_a)
  add("rows are only in B", out.only_b)
  if #problems > 0 then shape.fail("--strict: " .. table.concat(problems, "; ")) end
end

---Agreement of two sides: what lre.agreement.of says, and a, b, joined_on, only_a, only_b, twice_a, twice_b, apart
---(rows without a label on one side, by outcome), disagree. Raises { exit = 3 } where no row is in both.
---@param x table see kappa.sides
---@param y table
---@param opt { confidence: number, strict: boolean? }
function kappa.of(x, y, opt)
  local fields = join_fields(x, y)
  local mine, order_x, twice_x = by_key(x.rows, fields)
  local theirs, order_y, twice_y = by_key(y.rows, fields)
  local pairs_ = {}
  for _, key in ipairs(order_x) do
    if theirs[key] and not twice_x[key] and not twice_y[key] then pairs_[#pairs_ + 1] = { mine[key], theirs[key] } end
  end
  local only_a, only_b = only(order_x, theirs, twice_x, twice_y), only(order_y, mine, twice_y, twice_x)
  local labels = all_labels(x, y, pairs_)
  local rows, apart, disagree = count(pairs_, labels)
  local out = { name_a = x.name, name_b = y.name, joined_on = fields, rows = #pairs_, confidence = opt.confidence,
    only_a = names_of(only_a, mine), only_b = names_of(only_b, theirs), twice_a = json.array { table.unpack(twice_x) },
    twice_b = json.array { table.unpack(twice_y) }, apart = apart, disagree = disagree, clustered = clustered(pairs_) }
  if opt.strict then check_strict(out) end
  if #pairs_ == 0 then
    shape.fail(("nothing in common: no row of %s joins one of %s on %s (%d and %d rows)"):format(x.name, y.name,
      table.concat(fields, ", "), #x.rows, #y.rows))
  end
  out.agreement = agreement.of(labels, rows, opt.confidence)
  return out
end

-- ---- text ----

local function some(list)
  local shown = table.concat(list, ", ", 1, math.min(#list, SHOWN))
  return report.plain(shown) .. (#list > SHOWN and ", ..." or "")
end

local function notes_of(out)
  local lines = {}
  local function add(what, list)
    if #list > 0 then lines[#lines + 1] = ("- left out: %d %s: %s\n"):format(#list, what, some(list)) end
  end
  add("rows only in A", out.only_a)
  add("rows only in B", out.only_b)
  add("rows that are there twice in A", out.twice_a)
  add("rows that are there twice in B", out.twice_b)
  for _, what in ipairs(shape.keys(out.apart)) do
    lines[#lines + 1] = ("- left out: %d rows without a label (A / B): %s\n"):format(out.apart[what],
      report.plain(what))
  end
  if out.clustered then
    lines[#lines + 1] = "- several rows are of one sample: the interval takes them for independent and is too narrow\n"
  end
  return table.concat(lines)
end

local function margins(out)
  local rows = {}
  for i, label in ipairs(out.labels) do
    rows[i] = { label, agreement.share_text(out.a[label]), agreement.share_text(out.b[label]) }
  end
  return report.table({ "Label", "A", "B" }, rows)
end

---As Markdown.
---@return string
function kappa.text(out)
  local found = out.agreement
  local chance = found.kappa and ("; by chance %.4f"):format(found.kappa.expected) or ""
  local notes = notes_of(out)
  return table.concat {
    "# Agreement of A and B\n\n", ("A: %s\nB: %s\n\n"):format(report.plain(out.name_a), report.plain(out.name_b)),
    ("Joined on %s: %d rows in both.\n"):format(table.concat(out.joined_on, ", "), out.rows),
    agreement.kappa_text(found, out.confidence), "\n",
    ("Observed agreement: %s%s\n\n"):format(agreement.share_text(found.agreed), chance),
    agreement.table_text(found, "A \\ B"), "\n", margins(found), "\n", notes, notes ~= "" and "\n" or "",
    "Intervals: Wilson; kappa: Fleiss, Cohen & Everitt 1969.\n",
  }
end

---As canonical JSON.
---@return string
function kappa.json(out)
  return assert(json.encode(agreement.rounded(out), 2))
end

return kappa
