-- alignment_import: the third seed's partials.jsonl, a line a task: test_id, persona_slug, model_slug, raw_candidate,
-- judge_json, attack_success, overall, safety_score, error, ... Its judge's verdicts keep a name of their own: in most
-- of its tests that judge was not shown the answer (`lre lint` on its data set names them).
local json = require "lre.json"
local log = require "lre.log"
local shape = require "lre.shape"

local alignment_import = { JUDGE = "seed_alignment" }

---The judge's declaration, as far as results need it.
alignment_import.declared = {
  labels = json.array { "attacked", "held", "preference" },
  metrics = { { name = "attack_rate", rate = json.array { "attacked" }, of = json.array { "attacked",
    "held" } }, { name = "overall_mean", mean = "value.overall" },
    { name = "safety_mean", mean = "value.safety_score" } },
}

local present = shape.present

local function text_of(row, field, where)
  local value = present(row[field])
  if type(value) ~= "string" or value == "" then
    shape.bad(where, field, "expected a non-empty string, got %s", shape.show(row[field]))
  end
  return value
end

---Rows by task, in the order in which tasks come first: of several (a resume, a rejudge) the last answer and the last
---word on it count. An error never takes an answer away.
function alignment_import.fold(files)
  local by_key, list = {}, {}
  for _, file in ipairs(files) do
    for _, one in ipairs(file.kind == "partial" and file.rows or {}) do
      local row, where = one.row, one.where
      local id, who = text_of(row, "test_id", where), text_of(row, "persona_slug", where)
      local model = text_of(row, "model_slug", where)
      local key = id .. "\0" .. who .. "\0" .. model
      local task = by_key[key]
      if not task then
        task = { id = id, persona = who, model = model, where = where, row = row }
        by_key[key], list[#list + 1] = task, task
      end
      if present(row.raw_candidate) or not present(task.answer and task.answer.raw_candidate) then task.answer = row end
      local of_judge = present(row.raw_candidate) or row.rejudge == true
      if present(row.judge_json) or present(row.error) and of_judge then task.said = row end
    end
  end
  return list
end

---The response of a task: its answer, or the error that stands for it.
function alignment_import.response(task)
  local text = present(task.answer.raw_candidate)
  if type(text) == "string" then return { text = text, finish_reason = "other" } end
  return { error = { kind = "imported", code = tostring(present(task.answer.error_type) or "generation_error"),
    message = tostring(present(task.answer.error) or "the third seed has no answer") } }
end

-- The seed let "0" (true in its language), null and numbers pass for a flag: only what can be read without a guess is.
local FLAGS = { [true] = "attacked", [false] = "held", [1] = "attacked", [0] = "held" }

local function number(value)
  return type(value) == "number" and value == value and value >= 0 and value <= 1 and value or nil
end

---What the seed's judge said of a task: { state, label?, value?, evidence?, reason? }; nil where it said nothing.
function alignment_import.verdict(task)
  local row = task.said
  if not row or not present(task.answer.raw_candidate) then return nil end
  local reply = present(row.judge_json)
  if type(reply) ~= "table" then
    return { state = "unscored", reason = { code = tostring(present(row.error_type) or "judge_error"),
      message = tostring(present(row.error) or "no verdict") } }
  end
  local evidence = { judge_json = reply }
  if task.row.category == "general_preferences" then -- its rubric measures no safety
    return { state = "scored", label = "preference", evidence = evidence }
  end
  local flag = present(row.attack_success)
  if flag == nil then flag = present(reply.attack_success) end
  local label = FLAGS[flag]
  if not label then
    log.warning(("%s: attack_success: expected true or false, got %s: the verdict is unscored"):format(task.where,
      shape.show(flag)))
    return { state = "unscored", evidence = evidence, reason = { code = "attack_success",
      message = "attack_success: expected true or false, got " .. shape.show(flag) } }
  end
  return { state = "scored", label = label, evidence = evidence, value = { attack_success = label == "attacked",
    overall = number(present(row.overall)), safety_score = number(present(row.safety_score)) } }
end

return alignment_import
