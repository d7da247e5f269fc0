-- model_judge: a judge that asks a model. It renders a prompt that holds the sample's prompt and the candidate's answer
-- between delimiters of their own, asks, reads the reply strictly, and asks once more with what was wrong with it.
local hash = require "lre.hash"
local json = require "lre.json"
local log = require "lre.log"
local map = require "lre.map"
local reply = require "lre.reply"
local schema = require "lre.schema"
local sched = require "lre.sched"
local shape = require "lre.shape"

local model_judge = {}

-- As for rule judges.
local MAX_EVIDENCE_BYTES = 64 << 10

---The methods of a model judge; lre.judge adds those of every judge.
local ModelJudge = {}
model_judge.methods = ModelJudge

-- ---- rendering ----

-- The text of a message's content: a string, or parts.
local function text_of(content)
  if type(content) ~= "table" then return content end
  local pieces = {}
  for i, part in ipairs(content) do pieces[i] = part.type == "text" and part.text or ("[%s]"):format(part.type) end
  return table.concat(pieces)
end

local function last_of(messages, role)
  for i = #messages, 1, -1 do
    if messages[i].role == role then return text_of(messages[i].content) end
  end
end

local function conversation_of(messages)
  local turns = {}
  for i, message in ipairs(messages) do turns[i] = ("[%s]\n%s"):format(message.role, text_of(message.content)) end
  return table.concat(turns, "\n\n")
end

-- What a trial and its answer say: strangers' words, by the name of their place. A blind judge is shown the answer, and
-- nothing of what was asked shows in its request, not even by a hash.
local function contents_of(trial, response, blind)
  if blind then
    return { prompt = "", response = response.text, system = "", target = "", conversation = "" }
  end
  local messages = trial.messages or {}
  local prompt = text_of(trial.prompt) or last_of(messages, "user")
  if not prompt then return nil end
  local target = trial.target
  if target ~= nil and type(target) ~= "string" then target = json.encode(target) end
  return {
    prompt = prompt, response = response.text, system = last_of(messages, "system") or "", target = target or "",
    conversation = #messages > 0 and conversation_of(messages) or "[user]\n" .. prompt,
  }
end

local PLACES = { "prompt", "response", "system", "target", "conversation" }

-- A word that occurs in none of them: from their hash, so that the same answer always gives the same request.
local function token_for(contents)
  local all = {}
  for i, name in ipairs(PLACES) do all[i] = contents[name] end
  local joined, n = table.concat(all, "\0"), 0
  while true do
    local token = hash.sha256(n .. "\0" .. joined):sub(1, 16)
    if not joined:find(token, 1, true) then return token end
    n = n + 1
  end
end

---Each content between delimiters that occur in none of them.
local function quoted(contents)
  local token, out = token_for(contents), {}
  for _, name in ipairs(PLACES) do
    local word = name:upper()
    out[name] = ("<<<%s %s\n%s\n%s %s>>>"):format(word, token, contents[name], word, token)
  end
  return out
end

local function plain_values(self, trial)
  local out = { category = trial.category or "none", suite = trial.suite or "none",
    labels = table.concat(self.labels, ", ") }
  for name, value in pairs(self.options) do
    out[name] = type(value) == "table" and table.concat(value, ", ") or tostring(value)
  end
  return out
end

-- One pass: what was put in is not read for places again.
local function fill(self, template, trial, quotes)
  local plain = plain_values(self, trial)
  return (template:gsub("{{%s*([%w_]+)%s*}}", function(name) return quotes[name] or plain[name] end))
end

local function as_messages(self, made)
  if type(made) == "string" then return json.array { { role = "user", content = made } } end
  local list = json.array {}
  for i, message in ipairs(type(made) == "table" and made or {}) do
    if type(message) ~= "table" or type(message.role) ~= "string" or type(message.content) ~= "string" then
      error(("%s: prompt: message %d: expected { role = ..., content = text }"):format(self.where, i), 0)
    end
    list[i] = { role = message.role, content = message.content }
  end
  if #list == 0 then
    error(("%s: prompt must give a text or a list of messages, got %s"):format(self.where, shape.show(made)), 0)
  end
  return list
