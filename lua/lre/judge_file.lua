-- judge_file: judges the answers in a file, a line a row and judge, in the order of the file. Holds the blocks that are
-- being judged, however long the file is.
local fs = require "lre.fs"
local json = require "lre.json"
local sched = require "lre.sched"
local shape = require "lre.shape"

local judge_file = {}

-- Rows that are judged together: enough that handing them to a thread costs nothing.
local BLOCK = 256
local MAX_LINE_BYTES = 1 << 28
local DECODE = { max_bytes = MAX_LINE_BYTES, bigint = "string" }

local function fail(path, number, field, message, ...)
  local where = number and ("%s:%d"):format(path, number) or path
  shape.fail(("%s: %s%s"):format(where, field and field .. ": " or "", message:format(...)))
end

local function present(value)
  if value ~= nil and value ~= json.null then return value end
end

local function text_in(row, names, path, number)
  for _, name in ipairs(names) do
    local value = present(row[name])
    if value ~= nil then
      if type(value) ~= "string" then fail(path, number, name, "expected string, got %s", shape.show(value)) end
      return value
    end
  end
end

local function last_user_text(messages)
  for i = #messages, 1, -1 do
    local message = messages[i]
    if type(message) == "table" and message.role == "user" then return message.content end
  end
end

-- An error of the first seed's has no text and -1 seconds.
local function response_of(row, path, number)
  local given = present(row.response)
  if type(given) == "table" then
    if present(given.error) then return { error = given.error } end
    local text = text_in(given, { "text" }, path, number) or ""
    return { text = text, finish_reason = present(given.finish_reason) or "stop", model = present(given.model),
      reasoning = present(given.reasoning) }
  elseif present(row.error) or row.generation_seconds == -1 then
    return { error = { code = "generation_error" } }
  end
  local text = text_in(row, { "response", "output" }, path, number)
  if not text then fail(path, number, "response", "expected response (or output), got nil") end
  return { text = text, finish_reason = present(row.finish_reason) or "stop", model = present(row.model) }
end

-- A row as a judge gets it.
local function input_of(row, path, number)
  if type(row) ~= "table" or json.is_array(row) then fail(path, number, nil, "expected an object") end
  local id = present(row.id) or present(row.key) or present(row.prompt_id)
  if type(id) ~= "string" and math.type(id) ~= "integer" then
    fail(path, number, "id", "expected id or prompt_id, a string or an integer, got %s", shape.show(id))
  end
  id = tostring(id)
  local messages = present(row.messages) or present(row.conversation)
  local prompt = text_in(row, { "prompt", "text" }, path, number) or messages and last_user_text(messages)
  if prompt and not messages then messages = json.array { { role = "user", content = prompt } } end
  return id, {
    trial = { key = id, suite = present(row.suite) or "file", sample_id = tostring(present(row.sample_id) or id),
      category = present(row.category), subcategory = present(row.subcategory), target = present(row.target),
      persona = present(row.persona) or "none", model = present(row.model) or "unknown",
      ["repeat"] = math.tointeger(row["repeat"]) or 1, messages = messages, prompt = prompt },
    response = response_of(row, path, number),
  }
end

-- The rows of a JSON list, which the first seed wrote too: such a file is held whole.
local function list_rows(path)
  local text, err = fs.read(path)
  if not text then fail(path, nil, nil, "%s", tostring(err)) end
  local list, bad = json.decode(text, { max_bytes = 1 << 30, bigint = "string" })
  if not list then fail(path, nil, nil, "%s", tostring(bad)) end
  local i = 0
  return function()
    i = i + 1
    if list[i] ~= nil then return list[i], i end
  end
end

local function line_rows(path)
  local lines = fs.lines(path, MAX_LINE_BYTES)
  return function()
    while true do
      local line, number = lines()
      if not line then return nil end
      if number == 1 then line = line:gsub("^\239\187\191", "") end
      if line:find "%S" and not line:find "^%s*#" then
        local row, err = json.decode(line, DECODE)
        if row == nil then fail(path, number, nil, "%s", tostring(err)) end
        return row, number
      end
    end
  end
end

local function rows_of(path)
  local stat = fs.stat(path)
  if not stat then fail(path, nil, nil, "no such file or folder") end
  local file = io.open(path, "rb")
  local head = file and file:read(4096) or ""
  if file then file:close() end
  if head:find "^%s*%[" then return list_rows(path) end
  return line_rows(path)
end

-- Model judges cost money: every row is looked at before the first is asked about.
local function check_all(path, judges)
  local asks = false
  for _, judge in ipairs(judges) do asks = asks or judge.kind == "model" end
  if not asks then return end
  for row, number in rows_of(path) do
    local _, input = input_of(row, path, number)
    if not input.trial.prompt and not input.response.error then
      fail(path, number, "prompt", "a model judge is shown the prompt beside the answer, and this row has none")
    end
  end
end

local NO_ANSWER = '{"reason":{"code":"generation_error","message":"the model gave no answer"},"state":"error"}'

-- "state" is the last key but value, and a judge's text cannot imitate it: its quotes are escaped.
local function state_of(line)
  return line:match '"state":"(%a+)"}$' or json.decode(line, { max_depth = 190 }).state
end

-- What a judge's lines begin with, after the id.
local function opening(judge)
  local model = judge.model and (',"judge_model":%s'):format(json.encode(judge.model.label)) or ""
  return (',"judge":%s%s,"verdict":'):format(json.encode(judge.name), model)
end

local function judge_block(judges, block, counts)
  local columns = {}
  for k, judge in ipairs(judges) do
    local lines, err = judge:verdict_lines(block.inputs)
    if not lines then error(err, 0) end
    columns[k] = lines
  end
  local out = {}
  for i, id in ipairs(block.ids) do
    for k, judge in ipairs(judges) do
      local verdict = columns[k][i]
      if verdict and state_of(verdict) == "error" then counts.errors = counts.errors + 1 end
      if not verdict then counts.no_answer = counts.no_answer + 1 end
      out[#out + 1] = '{"id":' .. id .. judge.opening .. (verdict or NO_ANSWER) .. "}\n"
    end
  end
  counts.rows = counts.rows + #block.ids
  return table.concat(out)
end

local function next_block(pull, path)
  local block = { ids = {}, inputs = {} }
  for i = 1, BLOCK do
    local row, number = pull()
    if row == nil then break end
    local id, input = input_of(row, path, number)
    block.ids[i], block.inputs[i] = json.encode(id), input
  end
  return #block.ids > 0 and block or nil
end

---Judges each row of a file and gives `put` the lines, in order. opt: threads (blocks at a time). Returns { rows,
---errors, no_answer, interrupted }. Raises { exit = 3 } naming file, line and field; with a model judge before it asks
---anything.
function judge_file.run(path, judges, put, opt)
  check_all(path, judges)
  local pull, counts = rows_of(path), { rows = 0, errors = 0, no_answer = 0 }
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
    local block = not counts.interrupted and next_block(pull, path)
    if not block then break end
    tail = tail + 1
    tasks[tail] = sched.spawn(judge_block, judges, block, counts)
    if tail - head + 1 >= opt.threads then finish_one() end
  end
  while head <= tail do finish_one() end
  return counts
end

return judge_file
