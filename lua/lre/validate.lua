-- validate: a judge against labelled answers.
local agreement = require "lre.agreement"
local answers = require "lre.answers"
local json = require "lre.json"
local report = require "lre.report"
local shape = require "lre.shape"
local stats = require "lre.stats"
local suggest = require "lre.suggest"

local validate = {}

local function index(labels)
  local out = {}
  for i, label in ipairs(labels) do out[label] = i end
  return out
end

---The label that rates are about: what the judge's first metric counts, else `refused`, else the first.
---@param judge table lre.Judge
---@param wanted string?
function validate.positive(judge, wanted)
  local known = index(judge.labels)
  if #judge.labels == 0 then
    shape.fail(("judge %s declares no labels: there is nothing to hold its verdicts against"):format(judge.name))
  elseif wanted and not known[wanted] then
    shape.fail(("--positive: judge %s has no label %s.%s It has %s"):format(judge.name, shape.quote(wanted),
      suggest.sentence(wanted, judge.labels), table.concat(judge.labels, ", ")), 2)
  end
  local metric = judge.metrics and judge.metrics[1]
  local one = metric and (type(metric.rate) == "table" and #metric.rate == 1 and metric.rate[1] or metric.rate)
  return wanted or type(one) == "string" and one or known.refused and "refused" or judge.labels[1]
end

-- Counts of one label against all others, of rows by label and columns by judge.
local function one_against_rest(rows, at)
  local tp, fp, fn, tn = rows[at][at], 0, 0, 0
  for i, row in ipairs(rows) do
    for j, count in ipairs(row) do
      if i ~= at and j == at then fp = fp + count end
      if i == at and j ~= at then fn = fn + count end
      if i ~= at and j ~= at then tn = tn + count end
    end
  end
  return tp, fp, fn, tn
end

-- The judged rate less the labelled one: of the same rows, so paired.
local function rate_bias(tp, fp, fn, tn, confidence)
  if tp + fp + fn + tn == 0 then return { n = 0 } end
  local i = assert(stats.newcombe_paired(tp, fp, fn, tn, confidence))
  return { value = i.value, low = i.low, high = i.high, n = tp + fp + fn + tn, method = "paired Newcombe" }
end

local function wrong_row(one, verdict)
  return { id = one.id, where = one.where, label = one.label, got = verdict.label, prompt = one.prompt,
    response = one.response.text, evidence = verdict.evidence }
end

---Holds verdicts against labels: { n, judged, accuracy, precision, recall, specificity, bias, agreement, wrong,
---apart }.
---`apart`: counts of undecided, unscored, filtered, judge_error, generation_error by label.
---@param rows table[] see lre.answers.read
---@param verdicts lre.Verdict[]
---@param opt { labels: string[], positive: string, confidence: number }
function validate.of(rows, verdicts, opt)
  local at, counts, wrong, apart = index(opt.labels), agreement.table(opt.labels), json.array {}, {}
  for i, one in ipairs(rows) do
    local outcome, scored = answers.outcome(verdicts[i])
    if scored then
      local row = counts[at[one.label]]
      row[at[outcome]] = row[at[outcome]] + 1
      if outcome ~= one.label then wrong[#wrong + 1] = wrong_row(one, verdicts[i]) end
    else
      apart[outcome] = apart[outcome] or {}
      apart[outcome][one.label] = (apart[outcome][one.label] or 0) + 1
    end
  end
  local agreed = agreement.of(opt.labels, counts, opt.confidence)
  local tp, fp, fn, tn = one_against_rest(counts, at[opt.positive])
  local function share(x, n) return agreement.share(x, n, opt.confidence) end
  return { n = #rows, judged = agreed.n, positive = opt.positive, confidence = opt.confidence, agreement = agreed,
    accuracy = agreed.agreed, precision = share(tp, tp + fp), recall = share(tp, tp + fn),
    specificity = share(tn, tn + fp), bias = rate_bias(tp, fp, fn, tn, opt.confidence), wrong = wrong, apart = apart }
end

-- ---- text ----

local APART = { "undecided", "unscored", "filtered", "judge_error", "generation_error" }

local function figures(out)
  local function line(name, share) return { name, agreement.share_text(share) } end
  local rows = { line("Accuracy", out.accuracy), line("Precision", out.precision), line("Recall", out.recall),
    line("Specificity", out.specificity) }
  local b = out.bias
  rows[#rows + 1] = { "Rate bias", b.n == 0 and "no data"
    or ("%+.4f [%+.4f, %+.4f] (n = %d)"):format(b.value, b.low, b.high, b.n) }
  return report.table({ "Figure", ("Value [%g%% CI] (n)"):format(out.confidence * 100) }, rows)
end

-- A long answer's beginning, on one line.
local function excerpt(s)
  s = (s or ""):gsub("%s+", " ")
  if #s <= 100 then return s end
  return s:sub(1, (utf8.offset(s, 0, 98) or 98) - 1) .. "..."
end

local function wrong_table(out)
  if #out.wrong == 0 then return "Wrong: none.\n" end
  local rows = {}
  for i, w in ipairs(out.wrong) do rows[i] = { w.id, w.label, w.got, excerpt(w.response) } end
  return ("Wrong: %d.\n\n%s"):format(#rows, report.table({ "Row", "Label", "Judge", "Answer" }, rows))
end

---As Markdown.
---@return string
function validate.text(out)
  local more = {}
  for _, name in ipairs(APART) do
    if out.apart[name] then more[#more + 1] = { name = name, counts = out.apart[name] } end
  end
  return table.concat {
    ("# Judge %s on %s\n\n"):format(report.plain(out.judge), report.plain(out.data)),
    ("%d rows, %d judged. Of the judged ones, with `%s` as positive:\n\n"):format(out.n, out.judged, out.positive),
    figures(out), "\n", agreement.kappa_text(out.agreement, out.confidence), "\n\n",
    agreement.table_text(out.agreement, "Label \\ judge", more), "\n", wrong_table(out), "\n",
    "Intervals: Wilson; kappa: Fleiss, Cohen & Everitt 1969; rate bias (judged less labelled rate): paired Newcombe.\n",
  }
end

---As canonical JSON.
function validate.json(out)
  return assert(json.encode(agreement.rounded(out), 2))
end

return validate
