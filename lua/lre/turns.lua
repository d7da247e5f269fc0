-- turns: conversations that leave assistant turns to be filled ({ role = "assistant", generate = true }). Each is asked
-- for in order, with the ones before it filled in; what was given is kept in the journal, so that none is paid for
-- twice.
local json = require "lre.json"

local turns = {}

---How many turns are left to be filled.
---@param messages lre.Message[]
function turns.count(messages)
  local n = 0
  for _, message in ipairs(messages) do
    if message.generate then n = n + 1 end
  end
  return n
end

---The messages with the given turns filled in, up to the first that is still open (all of them where none is).
---@param messages lre.Message[]
---@param given { text: string }[]? turns in order
---@return lre.Message[]
function turns.fill(messages, given)
  if turns.count(messages) == 0 then return messages end
  local out, n = json.array {}, 0
  for i, message in ipairs(messages) do
    if message.generate then
      n = n + 1
      local turn = given and given[n]
      if not turn then return out end
      message = { role = message.role, content = turn.text }
    end
    out[i] = message
  end
  return out
end

---The whole conversation with nothing in its open turns: to look at it before anything is asked.
---@param messages lre.Message[]
---@return lre.Message[]
function turns.blank(messages)
  if turns.count(messages) == 0 then return messages end
  local out = json.array {}
  for i, message in ipairs(messages) do
    out[i] = message.generate and { role = message.role, content = "" } or message
  end
  return out
end

---What the journal keeps of a turn.
---@param response lre.Response
function turns.of(response)
  return { text = response.text, finish_reason = response.finish_reason, usage = response.usage,
    model = response.model, request_id = response.request_id, reasoning = response.reasoning,
    logprobs = response.logprobs,
    request_hash = response.request_hash, attempts = response.attempts }
end

local COUNTS = { "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "cost_usd" }

---A response whose usage and retries are those of the whole conversation.
---@param response lre.Response
---@param given table[] its turns
function turns.whole(response, given)
  local out, usage = {}, {}
  for name, value in pairs(response) do out[name] = value end
  for _, name in ipairs(COUNTS) do
    usage[name] = response.usage[name]
    for _, turn in ipairs(given) do
      local more = type(turn.usage) == "table" and turn.usage[name]
      if type(more) == "number" then usage[name] = (usage[name] or 0) + more end
    end
  end
  for _, turn in ipairs(given) do
    -- One more than there were retries, as of a single request.
    if out.attempts and math.type(turn.attempts) == "integer" then
      out.attempts = out.attempts + math.max(0, turn.attempts - 1)
    end
  end
  out.usage = usage
  return out
end

---The turns that a resumed run need not ask for again: those whose requests are the ones that would be sent now.
---@param trial table
---@param kept table[]? the turns of the journal's row
---@param preview fun(messages: lre.Message[]): string? the hash of a request
---@return table[]
function turns.still_good(trial, kept, preview)
  local out = json.array {}
  for i, turn in ipairs(kept or {}) do
    if preview(turns.fill(trial.messages, out)) ~= turn.request_hash then break end
    out[i] = turn
  end
  return out
end

local UNFINISHED = "unfinished"

---The error in the row of a trial that has some of its turns.
---@param done integer
---@param of integer
function turns.unfinished(done, of)
  return { kind = UNFINISHED, code = UNFINISHED, message = ("%d of %d turns are there"):format(done, of) }
end

---Is this the kind of that error? Then the trial counts as one that was not asked.
function turns.is_unfinished(kind)
  return kind == UNFINISHED
end

---The turns of conversations that are not finished, by key.
---@param store table the journal
---@return table<string, table[]>
function turns.kept(store)
  local out = {}
  if store.lines == 0 then return out end
  for row in store:scan { "type", "key", "response.error.kind", "turns" } do
    if row.type == "trial" then
      local open = row["response.error.kind"] and type(row.turns) == "table" and #row.turns > 0
      out[row.key] = open and row.turns or nil
    end
  end
  return out
end

return turns
