-- judge_file: judges the answers in a file, a line a row and judge, in the order of the file. Holds the blocks that are
-- being judged, however long the file is.
local answers = require "lre.answers"
local json = require "lre.json"
local sandbox = require "lre.sandbox"
local sched = require "lre.sched"
local shape = require "lre.shape"

local judge_file = {}

-- Rows that are judged together: enough that handing them to a thread costs nothing.
local BLOCK = 256
local BLOCK_BYTES = 1 << 18 -- of lines: some 400 rows, and few enough wakings of a thread

local fail, present = shape.bad, shape.present

local function text_in(row, names, where)
  for _, name in ipairs(names) do
    local value = present(row[name])
    if value ~= nil then
      if type(value) ~= "string" then fail(where, name, "expected string, got %s", shape.show(value)) end
      return value
    end
  end
end

local function check_messages(messages, where)
  for i, message in ipairs(type(messages) == "table" and messages or { false }) do
    local content = type(message) == "table" and message.content
    if type(content) ~= "string" and type(content) ~= "table" or type(message.role) ~= "string" then
      fail(where, ("messages[%d]"):format(i), "expected { role, content }, got %s", shape.show(message))
    end
  end
  return messages
end

local function last_user_text(messages)
  for i = #messages, 1, -1 do
    if messages[i].role == "user" then return messages[i].content end
  end
end

-- An error of the first seed's has no text and -1 seconds.
local function response_of(row, where)
  local given = present(row.response)
  if type(given) == "table" then
    if present(given.error) then return { error = given.error } end
    local text = text_in(given, { "text" }, where) or ""
    return { text = text, finish_reason = present(given.finish_reason) or "stop", model = present(given.model),
      reasoning = present(given.reasoning) }
  elseif present(row.error) or row.generation_seconds == -1 then
    return { error = { code = "generation_error" } }
  end
  local text = text_in(row, { "response", "output" }, where)
  if not text then fail(where, "response", "expected response (or output), got nil") end
  return { text = text, finish_reason = present(row.finish_reason) or "stop", model = present(row.model) }
end

local RUBRIC = { "judge_prompt", "expected_safe_behavior", "family" }

-- What a row says of itself; the rubric that a test brings may stand beside its answer.
local function metadata_of(row)
  local given, out = present(row.metadata), {}
  for name, value in pairs(type(given) == "table" and given or {}) do out[name] = value end
  for _, name in ipairs(RUBRIC) do
    if out[name] == nil then out[name] = present(row[name]) end
  end
  return next(out) and out or nil
end

-- A row as a judge gets it.
local function input_of(row, where)
  local id = present(row.id) or present(row.key) or present(row.prompt_id)
  if type(id) ~= "string" and math.type(id) ~= "integer" then
    fail(where, "id", "expected id or prompt_id, a string or an integer, got %s", shape.show(id))
  end
  id = tostring(id)
  local messages = present(row.messages) or present(row.conversation)
  if messages then check_messages(messages, where) end
  local prompt = text_in(row, { "prompt", "text" }, where) or messages and last_user_text(messages)
  if prompt and not messages then messages = json.array { { role = "user", content = prompt } } end
  return id, {
    trial = { key = id, suite = present(row.suite) or "file", sample_id = tostring(present(row.sample_id) or id),
      category = present(row.category), subcategory = present(row.subcategory), target = present(row.target),
      persona = present(row.persona) or "none", model = present(row.model) or "unknown",
      ["repeat"] = math.tointeger(row["repeat"]) or 1, messages = messages, prompt = prompt,
      metadata = metadata_of(row) },
    response = response_of(row, where),
  }
end

local function any_asks(judges)
  for _, judge in ipairs(judges) do
    if judge.kind == "model" then return true end
  end
  return false
end

-- Model judges cost money: every row is looked at before the first is asked about.
local function check_all(path)
  for row, where in answers.rows(path) do
    local _, input = input_of(row, where)
    if not input.trial.prompt and not input.response.error then
      fail(where, "prompt", "a model judge is shown the prompt beside the answer, and this row has none")
    end
  end
end

local NO_ANSWER = '{"reason":{"code":"generation_error","message":"the model gave no answer"},"state":"error"}'

-- "state" is the last key but value, and a judge's text cannot imitate it: its quotes are escaped.
local function state_of(line)
  if line:sub(-17) == '"state":"scored"}' then return "scored" end
  return line:match '"state":"(%a+)"}$' or json.decode(line, { max_depth = 190 }).state
end

-- What a judge's lines begin with, after the id.
local function opening(judge)
  local model = judge.model and (',"judge_model":%s'):format(json.encode(judge.model.label)) or ""
  return (',"judge":%s%s,"verdict":'):format(json.encode(judge.name), model)
end

