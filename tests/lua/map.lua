-- map: many things, a bounded number at a time.
local map = require "lre.map"
local sched = require "lre.sched"
local test = require "lre.unit"

local function failure(...)
  local ok, err = pcall(...)
  test.eq(ok, false)
  return err
end

test("results_come_in_the_order_of_the_source", function()
  local results, n = map({ 3, 1, 2 }, function(x, i)
    sched.sleep(x / 1000)
    return x * 10 + i
  end, { limit = 3 })
  test.eq(n, 3)
  test.eq(table.concat(results, ","), "31,12,23")
end)

test("no_more_than_limit_run_at_once", function()
  local running, most = 0, 0
  map({ 1, 2, 3, 4, 5, 6, 7 }, function()
    running = running + 1
    most = math.max(most, running)
    sched.sleep(0.001)
    running = running - 1
  end, { limit = 3 })
  test.eq(most, 3)
  test.eq(running, 0)
end)

test("an_iterator_is_pulled_only_as_places_get_free", function()
  local pulled, finished, furthest = 0, 0, 0
  local function source()
    pulled = pulled + 1
    furthest = math.max(furthest, pulled - finished)
    return pulled <= 50 and pulled or nil
  end
  local kept, n = map(source, function()
    sched.sleep(0)
    finished = finished + 1
  end, { limit = 4, collect = false })
  test.eq(kept, nil)
  test.eq(n, 50)
  test.eq(furthest <= 5, true)
end)

test("the_first_error_cancels_the_rest_and_is_raised", function()
  local closed, finished = 0, 0
  local err = failure(map, { 1, 2, 3, 4, 5, 6 }, function(x)
    local guard <close> = setmetatable({}, { -- luacheck: ignore guard
      __close = function()
        closed = closed + 1
      end,
    })
    if x == 2 then
      sched.sleep(0.001)
      error({ code = "mine" })
    end
    sched.sleep(60)
    finished = finished + 1
  end, { limit = 3 })
  test.eq(err.code, "mine")
  test.eq(finished, 0)
  sched.sleep(0)
  test.eq(closed, 3)
end)

test("cancelling_the_caller_cancels_what_runs", function()
  local closed = 0
  local task = sched.spawn(map, { 1, 2, 3, 4 }, function()
    local guard <close> = setmetatable({}, { -- luacheck: ignore guard
      __close = function()
        closed = closed + 1
      end,
    })
    sched.sleep(60)
  end, { limit = 2 })
  sched.sleep(0.001)
  task:cancel()
  sched.sleep(0.001)
  test.eq(closed, 2)
  test.eq(task:status(), "cancelled")
end)

test("a_string_error_keeps_its_place", function()
  local err = failure(map, { 1 }, function()
    error "here"
  end)
  test.eq(tostring(err):match "map.lua:%d+: here" ~= nil, true)
end)

test("an_error_of_the_iterator_is_raised", function()
  local n = 0
  local err = failure(map, function()
    n = n + 1
    if n == 3 then
      error({ code = "pull" })
    end
    return n
  end, function()
    sched.sleep(60)
  end, { limit = 8 })
  test.eq(err.code, "pull")
end)

test("nothing_to_do_gives_an_empty_list", function()
  local results, n = map({}, error)
  test.eq(#results, 0)
  test.eq(n, 0)
end)

test("a_wrong_limit_or_source_is_a_scripts_bug", function()
  test.eq(tostring(failure(map, {}, print, { limit = 0 })):match "limit: expected an integer" ~= nil, true)
  test.eq(tostring(failure(map, "x", print)):match "expected a list or an iterator, got string" ~= nil, true)
end)

test("a_misspelt_option_is_refused", function()
  test.raises(function() map({ 1 }, function() end, { limt = 2 }) end, "unknown option limt")
end)
