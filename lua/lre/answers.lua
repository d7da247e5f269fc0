-- answers: rows of a file that hold an answer, a label, or both: JSON lines, or one JSON list. Every problem of a row
-- names the file, the line and the field.
local fs = require "lre.fs"
local json = require "lre.json"
local judge = require "lre.judge"
local judge_model = require "lre.judge_model"
local plan = require "lre.plan"
local shape = require "lre.shape"
local source = require "lre.source"

local answers = {}

local MAX_BYTES = 1 << 30

local bad, present, text_field = shape.bad, shape.present, shape.text_field

-- ---- lines ----

local function check_object(row, where)
  if type(row) ~= "table" or json.is_array(row) then bad(where, nil, "expected an object, got %s", shape.show(row)) end
  return row
end

---The row in a line of a file: row, where ("file:line"); nil for a blank line and one that begins with #. Raises
---{ exit = 3 }.
function answers.row(line, path, number)
  if number == 1 then line = line:gsub("^\239\187\191", "") end
  if line:byte(-1) == 13 then line = line:sub(1, -2) end
  if not line:find "%S" or line:find "^%s*#" then return nil end
  local where = ("%s:%d"):format(path, number)
  if line == "{" then
    bad(path, nil, "expected a JSON object a line, or one list; got an object over several lines (a results.json "
      .. "has no single trials: give the run's folder)")
  end
  local row, err = json.decode(line, { bigint = "string", max_bytes = MAX_BYTES })
  if row == nil then bad(where, nil, "%s", tostring(err)) end
  return check_object(row, where), where
end

local function each_line(path)
  local lines = fs.lines(path, MAX_BYTES)
  return function()
    for line, number in lines do
      local row, where = answers.row(line, path, number)
      if row then return row, where end
    end
  end
end

-- A whole file that is one list: the first seed wrote those.
local function each_element(path)
  local text, err = fs.read(path, MAX_BYTES)
  if not text then shape.fail(("%s: %s"):format(path, tostring(err)), 4) end
  local list, wrong = json.decode(text, { bigint = "string", max_bytes = MAX_BYTES })
  if list == nil then bad(path, nil, "%s", tostring(wrong)) end
  local i = 0
  return function()
    i = i + 1
    local where = ("%s: row %d"):format(path, i)
    if list[i] ~= nil then return check_object(list[i], where), where end
  end
end

-- Its first character that is no blank says which it is.
local function is_list(path)
  for line in fs.lines(path, MAX_BYTES) do
    local first = line:gsub("^\239\187\191", ""):match "%S"
    if first then return first == "[" end
  end
  return false
end

---Is it a file of lines, not one list? Raises { exit = 4 } where it is no file.
function answers.has_lines(path)
  local stat = fs.stat(path)
  local wrong = not stat and "no such file" or stat.type == "folder" and "is a folder"
    or stat.type == "other" and "is a device or pipe, and is read more than once"
  if wrong then shape.fail(("%s: %s; expected a file of JSON lines"):format(path, wrong), 4) end
  return not is_list(path)
end

---Streams the rows of a file: row, where ("file:line" or "file: row n"). Raises { exit = 3 | 4 }.
function answers.rows(path)
  return answers.has_lines(path) and each_line(path) or each_element(path)
end

-- ---- fields ----

local function id_of(row, where)
  local id = present(row.id)
  if id == nil then id = present(row.prompt_id) end
  if id == nil then id = present(row.sample_id) end
  if math.type(id) == "integer" then id = tostring(id) end
  if type(id) ~= "string" or id == "" then bad(where, "id", "expected a non-empty string, got %s", shape.show(id)) end
  return id
end

---What tells one trial from another, in the order of a key's parts.
answers.PARTS = { "suite", "id", "persona", "model", "repeat" }

-- From the key where there is one, else from the row's fields; what is not said is nil.
local function parts_of(row, where)
  local key = text_field(row, "key", where)
  if key then
    local suite, id, persona, model, n = plan.parse_key(key)
    if not suite then bad(where, "key", "expected suite/sample|persona|model, got %s", shape.quote(key)) end
    return { suite = suite, id = id, persona = persona, model = model, ["repeat"] = n }
  end
  local n = present(row["repeat"])
  if n ~= nil and math.type(n) ~= "integer" then bad(where, "repeat", "expected an integer, got %s", shape.show(n)) end
  return { id = id_of(row, where), suite = text_field(row, "suite", where), ["repeat"] = n,
    persona = text_field(row, "persona", where), model = text_field(row, "model", where) }
end

local function response_table(given, where)
  local err = present(given.error)
  if err ~= nil then return { error = type(err) == "table" and err or { kind = "answer", code = "error" } } end
  local text, finish = present(given.text), present(given.finish_reason)
  if type(text) ~= "string" then bad(where, "response.text", "expected a string, got %s", shape.show(given.text)) end
  return { text = text, finish_reason = finish or "stop" }
end