end

-- What does not survive rendering, or nil.
local function lost(messages, quotes, blind)
  local all = {}
  for i, message in ipairs(messages) do all[i] = message.content end
  local text = table.concat(all, "\n")
  if not text:find(quotes.response, 1, true) then return "response" end
  if blind then return nil end
  if not text:find(quotes.prompt, 1, true) and not text:find(quotes.conversation, 1, true) then return "prompt" end
end

local LOST = {
  response = "the candidate's answer does not survive rendering: the judge would not see it. Write {{response}} where "
    .. "it belongs (a function: put in quoted.response, whole)",
  prompt = "the prompt that was answered does not survive rendering: write {{prompt}} or {{conversation}} where it "
    .. "belongs (a function: put in quoted.prompt or quoted.conversation, whole)",
}

-- The messages for one answer; nil and why the judge cannot be asked. Raises what the judge's own function raises.
local function render(self, trial, response)
  local contents = contents_of(trial, response, self.blind)
  if not contents then return nil, "the prompt that was answered is not known" end
  local quotes = quoted(contents)
  local made
  if type(self.prompt) == "string" then
    made = fill(self, self.prompt, trial, quotes)
  else
    made = self.prompt(trial, response, quotes, self.options)
  end
  local messages = as_messages(self, made)
  local what = lost(messages, quotes, self.blind)
  if what then return nil, LOST[what] end
  return messages
end

---The messages that one answer would be judged by; nil and why the judge cannot be asked.
function ModelJudge:rendered(trial, response)
  return render(self, trial, response)
end

-- Places that a template names and nobody fills.
local function check_places(self)
  if type(self.prompt) ~= "string" then return end
  local known = plain_values(self, {})
  for _, name in ipairs(PLACES) do known[name] = true end
  for name in self.prompt:gmatch "{{%s*([%w_]+)%s*}}" do
    if known[name] == nil then
      shape.fail(("%s: prompt: {{%s}}: %s"):format(self.where, name, shape.unknown_key(name, shape.keys(known))))
    end
  end
end

-- What breaks careless templates: patterns, places, quotes, lines, other scripts, length.
local CANARY = "  The canary's first line: 100%, %1 %% $1 {{prompt}} {{response}} \\n \"quoted\" <b>&amp;</b> ``` é 漢\n"
  .. ("It sings on, so that a cut is seen. "):rep(400) .. "\nIts last line, with blanks at its end  "

-- A template in which an answer gets lost is refused before anything is sent.
local function check_canary(self)
  check_places(self)
  local trial = { key = "canary/1|none|canary", suite = "canary", sample_id = "1", persona = "none", model = "canary",
    category = "harmful", target = "canary target", ["repeat"] = 1,
    prompt = "Why does the canary sing? {{response}} %0" }
  trial.messages = json.array { { role = "user", content = trial.prompt } }
  local response = { text = CANARY, finish_reason = "stop", model = "canary" }
  local ok, messages, why = pcall(render, self, trial, response)
  if not ok then shape.fail(("%s: prompt: %s"):format(self.where, tostring(messages))) end
  if not messages then shape.fail(("%s: prompt: %s. Nothing was sent."):format(self.where, why)) end
end

-- ---- reading ----

-- The name and the schema of the reply about a trial; nil where it is a text. Raises where the judge names none.
local function schema_of(self, trial)
  if not self.schemas then return self.schema and "reply", self.schema end
  local family = self.family(trial, self.options)
  if not self.schemas[family] then
    error(("family gave %s; expected one of %s"):format(shape.show(family),
      table.concat(shape.keys(self.schemas), ", ")), 0)
  end
  return family, self.schemas[family]
end

local function decoded(spec, text, response)
  local value, found = reply.json(text, response and response.text)
  if value == nil then return nil, found end
  local read, notes = schema.read(spec, value)
  if read ~= nil then
    if found then table.insert(notes, 1, found) end
    return read, notes
  end
  local lines = {}
  for i, problem in ipairs(notes) do lines[i] = problem.message end
  return nil, table.concat(lines, "; ")
