-- compare: two runs, their difference B - A with its interval and p-value. Paired by trial where both answered the same
-- samples, as independent samples otherwise. What was done, and why, is part of the outcome.
local compare_means = require "lre.compare_means"
local json = require "lre.json"
local log = require "lre.log"
local pairing = require "lre.pairing"
local plan = require "lre.plan"
local report = require "lre.report"
local shape = require "lre.shape"
local stats = require "lre.stats"
local suggest = require "lre.suggest"

local compare = {}

-- Below so many clusters a percentile bootstrap is known to be too narrow.
local FEW_CLUSTERS = 30
local REPLICATES = 2000

local function fail(message, ...)
  shape.fail(message:format(...))
end

-- ---- what is compared ----

local function set_of(list)
  local set = {}
  for _, word in ipairs(list) do set[word] = true end
  return set
end

local function find(list, name, field)
  for _, item in ipairs(list) do
    if item[field or "name"] == name then return item end
  end
end

local function names_of(list, field)
  local out = {}
  for i, item in ipairs(list) do out[i] = item[field] end
  return out
end

local function choose_judge(a, b, wanted)
  local common, theirs = {}, set_of(b:judges())
  for _, name in ipairs(a:judges()) do
    if theirs[name] then common[#common + 1] = name end
  end
  local lists = ("%s has %s; %s has %s"):format(a.path, table.concat(a:judges(), ", "), b.path,
    table.concat(b:judges(), ", "))
  if wanted then
    if not set_of(common)[wanted] then
      fail("judge %s is not in both.%s %s", shape.quote(wanted), suggest.sentence(wanted, common), lists)
    end
    return wanted
  end
  if #common == 0 then fail("the two have no judge in common: %s", lists) end
  if #common > 1 then fail("both have several judges (%s): choose one with --judge", table.concat(common, ", ")) end
  return common[1]
end

local function model_of(source, wanted, flag)
  local labels = names_of(source.inputs.models, "label")
  if wanted and not set_of(labels)[wanted] then
    fail("%s: no model is called %s.%s It has %s", source.path, shape.quote(wanted), suggest.sentence(wanted, labels),
      table.concat(labels, ", "))
  end
  if wanted then return wanted end
  if #labels > 1 then
    fail("%s has several models (%s): choose one with %s", source.path, table.concat(labels, ", "), flag)
  end
  return labels[1]
end

-- The title of a suite's rows may have a sampling tag behind the name.
local function suite_of(source, row)
  for _, suite in ipairs(source.inputs.suites) do
    if suite.name .. (suite.sampled or "") == row.suite then return suite end
  end
  return { name = row.suite }
end

-- The rows of one model and judge as { suite, persona, row }.
local function rows_of(source, model, judge)
  local out = {}
  for _, row in ipairs(source.results.rows) do
    if row.model == model and row.judge == judge then
      out[#out + 1] = { suite = suite_of(source, row), persona = row.persona, row = row }
    end
  end
  return out
end

-- Rows of suites and personas that both have; what only one has is told.
local function shared_rows(a, b)
  local function key(one) return one.suite.name .. "\0" .. one.persona end
  local mine, theirs, both_a, both_b, dropped = {}, {}, {}, {}, {}
  for _, one in ipairs(a) do mine[key(one)] = one end
  for _, one in ipairs(b) do theirs[key(one)] = one end
  local function split(list, other, kept, side)
    for _, one in ipairs(list) do
      local where = other[key(one)] and kept or dropped
      where[#where + 1] = where == kept and one
        or { side = side, suite = one.suite.name, persona = one.persona, trials = one.row.total }
    end
  end
  split(a, theirs, both_a, "A")
  split(b, mine, both_b, "B")
  return both_a, both_b, dropped
end

local function suite_names(source)
  return table.concat(names_of(source.inputs.suites, "name"), ", ")
end

-- Suites of one name with other samples: an error, or the reason not to pair.
local function different_suites(a, b, allowed)
  for i, one in ipairs(a) do
    local other = b[i].suite
    if one.suite.hash ~= other.hash then
      if allowed then return one.suite.name end
      fail("suite %s: the samples differ (sha256 %s in A, %s in B), so the rates are not of the same questions. "
        .. "--allow-different-suites compares them all the same, as independent samples", one.suite.name,
        tostring(one.suite.hash):sub(1, 16), tostring(other.hash):sub(1, 16))
    end
  end
end

local function metric_name(a, b, wanted)
  local name = wanted or a[1].row.primary
  for _, list in ipairs { a, b } do
    for _, one in ipairs(list) do
      if not one.row.metrics[name or ""] then
        fail("no metric %s on suite %s. Known: %s", shape.quote(tostring(name)), one.suite.name,
          table.concat(report.metrics(one.row), ", "))
      end
    end
  end
  return name
end

-- Where a verdict has the number of a metric that is a mean; nil: it is a rate.
local function mean_path(source, at, name)
  local entry, path = find(source.inputs.judges, at.judge), nil
  for i, one in ipairs(at.rows_a) do
    local metric = find(entry and entry.metrics_of and entry.metrics_of[one.suite.name] or {}, name)
    local here = metric and metric.mean
    if i > 1 and here ~= path then fail("--metric: %s is not the same thing on all suites: choose one suite", name) end
    path = here
  end
  return path
end

-- ---- paired ----

-- The labels of a metric: which count, and which are in its denominator.
local function labels_of(source, judge, suite, name)
  local entry = find(source.inputs.judges, judge)
  for _, metric in ipairs(entry and entry.metrics_of and entry.metrics_of[suite] or {}) do
    if metric.name == name then return set_of(metric.rate), set_of(metric.of) end
  end
end

local function group_of(by, suite, persona, category)
  return by == "suite" and suite or by == "persona" and persona or by == "category" and category or nil
end

local function new_cell(name)
  return { name = name, both = 0, only_b = 0, only_a = 0, neither = 0, unjudged = 0 }
end

local FIELD = { [true] = { [true] = "both", [false] = "only_a" }, [false] = { [true] = "only_b", [false] = "neither" } }

-- A sample may have several trials where there are several personas, or repeats.
local function add_pair(cell, who, n, x, y)
  local field = FIELD[x][y]
  cell[field] = cell[field] + 1
  cell.who = cell.who or who
  cell.several = cell.several or n > 1 or who ~= cell.who
end

local function cell_of(cells, name)
  local cell = cells[name]
  if not cell then
    cell = new_cell(name)
    cells[name], cells[#cells + 1] = cell, cell
  end
  return cell
end

-- Calls each(cell, key, x, y, sample, who, n) for every pair of a cell; x, y: nil where a side has no label of the
-- metric. Returns how many belong to none (a sample without a category).
local function each_of_cells(the_pairs, cells, by, judged, each)
  local labels, nowhere = {}, 0
  the_pairs:each(function(key, category, x, y)
    local suite, id, who, _, n = plan.parse_key(key)
    local name = by and group_of(by, suite, who, category) or not by and "all"
    if not name then
      nowhere = nowhere + 1
      return
    end
    labels[suite] = labels[suite] or { judged(suite) }
    local rate, of = labels[suite][1], labels[suite][2]
    local both = x.scored and y.scored and of[x.outcome] and of[y.outcome]
    local cell = cell_of(cells, name)
    if both then
      each(cell, key, rate[x.outcome] == true, rate[y.outcome] == true, suite .. "/" .. id, who, n)
    else
      each(cell)
    end
  end)
  return nowhere
end

-- Trial of a sample, which is the cell's i-th.
local function count_in(cell, i, field)
  cell.sizes[i] = cell.sizes[i] + 1
  if field == "both" or field == "only_a" then cell.positives_a[i] = cell.positives_a[i] + 1 end
  if field == "both" or field == "only_b" then cell.positives_b[i] = cell.positives_b[i] + 1 end
end

-- The pairs of cells in which a sample may have several, in the order of their keys: { difference, field } by sample.
local function gather(the_pairs, cells, by, judged)
  local list = {}
  each_of_cells(the_pairs, cells, by, judged, function(cell, key, x, y, sample)
    if key and cell.several then
      list[#list + 1] = { cell = cell, key = key, sample = sample, field = FIELD[x][y],
        difference = (y and 1 or 0) - (x and 1 or 0) }
    end
  end)
  table.sort(list, function(one, other) return one.key < other.key end)
  for _, cell in ipairs(cells) do
    cell.differences, cell.clusters, cell.samples, cell.n_samples = {}, {}, {}, 0
    cell.sizes, cell.positives_a, cell.positives_b, cell.numbers = {}, {}, {}, {}
    cell.first = { both = 0, only_b = 0, only_a = 0, neither = 0 }
  end
  for _, one in ipairs(list) do
    local cell, sample, numbers = one.cell, one.sample, one.cell.numbers
    if not cell.samples[sample] then
      cell.first[one.field] = cell.first[one.field] + 1
      local i = cell.n_samples + 1
      cell.n_samples, cell.samples[sample], numbers[sample] = i, 0, i
      cell.sizes[i], cell.positives_a[i], cell.positives_b[i] = 0, 0, 0
    end
    count_in(cell, numbers[sample], one.field)
    cell.samples[sample] = cell.samples[sample] + one.difference
    local at = #cell.differences + 1
    cell.differences[at], cell.clusters[at] = one.difference, sample
  end
end

-- Also: how many pairs belong to no cell.
local function pair_cells(the_pairs, by, judged)
  local cells, several = {}, false
  local nowhere = each_of_cells(the_pairs, cells, by, judged, function(cell, key, x, y, _, who, n)
    if key then add_pair(cell, who, n, x, y) else cell.unjudged = cell.unjudged + 1 end
  end)
  for _, cell in ipairs(cells) do several = several or cell.several end
  if several then gather(the_pairs, cells, by, judged) end
  return cells, nowhere
end

local function wilson(x, n, confidence)
  if n == 0 then return { n = 0, x = 0 } end
  local i = assert(stats.wilson(x, n, confidence))
  return { value = i.value, low = i.low, high = i.high, n = n, x = x }
end

local function clustered_rate(side, positives, sizes, confidence)
  local i = assert(stats.wilson_clustered(positives, sizes, confidence))
  side.low, side.high, side.n_eff = i.low, i.high, i.n_eff
end

-- Several trials of a sample (repeats, personas) are not independent: whole samples are drawn, and the test is an exact
-- sign test over samples, by the sign of a sample's summed difference.
local function clustered(cell, out, opt)
  clustered_rate(out.a, cell.positives_a, cell.sizes, opt.confidence)
  clustered_rate(out.b, cell.positives_b, cell.sizes, opt.confidence)
  local up, down = 0, 0
  for _, sum in pairs(cell.samples) do
    if sum > 0 then up = up + 1 elseif sum < 0 then down = down + 1 end
  end
  out.p, out.test = assert(stats.mcnemar(up, down)).exact, "exact sign test over samples"
  out.samples = cell.n_samples
  local interval = assert(stats.bootstrap(cell.differences, cell.clusters, { confidence = opt.confidence,
    replicates = REPLICATES, seed = 0 }))
  if interval.low < interval.high then
    out.low, out.high = interval.low, interval.high
    out.method = ("cluster bootstrap over samples (%d replicates)"):format(REPLICATES)
    if cell.n_samples < FEW_CLUSTERS then
      out.note = ("only %d samples: the interval may be too narrow"):format(cell.n_samples)
    end
    return
  end
  -- Without variation there is nothing to draw: each sample's first trial is a pair.
  local first = cell.first
  local one = assert(stats.newcombe_paired(first.both, first.only_b, first.only_a, first.neither, opt.confidence))
  out.low, out.high = math.min(one.low, out.delta), math.max(one.high, out.delta)
  out.method = "paired Newcombe (phi corrected) on the first trial of each sample, as all samples agree"
end

local function paired_row(cell, opt)
  local n = cell.both + cell.only_a + cell.only_b + cell.neither
  local out = { name = cell.name, paired = true, n = n, unjudged = cell.unjudged,
    table = { both = cell.both, only_a = cell.only_a, only_b = cell.only_b, neither = cell.neither } }
  out.a, out.b = wilson(cell.both + cell.only_a, n, opt.confidence), wilson(cell.both + cell.only_b, n, opt.confidence)
  if n == 0 then return out end
  local newcombe = assert(stats.newcombe_paired(cell.both, cell.only_b, cell.only_a, cell.neither, opt.confidence))
  out.delta, out.phi = newcombe.value, newcombe.phi
  if cell.several and cell.n_samples < n then
    clustered(cell, out, opt)
  else
    out.low, out.high, out.method = newcombe.low, newcombe.high, "paired Newcombe, phi corrected (1998)"
    out.p, out.test = assert(stats.mcnemar(cell.only_b, cell.only_a)).exact, "exact McNemar"
  end
  return out
end

-- ---- independent ----

local function pool(rows, by, name)
  local groups, order = {}, {}
  local function add(key, part)
    if not groups[key] then
      groups[key] = { x = 0, n = 0, total = 0 }
      order[#order + 1] = key
    end
    local g, metric = groups[key], part.metrics[name]
    g.x, g.n, g.total = g.x + report.positives(metric), g.n + metric.n, g.total + part.total
  end
  for _, one in ipairs(rows) do
    if by == "category" then
      for _, category in ipairs(report.categories(one.row)) do add(category, one.row.categories[category]) end
    else
      add(by and group_of(by, one.suite.name, one.persona) or "all", one.row)
    end
  end
  return groups, order
end

local function independent_row(key, a, b, opt)
  local out = { name = key, paired = false, unjudged = a.total - a.n + b.total - b.n,
    a = wilson(a.x, a.n, opt.confidence), b = wilson(b.x, b.n, opt.confidence) }
  if a.n == 0 or b.n == 0 then return out end
  local newcombe = assert(stats.newcombe(b.x, b.n, a.x, a.n, opt.confidence))
  out.delta, out.low, out.high = newcombe.value, newcombe.low, newcombe.high
  out.method, out.test = "Newcombe for independent samples (1998)", "pooled z-test"
  out.p = assert(stats.ztest(b.x, b.n, a.x, a.n))
  return out
end

local function independent_rows(rows_a, rows_b, name, opt)
  local a, order_a = pool(rows_a, opt.by, name)
  local b, order_b = pool(rows_b, opt.by, name)
  local out, notes = {}, {}
  for _, key in ipairs(order_a) do
    if b[key] then
      out[#out + 1] = independent_row(key, a[key], b[key], opt)
    else
      notes[#notes + 1] = ("left out: %s (%d trials), which only A has"):format(key, a[key].total)
    end
  end
  for _, key in ipairs(order_b) do
    if not a[key] then notes[#notes + 1] = ("left out: %s (%d trials), which only B has"):format(key, b[key].total) end
  end
  return out, notes
end

-- ---- verdicts ----

-- Holm over all rows that have a p-value; one alone is left as it is.
local function adjust(rows)
  local list = {}
  for _, row in ipairs(rows) do list[#list + 1] = row.p end
  if #list == 0 then return 0 end
  local adjusted, i = assert(stats.holm(list)), 0
  for _, row in ipairs(rows) do
    if row.p then
      i = i + 1
      row.p_holm = adjusted[i]
    end
  end
  return #list
end

-- At alpha = 1 - confidence, by the adjusted p-value.
local function decide(row, alpha)
  if not row.p then
    row.verdict = row.delta and "no interval" or "no data"
  elseif row.p_holm >= alpha then
    row.verdict = "no significant difference"
  else
    row.verdict = row.delta > 0 and "B is higher" or "B is lower"
  end
end

local function flips_of(the_pairs)
  local out = json.array {}
  the_pairs:each(function(key, category, x, y)
    if x.outcome ~= y.outcome then
      out[#out + 1] = { trial = key, a = x.outcome, b = y.outcome, category = category }
    end
  end)
  table.sort(out, function(one, other) return one.trial < other.trial end)
  for _, flip in ipairs(out) do flip.trial = pairing.id(flip.trial) end
  return out
end

-- Pairs, why they are, their cells and how many belong to none; or nil and why there are none.
local function try_pairs(a, b, at, opt, different, judged)
  if different then return nil, ("the samples of suite %s differ"):format(different) end
  if opt.unpaired then return nil, "--unpaired" end
  for _, side in ipairs { { a, "A" }, { b, "B" } } do
    if not side[1].store then
      return nil, ("%s is a results file, which has no single trials; give the run's folder to pair"):format(side[2])
    end
  end
  local found = pairing.of({ source = a, model = at.model_a, rows = at.rows_a },
    { source = b, model = at.model_b, rows = at.rows_b }, at.judge)
  local cells, nowhere = pair_cells(found, opt.by, judged)
  if found.both == 0 then return nil, "no trial is in both" end
  return found, ("%d trials of the same samples are in both"):format(found.both), cells, nowhere
end

local function repeats_note(a, b)
  if (a.inputs.repeats or 1) > 1 or (b.inputs.repeats or 1) > 1 then
    return "repeats of a sample are counted as if they were independent: the interval is too narrow"
  end
end

-- The same label may mean two versions of a judge.
local function judge_note(a, b, name)
  local mine, theirs = find(a.inputs.judges, name), find(b.inputs.judges, name)
  if mine and theirs and mine.hash ~= theirs.hash then
    return ("judge %s is not the same file in both (its hash differs)"):format(name)
  end
end

-- Rows, the pairs (nil: independent), why, and notes.
local function rows_of_rates(a, b, at, opt, different, name)
  local the_pairs, why, cells, nowhere = try_pairs(a, b, at, opt, different,
    function(suite) return labels_of(a, at.judge, suite, name) end)
  local notes, rows = json.array {}, json.array {}
  if the_pairs then
    for i, cell in ipairs(cells) do rows[i] = paired_row(cell, opt) end
    if nowhere > 0 then notes[#notes + 1] = ("left out: %d pairs without a %s"):format(nowhere, opt.by) end
  else
    local list, left_out = independent_rows(at.rows_a, at.rows_b, name, opt)
    rows = json.array(list)
    table.move(left_out, 1, #left_out, #notes + 1, notes)
    notes[#notes + 1] = repeats_note(a, b)
  end
  return rows, the_pairs, why, notes
end

-- The same of a metric that is a mean.
local function rows_of_means(a, b, at, opt, different, name, path)
  for _, side in ipairs { { a, "A" }, { b, "B" } } do
    if not side[1].store then
      fail("--metric: %s is a mean, and %s (%s) is a results file, which has no single trials; give the run's folder",
        name, side[2], side[1].path)
    end
  end
  if opt.flips then fail("--flips: %s is a mean: there are no labels that could differ", name) end
  local apart = different and ("the samples of suite %s differ"):format(different) or opt.unpaired and "--unpaired"
  local rows, counts = compare_means.rows(a, b, at, path, opt, apart)
  local why = counts and ("%d trials of the same samples are in both"):format(counts.both) or apart
    or "no trial is in both"
  local notes = json.array {}
  if counts and counts.nowhere > 0 then
    notes[1] = ("left out: %d pairs without a %s"):format(counts.nowhere, opt.by)
  end
  return rows, counts, why, notes
end

---Compares two sources (lre.source). `opt`: by ("suite", "category", "persona"), confidence, judge, metric, model_a,
---model_b, unpaired, allow_different_suites, flips (list them). Raises { exit = 3 } where there is nothing to compare.
---@return table outcome { a, b, judge, metric, paired, why, rows, flips, dropped, notes, confidence, alpha, tests }
function compare.of(a, b, opt)
  local at = { judge = choose_judge(a, b, opt.judge), model_a = model_of(a, opt.model_a, "--model-a"),
    model_b = model_of(b, opt.model_b, "--model-b") }
  local dropped
  at.rows_a, at.rows_b, dropped = shared_rows(rows_of(a, at.model_a, at.judge), rows_of(b, at.model_b, at.judge))
  if #at.rows_a == 0 then
    fail("the two have nothing in common: A (%s) has the suites %s, B (%s) has %s, and no suite and persona is in both",
      a.path, suite_names(a), b.path, suite_names(b))
  end
  local different = different_suites(at.rows_a, at.rows_b, opt.allow_different_suites)
  local name = metric_name(at.rows_a, at.rows_b, opt.metric)
  local path = mean_path(a, at, name)
  local rows, the_pairs, why, notes = (path and rows_of_means or rows_of_rates)(a, b, at, opt, different, name, path)
  notes[#notes + 1] = judge_note(a, b, at.judge)
  if #rows == 0 then fail("nothing to compare by %s: no sample has one", tostring(opt.by)) end
  table.sort(rows, function(x, y) return x.name < y.name end)
  local alpha = 1 - opt.confidence
  local tests = adjust(rows)
  for _, row in ipairs(rows) do decide(row, alpha) end
  log.info(("compared %d rows, %s"):format(#rows, the_pairs and "paired" or "independent"))
  return { a = { path = a.path, model = at.model_a }, b = { path = b.path, model = at.model_b }, judge = at.judge,
    metric = name, by = opt.by, paired = the_pairs ~= nil, why = why, rows = rows, dropped = json.array(dropped),
    flips = the_pairs and opt.flips and flips_of(the_pairs) or nil, only_a = the_pairs and the_pairs.only_a,
    only_b = the_pairs and the_pairs.only_b, notes = notes,
    confidence = opt.confidence, alpha = alpha, tests = tests }
end

-- ---- text ----

local function signed(x)
  return ("%+.4f"):format(x)
end

local function bounds(one, form)
  return one.low and ("[" .. form .. ", " .. form .. "]"):format(one.low, one.high) or "—"
end

local function side_text(side)
  if side.n == 0 then return "no data" end
  if not side.x then return ("%.4f %s (n = %d)"):format(side.value, bounds(side, "%.4f"), side.n) end
  return ("%.4f [%.4f, %.4f] (%d/%d)"):format(side.value, side.low, side.high, side.x, side.n)
end

local function p_text(p)
  return p < 0.0001 and "< 0.0001" or ("%.4f"):format(p)
end

local function row_cells(row, many)
  local cells = { row.name, side_text(row.a), side_text(row.b) }
  if row.delta then
    table.move({ signed(row.delta), bounds(row, "%+.4f"), row.p and p_text(row.p) or "—" }, 1, 3, 4, cells)
    if many then cells[#cells + 1] = row.p and p_text(row.p_holm) or "—" end
  else
    table.move({ "—", "—", "—", many and "—" or nil }, 1, many and 4 or 3, 4, cells)
  end
  cells[#cells + 1] = row.verdict
  return cells
end

local function method_lines(outcome)
  local lines, seen = {}, {}
  for _, row in ipairs(outcome.rows) do
    if row.method and not seen[row.method] then
      lines[#lines + 1] = ("Interval: %s. Test: %s."):format(row.method, row.test)
      seen[row.method] = true
    end
  end
  return lines
end

local function table_line(row)
  local t = row.table
  return ("%s: both %d, only A %d, only B %d, neither %d"):format(report.plain(row.name), t.both, t.only_a, t.only_b,
    t.neither)
end

-- An interval of rates and a test of discordant pairs (or of samples' signs) may say two things near the edge.
local function contradicts(row, alpha)
  return row.p and row.low and (row.p < alpha) ~= (row.low > 0 or row.high < 0)
end

local function notes_of(outcome)
  local lines = {}
  local function add(text, ...) lines[#lines + 1] = "- " .. text:format(...) end
  for _, row in ipairs(outcome.rows) do
    if row.table then add("%s", table_line(row)) end
    if row.unjudged > 0 then
      add("%s: left out %d %s without a verdict %s", report.plain(row.name), row.unjudged,
        row.paired and "pairs" or "trials", row.paired and "on both sides" or "(A and B together)")
    end
    if row.samples then
      add("%s: %d trials of %d samples; all intervals are clustered by sample", report.plain(row.name), row.n,
        row.samples)
    end
    if row.note then add("%s: %s", report.plain(row.name), row.note) end
    if contradicts(row, outcome.alpha) then
      add("%s: the interval %s 0, the test's p is %.4f: they are made differently; take it as not settled",
        report.plain(row.name), (row.low > 0 or row.high < 0) and "leaves out" or "holds", row.p)
    end
  end
  if (outcome.only_a or 0) + (outcome.only_b or 0) > 0 then
    add("left out: %d trials that only A has, %d that only B has", outcome.only_a, outcome.only_b)
  end
  for _, d in ipairs(outcome.dropped) do
    add("left out: suite %s, persona %s (%d trials), which only %s has", report.plain(d.suite), report.plain(d.persona),
      d.trials, d.side)
  end
  for _, note in ipairs(outcome.notes) do add("%s", report.plain(note)) end
  return lines
end

local function flip_lines(outcome)
  local rows = {}
  for i, flip in ipairs(outcome.flips) do rows[i] = { flip.trial, flip.a, flip.b } end
  if #rows == 0 then return "\nFlips: none.\n" end
  return ("\nFlips: %d.\n\n%s"):format(#rows, report.table({ "Trial", "A", "B" }, rows))
end

---An outcome as Markdown. `opt.flips`: with the trials that differ.
---@return string
function compare.text(outcome, opt)
  local many, percent = outcome.tests > 1, ("%g%%"):format(outcome.confidence * 100)
  local function side(name, s) return ("%s: %s, %s\n"):format(name, report.plain(s.model), report.plain(s.path)) end
  local head = { outcome.by and outcome.by:gsub("^%l", string.upper) or "Rows", "A", "B", "Delta (B - A)",
    percent .. " CI", "p" }
  if many then head[#head + 1] = "p (Holm)" end
  head[#head + 1] = "Verdict"
  local body = {}
  for i, row in ipairs(outcome.rows) do body[i] = row_cells(row, many) end
  local lines = { ("%s: %s."):format(outcome.paired and "Paired" or "Independent samples", report.plain(outcome.why)) }
  table.move(method_lines(outcome), 1, 9, #lines + 1, lines)
  local sides = outcome.rows[1].a.clusters and "Means: Student's t, clustered" or "Rates: Wilson"
  lines[#lines + 1] = ("%s, %s. Verdict at alpha = %g%s."):format(sides, percent, json.round(outcome.alpha), many
    and (", by the p-value that Holm's method adjusts for %d tests"):format(outcome.tests) or "")
  local notes = notes_of(outcome)
  return ("# %s (judge %s): A against B\n\n"):format(report.plain(outcome.metric), report.plain(outcome.judge))
    .. side("A", outcome.a) .. side("B", outcome.b) .. "\n" .. report.table(head, body) .. "\n"
    .. table.concat(lines, "\n") .. "\n" .. (#notes > 0 and "\n" .. table.concat(notes, "\n") .. "\n" or "")
    .. (opt and opt.flips and flip_lines(outcome) or "")
end

local function rounded(value)
  if math.type(value) == "float" then return json.round(value) end
  if type(value) ~= "table" then return value end
  local out = json.is_array(value) and json.array {} or {}
  for key, inner in pairs(value) do out[key] = rounded(inner) end
  return out
end

---An outcome as canonical JSON.
---@return string
function compare.json(outcome)
  return assert(json.encode(rounded(outcome), 2))
end

return compare