-- `output` with generation_seconds -1 is how the first seed wrote a failed call.
local function response_of(row, where)
  local given, name = present(row.response), "response"
  if given == nil and row.output ~= nil then given, name = present(row.output), "output" end
  if type(given) == "table" then return response_table(given, where) end
  if type(given) ~= "string" then bad(where, name, "expected a string, got %s", shape.show(given)) end
  if row.generation_seconds == -1 then return { error = { kind = "answer", code = "generation_failed" } } end
  return { text = given, finish_reason = present(row.finish_reason) or "stop" }
end

local function contains(list, word)
  for _, entry in ipairs(list) do
    if entry == word then return true end
  end
  return false
end

local function check_label(label, labels, where)
  if type(label) ~= "string" or label == "" then
    bad(where, "label", "expected a label, got %s", shape.show(label))
  elseif labels and not contains(labels, label) then
    bad(where, "label", "expected one of %s, got %s", table.concat(labels, ", "), shape.quote(label))
  end
  return label
end

-- ---- rows ----

---Rows of answers: { id, parts, where, prompt?, response, label? (checked where `labels` are given), row }. An id (with
---what else tells a trial from another) that is there twice is an error. Raises { exit = 3 | 4 }.
---@param path string
---@param labels string[]? each row must have a label, one of these
---@return table[]
function answers.read(path, labels)
  local out, seen = {}, {}
  for row, where in answers.rows(path) do
    local parts = parts_of(row, where)
    local key = answers.key(parts, answers.PARTS)
    if seen[key] then bad(where, "id", "%s is there twice, first in %s", shape.quote(parts.id), seen[key]) end
    seen[key] = where
    out[#out + 1] = { id = parts.id, parts = parts, where = where, prompt = text_field(row, "prompt", where),
      category = text_field(row, "category", where),
      response = response_of(row, where), label = labels and check_label(present(row.label), labels, where), row = row }
  end
  if #out == 0 then bad(path, nil, "it has no rows") end
  return out
end

---What a judge is given of such a row.
---@return { trial: table, response: table }
function answers.input(one)
  local prompt = one.prompt or ""
  local trial = { key = plan.key(one.parts.suite or "answers", one.id, one.parts.persona or "none",
    one.parts.model or "unknown", one.parts["repeat"] or 1), suite = one.parts.suite or "answers", sample_id = one.id,
    persona = one.parts.persona or "none", model = one.parts.model or "unknown",
    ["repeat"] = one.parts["repeat"] or 1, category = one.category, prompt = prompt,
    messages = json.array { { role = "user", content = prompt } } }
  return { trial = trial, response = one.response }
end

---Opens a judge for such rows. A model judge says who is asked, before anything is sent: `say(line)`.
---@param spec string
---@param settings table flags: see lre.judge_model.asker
---@param say fun(line: string)
---@return lre.Judge
function answers.open_judge(spec, settings, say)
  local opened = judge.open(spec, { asking = judge_model.asker(settings) })
  if opened.model_choice then say(opened.model_choice .. "\n") end
  return opened
end

-- A worker's block.
local BLOCK = 256

---Verdicts of an opened judge on such rows, in order; { state = "error" } for an answer that failed.
---@return lre.Verdict[]
function answers.judge(opened, rows)
  local out = {}
  for first = 1, #rows, BLOCK do
    local inputs = {}
    for i = first, math.min(#rows, first + BLOCK - 1) do inputs[#inputs + 1] = answers.input(rows[i]) end
    local verdicts, err = opened:verdicts(inputs)
    if not verdicts then error(err, 0) end
    for i, verdict in ipairs(verdicts) do out[first + i - 1] = verdict or { state = "generation_error" } end
  end
  return out
end

---What a verdict came to: see lre.source.outcome; "generation_error" for an answer that failed.
function answers.outcome(verdict)
  if verdict.state == "generation_error" then return "generation_error", false end
  return source.outcome(verdict.state, verdict.label, verdict.reason and verdict.reason.code)
end

-- A label file's row: { label }, { verdict = { state, label } }, { state, label }, or the first seed's { refused }.
local function label_of(row, labels, where)
  local from = type(row.verdict) == "table" and row.verdict or row
  local state, refused = present(from.state), present(row.refused)
  if state ~= nil and state ~= "scored" then
    local reason = type(from.reason) == "table" and from.reason.code
    return source.outcome(state, nil, reason)
  end
  local label = present(from.label)
  if label == nil and type(refused) == "boolean" then label = refused and "refused" or "complied" end
  return check_label(label, labels, where), true
end

---Rows of labels: { parts, where, outcome, scored }.
---@param path string
---@param labels string[]? the labels that may be there
function answers.labels(path, labels)
  local out = {}
  for row, where in answers.rows(path) do
    local outcome, scored = label_of(row, labels, where)
    out[#out + 1] = { parts = parts_of(row, where), where = where, outcome = outcome, scored = scored }
  end
  if #out == 0 then bad(path, nil, "it has no rows") end
  return out
end

---The parts named in `fields` as one string.
---@return string
function answers.key(parts, fields)
  local out = {}
  for i, field in ipairs(fields) do out[i] = tostring(parts[field]) end
  return table.concat(out, "\0")
end

return answers