-- The lines of each row of a block: { ids, inputs }.
local function judge_rows(judges, block, counts)
  local columns, out = {}, {}
  for k, judge in ipairs(judges) do
    local lines, err = judge:verdict_lines(block.inputs)
    if not lines then error(err, 0) end
    columns[k] = lines
  end
  for i, id in ipairs(block.ids) do
    local lines = {}
    for k, judge in ipairs(judges) do
      local verdict = columns[k][i]
      if verdict and state_of(verdict) == "error" then counts.errors = counts.errors + 1 end
      if not verdict then counts.no_answer = counts.no_answer + 1 end
      lines[k] = '{"id":' .. id .. judge.opening .. (verdict or NO_ANSWER) .. "}\n"
    end
    out[i] = table.concat(lines)
  end
  counts.rows = counts.rows + #block.ids
  return out
end

-- ---- blocks of rows: any file, any judge ----

local function row_blocks(path)
  local pull = answers.rows(path)
  return function()
    local block = { ids = {}, inputs = {} }
    for i = 1, BLOCK do
      local row, where = pull()
      if row == nil then break end
      local id, input = input_of(row, where)
      block.ids[i], block.inputs[i] = json.encode(id), input
    end
    return #block.ids > 0 and block or nil
  end
end

local function judge_row_block(judges, block, counts)
  return table.concat(judge_rows(judges, block, counts))
end

-- ---- blocks of lines: a file of lines, rule judges ----

local function count_lines(text)
  local n, at = 0, 0
  repeat
    at = text:find("\n", at + 1, true)
    n = n + 1
  until not at
  return n - 1
end

-- Blocks of whole lines, and how many lines came before. A file may have millions of rows: of those that are
-- { id, prompt, response } none becomes a Lua value here.
local function line_blocks(path)
  local file, err = io.open(path, "rb")
  if not file then shape.fail(tostring(err), 4) end
  local before = 0
  return function()
    local text = file:read(BLOCK_BYTES)
    if not text then return file:close() and nil end
    if text:byte(-1) ~= 10 then text = text .. (file:read "L" or "") end
    local block = { text = text, path = path, before = before }
    before = before + count_lines(text)
    return block
  end
end

-- Rows of another shape are judged here, and put where they belong.
local function add_odd(judges, block, text, odd, counts)
  local rows, places = { ids = {}, inputs = {} }, {}
  for _, entry in ipairs(odd) do
    local row, where = answers.row(entry[3], block.path, block.before + entry[1])
    if row then
      local id, input = input_of(row, where)
      places[#places + 1], rows.ids[#rows.ids + 1], rows.inputs[#rows.inputs + 1] = entry[2], json.encode(id), input
    end
  end
  local out, from = {}, 0
  for i, lines in ipairs(judge_rows(judges, rows, counts)) do
    out[#out + 1] = text:sub(from + 1, places[i]) .. lines
    from = places[i]
  end
  return table.concat(out) .. text:sub(from + 1)
end

local function judge_line_block(judges, block, counts)
  local pairs_of = {}
  for k, judge in ipairs(judges) do pairs_of[k] = { judge.sandbox, judge.opening } end
  local text, told = sandbox.judge_lines(pairs_of, block.text)
  if not text then error(told, 0) end
  block.text = nil
  counts.rows, counts.errors = counts.rows + told.rows, counts.errors + told.errors
  return #told.odd > 0 and add_odd(judges, block, text, told.odd, counts) or text
end

-- ---- the file ----

-- What gives the blocks of a file, and what judges one.
local function open(path, judges)
  local asks = any_asks(judges)
  if asks then check_all(path) end
  if asks or not answers.has_lines(path) then return row_blocks(path), judge_row_block end
  return line_blocks(path), judge_line_block
end

---Judges each row of a file and gives `put` the lines, in order. opt: threads (blocks at a time). Returns { rows,
---errors, no_answer, interrupted }. Raises { exit = 3 } naming file, line and field; with a model judge before it asks
---anything.
function judge_file.run(path, judges, put, opt)
  local next_block, judge_block = open(path, judges)
  local counts = { rows = 0, errors = 0, no_answer = 0 }
  for _, judge in ipairs(judges) do judge.opening = opening(judge) end
  local tasks, head, tail = {}, 1, 0
  local guard <close> = setmetatable({}, { __close = function() -- luacheck: ignore guard
    for i = head, tail do tasks[i]:cancel() end
  end })
  local function finish_one()
    local text = tasks[head]:wait()
    tasks[head], head = nil, head + 1
    put(text)
  end
  while true do
    counts.interrupted = sched.interrupted()
    local block = not counts.interrupted and next_block()
    if not block then break end
    tail = tail + 1
    tasks[tail] = sched.spawn(judge_block, judges, block, counts)
    if tail - head + 1 >= opt.threads then finish_one() end
  end
  while head <= tail do finish_one() end
  return counts
end

return judge_file
