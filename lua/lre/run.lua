-- run: asks the trials of a plan and judges the answers, over a store (rundir or memory_store). Whatever is in its
-- journal
-- is neither asked nor judged again. Rule judges speak while others are still asked, on threads of their own, once the
-- answer is in the journal; answers of earlier sessions are judged in a pass of their own.
local aggregate = require "lre.aggregate"
local clock = require "lre.clock"
local lanes = require "lre.lanes"
local log = require "lre.log"
local platform = require "lre.platform"
local rundir = require "lre.rundir"
local sched = require "lre.sched"
local set = require "lre.set"
local timing = require "lre.timing"
local turns = require "lre.turns"
local writer = require "lre.writer"

local run = {}

-- A trial that waits for its provider gives its place to another. So many may wait beyond the ones in flight.
local MAX_WAITING = 1024
-- So many failed trials are told on standard error; the log has them all.
local MAX_TOLD = 10

-- ---- time ----

-- fn(...) until --max-wall is over: then it is cut off, as if it had not been asked. `limit`: a limit of its own.
local function until_wall(wall, limit, fn, ...)
  if not wall then
    if not limit then return fn(...) end
    return sched.deadline(limit, fn, ...)
  end
  local left = math.max(0, wall - clock.mono())
  local result, err = sched.deadline(limit and math.min(limit, left) or left, fn, ...)
  if not result and type(err) == "table" and err.code == "deadline" and clock.mono() >= wall then
    err = { kind = "run", code = "interrupted", message = "--max-wall is over" }
  end
  return result, err
end

-- ---- judging ----

-- Answers are judged in blocks of this size, on other threads, while more are asked for.
local BLOCK = 64
-- So many blocks may be under way, few as the threads may be: a turn of the loop brings hundreds of answers where
-- hundreds are in flight, and who finds no place stops asking.
local LEAST_PLACES = 8

local KILLED = { steps = true, memory = true, regex = true, impure = true, result = true }

local Judging = {}
Judging.__index = Judging