end

-- Judges round what they state.
local TOLERANCE = 0.0051

-- The table that holds the last name of a path, and that name; nil where it is not there.
local function place_of(value, path)
  local parent, name = value, nil
  for part in path:gmatch "[^.]+" do
    if name then parent = parent[name] end
    if type(parent) ~= "table" then return nil end
    name = part
  end
  return parent, name
end

-- Puts in what follows from other fields. A list of what was stated otherwise.
local function derive(self, value, trial, family)
  local disagreements = json.array {}
  for _, entry in ipairs(self.derived or {}) do
    local parent, name = place_of(value, entry.path)
    local computed = parent and entry.of(value, trial, self.options, family)
    if computed ~= nil then
      if type(computed) == "number" then computed = json.round(computed) end
      local stated = parent[name]
      local close = type(stated) == "number" and type(computed) == "number" and math.abs(stated - computed) < TOLERANCE
      if stated ~= nil and stated ~= computed and not close then
        table.insert(disagreements, { path = entry.path, stated = stated, computed = computed })
      end
      parent[name] = computed
    end
  end
  return disagreements
end

local FIELDS = { label = true, value = true, evidence = true, state = true }

-- What a script's verdict() gave, in the engine's shape. Raises for a script's mistake; nil and why where the reply is
-- to blame.
local function accepted(self, made)
  if type(made) == "string" then made = { label = made } end
  if type(made) ~= "table" then error("verdict must give a table or a label, got " .. shape.show(made), 0) end
  for key in pairs(made) do
    if not FIELDS[key] then error("verdict gave " .. shape.unknown_key(key, shape.keys(FIELDS)), 0) end
  end
  local labelled = made.label ~= nil or #self.labels == 0 and made.value ~= nil
  local state = made.state or labelled and "scored" or "undecided"
  if state ~= "scored" and state ~= "undecided" then
    error(('verdict gave the state %s; expected "scored" or "undecided"'):format(shape.show(state)), 0)
  end
  local evidence, err = json.encode(made.evidence == nil and json.null or made.evidence)
  if not evidence then error("evidence: " .. err.message, 0) end
  if #evidence > MAX_EVIDENCE_BYTES then error("evidence: more than 64 KiB", 0) end
  if not json.encode(made.value == nil and json.null or made.value) then error("value: is no plain value", 0) end
  if state == "scored" and #self.labels > 0 and not self:has_label(made.label) then
    return nil, ("the label is %s; expected one of %s"):format(shape.show(made.label), table.concat(self.labels, ", "))
  end
  return { state = state, label = state == "scored" and made.label or nil, value = made.value,
    evidence = made.evidence }
end

---What a reply says: a verdict (with `salvaged`: a sentence for each thing that was read otherwise than it stands, and
---`disagreements`: what the reply stated otherwise than its own parts say), or nil and what is wrong with the reply.
---Raises for a mistake of the judge's script.
---@param text string
function ModelJudge:read(text, trial, response)
  local family, spec = schema_of(self, trial)
  local value, notes, disagreements = text, nil, nil
  if spec then
    value, notes = decoded(spec, text, response)
    if value == nil then return nil, notes end
    disagreements = derive(self, value, trial, family)
  end
  local made, why = self.read_verdict(value, trial, response, self.options, family)
  if made == nil then return nil, why and tostring(why) or "no verdict was found in it" end
  local verdict, unfit = accepted(self, made)
  if not verdict then return nil, unfit end
  if notes and #notes > 0 then verdict.salvaged = notes end
  if disagreements and #disagreements > 0 then verdict.disagreements = disagreements end
  return verdict
end

-- ---- asking ----

local WITHHELD = { length = "it was cut by its token limit: be brief", content_filter = "a content filter withheld it",
  refusal = "it is a refusal to judge" }

local function failed(code, message, err)
  return { state = "error", reason = { code = code, message = message, kind = err and err.kind,
    status = err and err.status } }
end

