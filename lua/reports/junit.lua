-- junit: what a CI server reads: a test case a row (everything answered and judged?), and one an expectation and row.
-- Without times and host, so that the same results give the same bytes.
local lre = require "lre"
local text = require "lre.text"

-- XML 1.0 has no control characters at all: text.terminal spells them out.
local function xml(s)
  return text.html(text.terminal(tostring(s)))
end

local function case(class, name, failure)
  local open = ('    <testcase classname="%s" name="%s"'):format(xml(class), xml(name))
  if not failure then return open .. "/>\n" end
  return ('%s>\n      <failure message="%s"/>\n    </testcase>\n'):format(open, xml(failure))
end

local function class_of(row)
  return ("%s, %s, %s, %s"):format(row.suite, row.model, row.persona, row.judge)
end

-- What a run's exit code 1 is about.
local function incomplete(row)
  if row.generation_errors + row.judge_errors > 0 then
    return ("%d of %d trials failed, and %d verdicts"):format(row.generation_errors, row.total, row.judge_errors)
  end
  local metric = row.metrics[row.primary]
  if metric and metric.n == 0 then return ("no data: 0 of %d trials were judged"):format(row.total) end
end

local function suite(name, cases, failures)
  return ('  <testsuite name="%s" tests="%d" failures="%d">\n%s  </testsuite>\n'):format(name, #cases, failures,
    table.concat(cases))
end

return lre.report {
  name = "junit",
  summary = "test cases for a CI server: complete rows, expectations (JUnit XML)",
  render = function(results, opt)
    local rows, failed = {}, 0
    for i, row in ipairs(results.rows) do
      local failure = incomplete(row)
      failed = failed + (failure and 1 or 0)
      rows[i] = case(class_of(row), "every trial is answered and judged", failure)
    end
    local parts = { '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="lre">\n', suite("rows", rows, failed) }
    local cases, unmet = {}, 0
    for i, one in ipairs(opt.expectations or {}) do
      unmet = unmet + (one.holds and 0 or 1)
      cases[i] = case(one.row and class_of(one.row) or "results", one.text, not one.holds and one.found or nil)
    end
    if opt.expectations then parts[#parts + 1] = suite("expectations", cases, unmet) end
    parts[#parts + 1] = "</testsuites>\n"
    return table.concat(parts)
  end,
}