-- One judge under two names (`refusal,refusal:as=again`) speaks once: its verdict is the one of either name.
local function distinct(judges)
  local out, seen = {}, {}
  for _, judge in ipairs(judges) do
    if not seen[judge.hash] then out[#out + 1] = judge end
    seen[judge.hash] = true
  end
  return out
end

-- One core is for asking. Model judges are asked as many at a time as there are trials in flight.
local function new_judging(plan, store, counter, wall)
  local places = math.max(LEAST_PLACES, platform.cpus() - 1)
  local asking = 1
  for _, judge in ipairs(plan.judges) do asking = math.max(asking, judge.concurrency or 1) end
  local self = setmetatable({ store = store, counter = counter, wall = wall, judges = {}, all = plan.judges,
    blocks = {}, given = 0, failed = 0, places = places, gate = sched.gate(places), asking = asking,
    asking_gate = sched.gate(asking) },
    Judging)
  for _, entry in ipairs(plan.suites) do self.judges[entry.name] = distinct(entry.judges) end
  for _, judge in ipairs(plan.judges) do self.blocks[judge] = {} end
  return self
end

local function last_user_text(messages)
  for i = #messages, 1, -1 do
    if messages[i].role == "user" then return messages[i].content end
  end
end

---What a judge is shown: what is in the journal's row, what the model was sent, and what its sample says of itself.
function run.judge_input(row, answer, messages, metadata)
  return {
    trial = { key = row.key, suite = row.suite, sample_id = row.sample_id, category = row.category or nil,
      subcategory = row.subcategory or nil, target = row.target or nil, persona = row.persona, model = row.model,
      ["repeat"] = row["repeat"] or nil, metadata = metadata, messages = messages,
      prompt = messages and last_user_text(messages) },
    response = { text = answer.text, finish_reason = answer.finish_reason, model = answer.model,
      reasoning = answer.reasoning },
  }
end

local write_response = writer.new { "finish_reason", "model", "reasoning", "text" }
local write_shown = writer.new { "key", "suite", "sample_id", "category", "subcategory", "target", "persona", "model",
  "repeat", "messages", "prompt", "metadata" }
local write_input = writer.new({ "response", "trial" }, { "response", "trial" })

-- The same as canonical JSON, for a rule judge.
local function judge_line(row, answer, messages, metadata)
  local response = assert(write_response(answer.finish_reason, answer.model, answer.reasoning, answer.text))
  local trial = assert(write_shown(row.key, row.suite, row.sample_id, row.category or nil, row.subcategory or nil,
    row.target or nil, row.persona, row.model, row["repeat"] or nil, messages, messages and last_user_text(messages),
    metadata))
  return write_input(response, trial)
end

-- Told, and in the exit code: a judge that failed or was stopped. An answer that is empty or filtered is no failure.
local function note_failure(self, row, verdict, judge)
  local reason = verdict.reason or {}
  if verdict.state ~= "error" and not (verdict.state == "unscored" and KILLED[reason.code]) then return end
  self.failed = self.failed + 1
  log.say(self.failed <= MAX_TOLD and "WARNING" or "INFO",
    ("judge %s: %s: %s"):format(judge.name, verdict.state, reason.message or "no reason given"),
    { model = row.model, key = row.key })
end

local function verdict_row(judge, item, verdict)
  local row = item.row
  return rundir.verdict_row(row, item.truncated, judge, item.response_hash, verdict)
end

-- Of one that is in the journal.
local function count_verdict(self, judge, item, verdict)
  local row, category = item.row, item.row.category or nil
  note_failure(self, row, verdict, judge)
  self.given = self.given + 1
  if self.timing and verdict.asked then self.timing:add_judging(verdict.asked) end
  if self.counter then
    self.counter:verdict(judge.hash, row.suite, row.model, row.persona, category, verdict,
      verdict.reason and verdict.reason.code, item.truncated, row.sample_id, row.cluster or nil)
  end
end

-- The row of a verdict line, and the verdict. Most give a label: then the evidence is not read, only copied. `numbers`:
-- some of what it says is averaged.
local function read_verdict(judge, item, line, numbers)
  local label, evidence = nil, nil
  if not numbers then label, evidence = judge:plain_label(line) end
  if not label then
    local verdict = judge:read_line(line)
    return verdict_row(judge, item, verdict), verdict
  end
  return rundir.scored_line(item.row, item.truncated, judge, item.response_hash, label, evidence),
    { state = "scored", label = label }
end

local function judge_block(self, judge, block)
  local inputs = {}
  for i, item in ipairs(block) do inputs[i] = item.shown end
  local verdicts, err = judge:verdict_lines(inputs)
  if not verdicts then error(err, 0) end
  local rows = {}
  local numbers = self.counter and self.counter.paths[judge.hash]
  for i, item in ipairs(block) do rows[i], verdicts[i] = read_verdict(judge, item, verdicts[i], numbers) end
  self.store:append(table.unpack(rows))
  for i, item in ipairs(block) do count_verdict(self, judge, item, verdicts[i]) end
end

-- Judges a block in a task of its own. Waits for one of the places, so that nothing piles up.
local function start_block(self, judge, block)
  local place = self.gate:enter()
  sched.spawn(function()
    local ok, err = pcall(judge_block, self, judge, block)
    place:leave()
    if not ok then self.failure = self.failure or err end
  end)
end

local function ask_judge(self, judge, item)
  local verdict, err = until_wall(self.wall, nil, judge.verdict, judge, item.input)
  if verdict then
    self.store:append(verdict_row(judge, item, verdict))
    count_verdict(self, judge, item, verdict)
  elseif err.code ~= "interrupted" then error(err, 0) end
end

-- Asks a model judge in a task of its own. Whoever waits here until one may start leaves the trial's place (`hooks`).
local function start_asking(self, judge, item, hooks)
  if hooks then hooks.pause() end
  local place = self.asking_gate:enter()
  sched.spawn(function()
    local ok, err = true, nil
    -- What a full disk could not keep is not asked for.
    if not sched.interrupted() and not self.failure then ok, err = pcall(ask_judge, self, judge, item) end
    if not ok then self.failure = self.failure or err end
    place:leave()
  end)
  if hooks then hooks.resume() end
end

---Takes one answer for the judges that have not spoken on it. `row`: the trial's fields; `answer`: text, finish_reason,
---model, reasoning; `trial`: its messages (turns filled in) and sample, nil where they are not known; `there`: the set
---of verdicts in the journal; `hooks`: leave and take back the trial's place.
function Judging:answer(row, answer, trial, there, hooks)
  if self.failure then error(self.failure, 0) end
  local judges = self.judges[row.suite]
  if not judges or #judges == 0 then return end
  local messages, metadata = trial and trial.messages, trial and trial.sample.metadata
  local item = { row = row, response_hash = rundir.response_hash(answer.text, answer.finish_reason),
    truncated = answer.finish_reason == "length" or nil }
  for _, judge in ipairs(judges) do
    if not (there and there:has(row.key .. "\n" .. judge.hash .. "\n" .. item.response_hash)) then
      local block = self.blocks[judge]
      if judge.kind == "model" then
        item.input = item.input or run.judge_input(row, answer, messages, metadata)
        start_asking(self, judge, item, hooks)
      else
        item.shown = item.shown or { encoded = judge_line(row, answer, messages, metadata), response = answer }
        block[#block + 1] = item
      end
      if #block == BLOCK then
        self.blocks[judge] = {}
        start_block(self, judge, block)
      end
    end
  end
end

---Waits for all verdicts.
function Judging:finish()
  for _, judge in ipairs(self.all) do
    if #self.blocks[judge] > 0 then start_block(self, judge, self.blocks[judge]) end
    self.blocks[judge] = {}
  end
  -- All places: nobody is at work any more. They are held until then: one that is forgotten is collected and free.
  local held = {}
  for _ = 1, self.places do held[#held + 1] = self.gate:enter() end
  for _ = 1, self.asking do held[#held + 1] = self.asking_gate:enter() end
  for _, place in ipairs(held) do place:leave() end
  if self.failure then error(self.failure, 0) end
end

---Finds the trial of a journal's row by walking along the plan: rows are nearly in the plan's order, so few trials are
---held.
---@return fun(key: string): table?
function run.finder(plan, open)
  local pull, ahead = plan:trials(open), {}
  return function(key)
    local found = ahead[key]
    ahead[key] = nil
    while not found do
      local trial = pull()
      if not trial then return nil end -- a row of a run that once was larger (--limit)
      if trial.key == key then return trial end
      ahead[trial.key] = trial
    end
    return found
  end
end

-- Which verdicts stay as they are. What a judge's provider failed to give (its reason has a kind) never does.
local STAYS = {
  lacking = function(row) return not row["reason.kind"] end,
  missing = function(row)
    return row.state ~= "error" and not (row.state == "unscored" and row["reason.code"] == "reply")
  end,
  undecided = function(row) return row.state == "undecided" end, -- only these are given again
}

-- The verdicts that are there, as what answers `has`. `only`: see run.judge.
local function judged(store, counts, only, successors)
  if only == "all" then return { has = function() return false end } end
  local found, stays = set.new(store.lines), STAYS[only or "lacking"]
  for row, number in store:scan { "type", "key", "judge_hash", "n", "response_hash", "reason.kind", "reason.code",
    "state" } do
    if row.type == "verdict" and stays(row) and counts(row, number) then
      local judge = successors and successors[row.judge_hash] or row.judge_hash
      found:add(row.key .. "\n" .. judge .. "\n" .. row.response_hash)
    end
  end
  if only ~= "undecided" then return found end
  return { has = function(_, id) return not found:has(id) end }
end

local TRIAL_FIELDS = { "type", "key", "judge_hash", "n", "response_hash", "suite", "sample_id", "category",
  "subcategory",
  "target", "persona", "model", "repeat", "cluster", "response.error.kind", "response.text", "response.finish_reason",
  "response.model", "response.reasoning", "turns" }

---Gives each good answer of the journal the verdicts that it lacks. `open`: the samples of a suite; `wall`: when to
---stop (on the clock that never jumps); `again`: { only, successors }: not what is lacking, but what is "missing" (no
---verdict of this judge with this model, or one that failed or could not be read), "undecided" (by the newest verdict,
---of whom the judge follows too: see aggregate.successors), or "all". Returns { given, failed, interrupted }.
function run.judge(plan, store, open, wall, again)
  local self, find = new_judging(plan, store, nil, wall), run.finder(plan, open)
  again = again or {}
  local successors = again.only == "undecided" and again.successors or nil
  local counts = aggregate.counting(store, successors)
  local there, before = judged(store, counts, again.only, successors), sched.interrupted()
  for row, number in store:scan(TRIAL_FIELDS) do
    self.interrupted = not before and sched.interrupted()
    if self.interrupted or wall and clock.mono() >= wall then break end
    if row.type == "trial" and not row["response.error.kind"] and counts(row, number) then
      local trial = find(row.key)
      local answer = { text = row["response.text"] or "", finish_reason = row["response.finish_reason"] or nil,
        model = row["response.model"] or nil, reasoning = row["response.reasoning"] or nil }
      if trial then trial.messages = turns.fill(trial.messages, row.turns or nil) end
      self:answer(row, answer, trial, there)
    end
  end
  self:finish()
  store:flush()
  return self
end

-- ---- asking ----

---Keys with a good answer: asked no more. nil where the journal is empty.
function run.answered(store)
  if store.lines == 0 then return nil end
  if store.answered then return store:answered() end
  local good = set.new(store.lines)
  for row in store:scan { "type", "key", "response.error.kind" } do
    if row.type == "trial" and not row["response.error.kind"] then
      good:add(row.key)
    end
  end
  return good
end

---How many trials of the plan have no good answer. Walks along the plan: a journal may have trials of a larger one.
function run.left(plan, open, good)
  local left = 0
  for _ in plan:trials(open, function(key) return good:has(key) end) do left = left + 1 end
  return left
end

---Good answers that judges have not spoken on: { { judge, n, first } }, in the judges' order. A resume asks for these.
function run.missing_verdicts(plan, store)
  local counts, judges_of, of, out = aggregate.counting(store), {}, {}, {}
  local there = judged(store, counts)
  for _, entry in ipairs(plan.suites) do judges_of[entry.name] = entry.judges end
  for row, number in store:scan(TRIAL_FIELDS) do
    local good = row.type == "trial" and not row["response.error.kind"] and counts(row, number)
    local hash = good and rundir.response_hash(row["response.text"] or "", row["response.finish_reason"] or nil)
    for _, judge in ipairs(good and judges_of[row.suite] or {}) do
      if not there:has(row.key .. "\n" .. judge.hash .. "\n" .. hash) then
        local lacking = of[judge] or { judge = judge.name, n = 0, first = {} }
        of[judge], lacking.n = lacking, lacking.n + 1
        if #lacking.first < MAX_TOLD then lacking.first[#lacking.first + 1] = row.key end
      end
    end
  end
  for _, judge in ipairs(plan.judges) do out[#out + 1] = of[judge] end
  return out
end

---What of the plan has no good answer: { n, first (some keys), cells = { { model, persona, suite, n } } }, in the
---plan's order.
function run.missing(plan, open, store)
  local good, out, of = run.answered(store), { n = 0, first = {}, cells = {} }, {}
  for trial in plan:trials(open) do
    if not (good and good:has(trial.key)) then
      local name = table.concat({ trial.suite, trial.persona.name, trial.model.label }, "\n")
      local cell = of[name]
      if not cell then
        cell = { suite = trial.suite, persona = trial.persona.name, model = trial.model.label, n = 0 }
        of[name], out.cells[#out.cells + 1] = cell, cell
      end
      cell.n, out.n = cell.n + 1, out.n + 1
      if #out.first < MAX_TOLD then out.first[#out.first + 1] = trial.key end
    end
  end
  return out
end

local function over(self)
  return self.failure or self.deadline and clock.mono() >= self.deadline or self.budget and self.budget.ended
    or (sched.interrupted())
end

-- Trials that have a good answer are not even made.
local function to_ask(self, plan, open)
  local good = self.good
  local function skip(key)
    local is_done = good:has(key)
    if is_done then
      self.done = self.done + 1
      log.position(self.done, self.total)
    end
    return is_done
  end
  return lanes.of(plan, open, good and skip)
end

local function failed(self, trial, err)
  self.errors = self.errors + 1
  if err.exit and not self.stopped then
    self.stopped = err
    log.error(err.message, { model = trial.model.label, key = trial.key, attempt = err.attempts })
    return
  end
  local what = { model = trial.model.label, key = trial.key, attempt = err.attempts }
  log.say(self.errors <= MAX_TOLD and "WARNING" or "INFO", err.message or tostring(err), what)
  if self.errors == MAX_TOLD + 1 then log.warning("more trials failed; run.log has them all") end
end

-- What a script raised while one trial was asked is that trial's error; what ends the command goes on.
local function as_error(err)
  if type(err) == "table" and (err.exit or err.kind) then return err end
  return { kind = "script", code = "runtime", message = debug.traceback(tostring(err), 2) }
end

local function ask(trial, hooks, messages)
  hooks["repeat"], hooks.trial = trial.n, trial.key
  local ok, response, err = xpcall(trial.model.chat, as_error, trial.model, messages, nil, hooks)
  if ok then return response, err end
  if response.exit then error(response, 0) end
  return nil, response
end

-- What an earlier session was given and would ask for again in the same words.
local function kept_turns(self, trial)
  local kept = self.kept_turns and self.kept_turns[trial.key]
  return turns.still_good(trial, kept, function(messages)
    local request = trial.model:preview(messages, nil, { ["repeat"] = trial.n, trial = trial.key })
    return request and request.request_hash
  end)
end

-- Fills one turn after the other, each in the journal before the next is asked for, and then asks for the answer. A
-- turn without text ends it: a filtered one as the trial's answer, any other as its error.
local function converse(self, trial, hooks, open)
  local given = kept_turns(self, trial)
  trial.turns = given
  for i = #given + 1, open do
    local response, err = ask(trial, hooks, turns.fill(trial.messages, given))
    if not response then return nil, err end
    if response.finish_reason == "content_filter" then
      trial.messages = turns.fill(trial.messages, given)
      return turns.whole(response, given)
    elseif not response.text:find "%S" then
      return nil, { kind = "provider", code = "empty_turn", attempts = response.attempts,
        message = ("turn %d of %d has no text (%s)"):format(i, open, response.finish_reason) }
    end
    given[i] = turns.of(response)
    self.store:append(rundir.trial_line(trial, nil, turns.unfinished(i, open), {}))
  end
  trial.messages = turns.fill(trial.messages, given)
  local response, err = ask(trial, hooks, trial.messages)
  return response and turns.whole(response, given), err
end

local function ask_all(self, trial, hooks)
  local open = turns.count(trial.messages)
  if open > 0 then return converse(self, trial, hooks, open) end
  return ask(trial, hooks, trial.messages)
end

-- Errors that tell of us, not of an answer: the trial has no row and a resume asks it.
local NOT_ASKED = { provider_stopped = true, interrupted = true }

-- As the trial's row has them.
local function fields_of(trial)
  local sample = trial.sample
  return { key = trial.key, suite = trial.suite, sample_id = sample.id, category = sample.category,
    subcategory = sample.subcategory, target = sample.target, persona = trial.persona.name, model = trial.model.label,
    ["repeat"] = trial.n, cluster = trial.cluster }
end

-- By so many lines the index may fall behind the journal: then it is brought up to date on a thread of its own while
-- answers are waited for, so that little is left to do at the end.
local BEHIND = 16384

-- What fails here fails again at the end, and is told there.
local function let_index_follow(self)
  local store = self.store
  self.follow_at = math.huge
  self.follower = sched.spawn(function()
    local lines = store.lines
    local ok, is_done = pcall(store.update_index, store)
    if ok and is_done then self.follow_at = lines + BEHIND end
  end)
end

local function run_trial(self, trial, hooks)
  sched.name(trial.key)
  local started = { started_at = clock.iso(), completed_at = nil, seconds = nil }
  local begun = clock.mono()
  local response, err = until_wall(self.wall, self.timeout_trial, ask_all, self, trial, hooks)
  if not response and NOT_ASKED[err.code] then
    self.not_asked = self.not_asked + 1
    if err.code == "provider_stopped" then self.stopped = self.stopped or err end
    return
  end
  started.completed_at = clock.iso()
  if not (response and response.cached) then started.seconds = (clock.mono() - begun) * 1e6 // 1 / 1e6 end
  self.store:append(rundir.trial_line(trial, response, err, started))
  if self.store.lines >= self.follow_at then let_index_follow(self) end
  self.done, self.asked = self.done + 1, self.asked + 1
  if self.counter then
    self.counter:trial(trial.suite, trial.model.label, trial.persona.name, trial.sample.category, not response,
      response and response.finish_reason == "length")
  end
  self.timing:add((response or err).seconds or started.seconds, (response or err).attempts, response and response.usage,
    trial.model._price)
  log.position(self.done, self.total)
  if not response then
    failed(self, trial, err)
  elseif self.judging then
    self.judging:answer(fields_of(trial), response, trial, nil, hooks)
  end
end

local start_worker

-- One who waits for a provider lets another in, up to a bound.
local function let_another_in(self)
  local active = self.workers - self.waiting
  if self.workers < self.concurrency + MAX_WAITING and active < self.concurrency then start_worker(self) end
end

-- A worker asks trial after trial under a place of the gate, which it gives up between them where others may want it.
-- `pause` and `resume` are the model's: it waits without a place.
local function work(self)
  local place
  local function resumed()
    if not place then self.waiting = self.waiting - 1 end
  end
  local hooks = {
    pause = function()
      place:leave()
      place = nil
      self.waiting = self.waiting + 1
      let_another_in(self)
    end,
    resume = function()
      resumed()
      place = self.gate:enter()
    end,
    ended = function() return self.deadline ~= nil and clock.mono() >= self.deadline end,
  }
  while not over(self) do
    place = place or self.gate:enter()
    local trial = not over(self) and self.pull()
    local lane = trial and trial.lane
    if lane then lane.under_way = lane.under_way + 1 end
    if trial then run_trial(self, trial, hooks) end
    if lane then lane.under_way = lane.under_way - 1 end
    resumed() -- a trial's deadline may end it while it waits
    if place and self.workers > self.concurrency then
      place:leave()
      place = nil
    end
    -- One too many: it was started while others waited for a provider.
    if not trial or self.workers - self.waiting > self.concurrency then break end
  end
  if place then place:leave() end
end

local function traceback(err)
  return type(err) == "table" and err or debug.traceback(tostring(err), 2)
end

-- What ends the run (a full disk) ends it at once: answers on their way could not be kept.
local function give_up(self, err, by)
  self.failure = self.failure or err
  if self.judging then self.judging.failure = self.judging.failure or err end
  for i, task in ipairs(self.tasks) do
    if i ~= by and task:status() == "running" then task:cancel() end
  end
end

start_worker = function(self)
  self.workers = self.workers + 1
  local n = #self.tasks + 1
  self.tasks[n] = sched.spawn(function()
    local ok, err = xpcall(work, traceback, self)
    self.workers = self.workers - 1
    if not ok then give_up(self, err, n) end
  end)
end

local function wait_all(self)
  local i = 1
  while self.tasks[i] do
    pcall(self.tasks[i].wait, self.tasks[i])
    i = i + 1
  end
end

local function finish(self)
  if self.judging then self.judging:finish() end
  if self.follower then self.follower:wait() end
  self.store:flush()
end

---Asks all trials that have no good answer yet. `opt`: concurrency, open (samples of a suite), timeout_trial,
---timeout_run, wall (a moment of clock.mono: then what is in flight is cut off), budget, progress, judge (give the
---verdicts at once), counter (told of all rows: for a journal that was empty).
---Returns { asked, errors, not_asked, stopped (the error that stopped a provider), failure, interrupted, timing,
---judging }.
function run.ask(plan, store, opt)
  local concurrency = opt.concurrency or 16
  local self = { store = store, concurrency = concurrency, gate = sched.gate(concurrency), counter = opt.counter,
    timeout_trial = opt.timeout_trial, deadline = opt.timeout_run and clock.mono() + opt.timeout_run,
    progress = opt.progress, good = opt.good or run.answered(store),
    budget = opt.budget, wall = opt.wall, total = plan:count(), timing = timing.new(), tasks = {}, workers = 0,
    waiting = 0, done = 0, asked = 0, errors = 0, not_asked = 0,
    follow_at = store.update_index and store.lines + BEHIND or math.huge }
  self.pull = to_ask(self, plan, opt.open)
  if self.wall then self.deadline = math.min(self.deadline or self.wall, self.wall) end
  for _, entry in ipairs(plan.suites) do
    if entry.generates then self.kept_turns = self.kept_turns or turns.kept(store) end
  end
  log.position(0, self.total)
  if opt.judge then
    self.judging = new_judging(plan, store, opt.counter, opt.wall)
    self.judging.timing = self.timing
  end
  for _ = 1, math.min(self.concurrency, self.total) do start_worker(self) end
  if self.progress then self.progress:begin(self, plan) end
  wait_all(self)
  if not self.failure then
    local ok, err = pcall(finish, self)
    if not ok then self.failure = err end
  end
  if self.progress then self.progress:finish() end
  self.interrupted = (sched.interrupted())
  self.timed_out = self.deadline ~= nil and clock.mono() >= self.deadline
  return self
end

return run