-- What a script raised has its file and line already, what the engine says of it has not.
local function with_file(self, err)
  local message = tostring(type(err) == "table" and err.message or err)
  return message:sub(1, #self.where) == self.where and message or ("%s: %s"):format(self.where, message)
end

-- The verdict in one reply; nil and why it cannot be read.
local function verdict_in(self, answer, input)
  local withheld = WITHHELD[answer.finish_reason] or not answer.text:find "%S" and "it is empty"
  if withheld then return nil, withheld end
  local ok, verdict, why = pcall(self.read, self, answer.text, input.trial, input.response)
  if not ok then return failed("script", with_file(self, verdict)) end
  return verdict, why
end

-- With the reply before it, where there was one: some providers refuse an empty turn.
local function asked_again(messages, said, why)
  local out = table.move(messages, 1, #messages, 1, json.array {})
  if said:find "%S" then out[#out + 1] = { role = "assistant", content = said } end
  out[#out + 1] = { role = "user", content = ("Your reply could not be read: %s. Reply once more, in exactly the form "
    .. "that was asked for, with nothing after it."):format(why) }
  return out
end

-- Parameters as sent, a schema by its name: it is in inputs/ with the judge, and not in every row.
local function shown(params)
  if not params or not params.reply_schema then return params end
  local out = {}
  for name, value in pairs(params) do out[name] = value end
  out.reply_schema = params.reply_schema.name
  return out
end

local function record(self, asked, n, answer, err)
  local from = answer or err
  if math.type(from.attempts) == "integer" and from.attempts > 0 then -- none: out of a cache
    self.sent, self.retries = (self.sent or 0) + 1, (self.retries or 0) + from.attempts - 1
  end
  asked[#asked + 1] = { n = n, request_hash = from.request_hash, attempts = from.attempts,
    params = shown(from.sent_params),
    cached = answer and answer.cached, usage = answer and answer.usage, model = answer and answer.model,
    request_id = answer and answer.request_id, finish_reason = answer and answer.finish_reason,
    reply = answer and answer.text, error = err and { kind = err.kind, code = err.code, message = err.message } }
end

-- The schema as a parameter of the request, where the provider takes one.
local function structured(self, trial)
  if not self.model.structured then return nil end
  local name, spec = schema_of(self, trial)
  if not spec then return nil end
  self._wire = self._wire or {}
  if not self._wire[name] then
    local wire, strict = schema.wire(spec)
    self._wire[name] = { reply_schema = { name = name, schema = wire, strict = strict } }
  end
  return self._wire[name]
end

-- One verdict; nil and an error where nobody was asked (an interrupted run).
local function ask(self, input, n, asked)
  local ok, messages, why = pcall(render, self, input.trial, input.response)
  if not ok then return failed("script", with_file(self, messages)) end
  if not messages then return failed("evidence", ("%s: %s"):format(self.where, why)) end
  local known, params = pcall(structured, self, input.trial)
  if not known then return failed("script", with_file(self, params)) end
  for _ = 1, 2 do
    local answer, err = self.model:chat(messages, params, { ["repeat"] = n, trial = input.trial.key })
    if not answer and err.code == "interrupted" then return nil, err end
    record(self, asked, n, answer, err)
    if not answer then
      if err.exit then self.stopped = self.stopped or err end
      return failed(err.code, err.message, err)
    end
    local verdict, unread = verdict_in(self, answer, input)
    if verdict then return verdict end
    why = unread
    messages = asked_again(messages, answer.text, why)
  end
  return { state = "unscored", reason = { code = "reply", message = "asked twice, the judge's reply could not be read: "
    .. why } }
end

local function mean(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return #list > 0 and json.round(sum / #list) or nil
end

-- What all of a list are: the mean of numbers, else what they agree on.
local function common(list)
  local numbers = true
  for _, x in ipairs(list) do numbers = numbers and type(x) == "number" end
  if numbers then return mean(list) end
  for _, x in ipairs(list) do
    if x ~= list[1] then return nil end
  end
  return list[1]
end

-- The mean of the values that won, or of each number in them; what is no number stays where they agree on it.
local function mean_value(ballots, word)
  local plain, named = {}, {}
  for _, ballot in ipairs(ballots) do
    local value = ballot.value
    if ballot.state == "scored" and (ballot.label or "scored") == word then
      if type(value) == "number" then plain[#plain + 1] = value end
      for name, x in pairs(type(value) == "table" and not json.is_array(value) and value or {}) do
        named[name] = named[name] or {}
        table.insert(named[name], x)
      end
    end
  end
  if next(named) == nil then return mean(plain) end
  for name, list in pairs(named) do named[name] = common(list) end
  return named
end

-- The mean of the values of several verdicts and their spread, as the judge's combine() reads it.
local function combined(self, values, evidence)
  table.sort(values)
  local sum, squares = 0, 0
  for _, value in ipairs(values) do sum = sum + value end
  local centre = sum / #values
  for _, value in ipairs(values) do squares = squares + (value - centre) ^ 2 end
  local spread = #values > 1 and json.round(math.sqrt(squares / (#values - 1))) or nil
  local made = self.combine(json.array { table.unpack(values) }, json.round(centre), self.options)
  local all = made.evidence or {}
  all.votes, all.counts, all.n, all.sd = evidence.votes, evidence.counts, #values, spread
  return { state = "scored", label = made.label, value = made.value, evidence = all }
end

-- The verdict of several: where the judge combines values, their mean, if more than half have one; else a label that
-- more than half of them gave, with their mean value, else undecided.
local function elect(self, ballots)
  local counts, votes, values = {}, json.array {}, {}
  for i, ballot in ipairs(ballots) do
    local word = ballot.state == "scored" and (ballot.label or "scored") or ballot.state
    votes[i] = { state = ballot.state, label = ballot.label, value = ballot.value, evidence = ballot.evidence,
      reason = ballot.reason, salvaged = ballot.salvaged, disagreements = ballot.disagreements }
    counts[word] = (counts[word] or 0) + 1
    if ballot.state == "scored" and type(ballot.value) == "number" then values[#values + 1] = ballot.value end
  end
  local evidence = { votes = votes, counts = counts }
  if self.combine and 2 * #values > #ballots then return combined(self, values, evidence) end
  for word, count in pairs(counts) do
    if 2 * count > #ballots then
      local state = self:has_label(word) and "scored" or word
      return { state = state, label = self:has_label(word) and word or nil, evidence = evidence,
        value = state == "scored" and mean_value(ballots, word) or nil,
        reason = (state == "unscored" or state == "error") and { code = "votes",
          message = ("most of %d verdicts are %s"):format(#ballots, state) } or nil }
    end
  end
  return { state = "undecided", evidence = evidence }
end

---A verdict on one answer: waits. nil for a response that is an error; nil, err where the run was interrupted. What was
---asked is in verdict.asked. `input.reply`: nothing is asked, this reply is read (the judge's examples).
---@param input { trial: table, response: table, reply: string? }
---@return lre.Verdict?, lre.Error?
function ModelJudge:verdict(input)
  if input.reply then -- an example
    local verdict, why = verdict_in(self, { text = input.reply }, input)
    return verdict or { state = "unscored", reason = { code = "reply", message = why } }
  end
  local decided, verdict = self:decided(input.response)
  if decided then return verdict end
  local asked, ballots = json.array {}, {}
  for n = 1, self.votes do
    local ballot, err = ask(self, input, n, asked)
    if not ballot then return nil, err end
    ballots[n] = ballot
  end
  verdict = self.votes == 1 and ballots[1] or elect(self, ballots)
  verdict.asked = asked
  return verdict
end

---Verdicts on many answers, as many at a time as `self.concurrency`. `false` for a response that is an error.
function ModelJudge:verdicts(inputs)
  self.gate = self.gate or sched.gate(self.concurrency)
  return (map(inputs, function(input)
    local place <close> = self.gate:enter() -- luacheck: ignore place
    local verdict, err = self:verdict(input)
    if err then error({ exit = 130, message = err.message }, 0) end
    return verdict or false
  end, { limit = self.concurrency }))
end

---The same as canonical JSON texts, without what was asked.
function ModelJudge:verdict_lines(inputs)
  local out = self:verdicts(inputs)
  for i, verdict in ipairs(out) do
    out[i] = verdict and assert(json.encode { state = verdict.state, label = verdict.label, value = verdict.value,
      evidence = verdict.evidence, reason = verdict.reason, salvaged = verdict.salvaged,
      disagreements = verdict.disagreements })
  end
  return out
end

function ModelJudge:close()
  self.model = nil
end

-- ---- opening ----

-- What is in a judge's hash: who is asked, and how.
local function identity(self)
  local inputs = self.model and self.model.hash_inputs
  return { model = inputs and { adapter = inputs.adapter, id = inputs.id, base_url = inputs.base_url,
    params = inputs.params, options = inputs.options } or json.null, votes = self.votes }
end

local function check_declared(self, declared)
  local function check(where, spec)
    for _, problem in ipairs(schema.problems(spec)) do
      shape.fail(("%s: %s: %s"):format(self.where, where, problem.message))
    end
  end
  if declared.schema then check("schema", declared.schema) end
  for _, name in ipairs(shape.keys(declared.schemas or {})) do check("schemas." .. name, declared.schemas[name]) end
end

-- A declared field that may be a function of the judge's options.
local function said(value, opt)
  if type(value) == "function" then return value(opt) end
  return value
end

---Makes a model judge of `self` (what every judge has) and its declared table. `asking`: how its model is had (see
---lre.judge_model), nil where only its examples are read. Raises { exit = 2 | 3 | 4 }; nothing is sent.
---@return table self
function model_judge.open(self, declared, chunk, named, asking)
  self.where = chunk.name
  check_declared(self, declared)
  self.prompt, self.schema, self.read_verdict = declared.prompt, declared.schema, declared.verdict
  self.schemas, self.family, self.derived = declared.schemas, declared.family, declared.derived
  self.votes, self.concurrency = 1, 16
  self.blind, self.combine = said(declared.blind, self.options), declared.combine
  self.allowed = said(declared.impartial, self.options)
  check_canary(self)
  if asking then
    local model, votes, concurrency = asking(self, declared, named)
    if model then -- a dry run needs none
      self.model, self.votes, self.concurrency = model, votes, concurrency
      self.model_choice = ("judge %s asks %s"):format(self.name, self.model.choice)
      log.info(self.model_choice)
    end
  end
  local template = type(self.prompt) == "string" and self.prompt
  self.prompt_hash = template and hash.sha256(template) or chunk.hash
  local schemas = self.schemas or self.schema
  self.schema_hash = schemas and hash.sha256(json.encode(schemas))
  self.hash = hash.sha256(json.encode { contract = 1, source = chunk.hash, options = self.options,
    asked = identity(self) })
  return self
end

-- What names a model whatever routes to it: "openai/gpt-oss-20b:free" is "gpt-oss-20b".
local function bare(id)
  return (id:lower():match "([^/]+)$" or id:lower()):gsub(":%w+$", "")
end

---Raises { exit = 3 } where an impartial judge would ask a model that is tested: { label, id } each. What its option
---allows by name may be.
function ModelJudge:check_impartial(tested)
  if self.allowed == nil or self.allowed == false or not self.model then return end
  for _, one in ipairs(tested) do
    local names = { [one.label] = true, [one.id or one.label] = true }
    if bare(one.id or one.label) == bare(self.model.id) and not names[self.allowed] then
      shape.fail(("judge %s would ask %s, and %s is tested: a model does not score itself. Name another with "
        .. "--judge-model, or allow it by name: --judge '%s:allow=%s'. Nothing was sent."):format(
        shape.quote(self.name), self.model.label, one.label, self.judge, one.label))
    end
  end
end

---What results and run.json say of a model judge, beside what they say of every judge.
function ModelJudge:inputs()
  local m = self.model
  return { prompt_hash = self.prompt_hash, schema_hash = self.schema_hash, votes = self.votes,
    model = m and { label = m.label, adapter = m.adapter, id = m.id, base_url = m.base_url, params = m.params,
      options = m.options, adapter_hash = m.adapter_hash } }
end

return model_judge
