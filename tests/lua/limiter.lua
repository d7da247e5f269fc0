-- lre.limiter with the real scheduler: order, pauses, stops and places.
local clock = require "lre.clock"
local limiter = require "lre.limiter"
local sched = require "lre.sched"
local test = require "lre.unit"

local made = 0
local function provider(connections)
  made = made + 1
  return limiter.provider("test " .. made, connections)
end

local function spawn_all(n, fn)
  local tasks = {}
  for i = 1, n do tasks[i] = sched.spawn(fn, i) end
  for _, task in ipairs(tasks) do task:wait() end
end

test("without_a_bound_nothing_waits", function()
  local bucket = limiter.bucket(provider(), "m")
  local hooks = { pause = function() error "left the place" end, resume = function() end }
  for _ = 1, 1000 do test.eq(bucket:take(hooks), true) end
end)

test("tokens_are_given_first_come_first_served", function()
  local bucket, order = limiter.bucket(provider(), "m", 200, 1), {}
  spawn_all(12, function(i)
    assert(bucket:take())
    order[#order + 1] = i
  end)
  for i = 1, 12 do test.eq(order[i], i) end
end)

test("a_rate_is_never_exceeded", function()
  local bucket, begun = limiter.bucket(provider(), "m", 100, 3), clock.mono()
  spawn_all(13, function() assert(bucket:take()) end)
  -- Three at once, ten more at a hundred a second: no sooner than a tenth of a second (less the timer's rounding).
  test.ok(clock.mono() - begun >= 0.095, "thirteen tokens came too soon")
end)

test("labels_of_one_model_share_its_bucket", function()
  local p = provider()
  test.eq(rawequal(limiter.bucket(p, "m", 2, 3), limiter.bucket(p, "m", 2, 3)), true)
  test.eq(rawequal(limiter.bucket(p, "m", 2, 3), limiter.bucket(p, "n", 2, 3)), false)
end)

test("a_burst_does_not_wait", function()
  local bucket = limiter.bucket(provider(), "m", 0.001, 5)
  local hooks = { pause = function() error "left the place" end, resume = function() end }
  for _ = 1, 5 do test.eq(bucket:take(hooks), true) end
end)

test("whoever_waits_for_a_token_leaves_its_place_and_takes_it_back", function()
  local bucket, seen = limiter.bucket(provider(), "m", 50, 1), {}
  local hooks = { pause = function() seen[#seen + 1] = "pause" end, resume = function() seen[#seen + 1] = "resume" end }
  assert(bucket:take(hooks))
  test.eq(#seen, 0)
  assert(bucket:take(hooks))
  test.eq(table.concat(seen, " "), "pause resume")
end)

test("a_pause_holds_everyone_of_the_provider_up", function()
  local p = provider()
  local one, other, free = limiter.bucket(p, "a"), limiter.bucket(p, "b", 1000, 10), limiter.bucket(provider(), "m")
  local begun = clock.mono()
  p:pause(0.1)
  test.eq(free:take { pause = function() error "another provider was held up" end, resume = function() end }, true)
  spawn_all(6, function(i)
    assert((i % 2 == 0 and one or other):take())
    test.ok(clock.mono() - begun >= 0.1, "asked during the pause")
  end)
  test.eq(p.paused_till, nil)
end)

test("the_longest_pause_counts", function()
  local p, begun = provider(), clock.mono()
  local bucket = limiter.bucket(p, "m")
  p:pause(0.12)
  p:pause(0.01)
  assert(bucket:take())
  test.ok(clock.mono() - begun >= 0.12, "the shorter pause won")
end)

test("a_pause_that_grows_while_somebody_waits_is_waited_out", function()
  local p, begun = provider(), clock.mono()
  local bucket = limiter.bucket(p, "m")
  p:pause(0.05)
  local task = sched.spawn(function() assert(bucket:take()) end)
  sched.sleep(0.01)
  p:pause(0.15)
  task:wait()
  test.ok(clock.mono() - begun >= 0.16, "the longer pause was cut short")
end)

test("a_stop_ends_the_waiting", function()
  local p = provider()
  local bucket, err = limiter.bucket(p, "m"), nil
  p:pause(600)
  local task = sched.spawn(function() err = select(2, bucket:take()) end)
  sched.sleep(0.01)
  p:stop { code = "auth", message = "refused" }
  sched.deadline(20, task.wait, task)
  test.eq(err and err.code, "auth")
end)

test("a_bar_ends_by_itself", function()
  local p = provider()
  test.eq(p:barred(), nil)
  local err = { kind = "provider", code = "rate_limited", message = "later" }
  p:bar(600, err)
  test.eq(p:barred().code, "rate_limited")
  local other = provider()
  other:bar(0.02, err)
  sched.sleep(0.03)
  test.eq(other:barred(), nil)
end)

test("a_cancelled_waiter_leaves_the_queue_to_the_others", function()
  local bucket, done = limiter.bucket(provider(), "m", 20, 1), false
  assert(bucket:take())
  local first = sched.spawn(function() bucket:take() end)
  local second = sched.spawn(function()
    assert(bucket:take())
    done = true
  end)
  sched.sleep(0.005)
  first:cancel()
  second:wait()
  test.eq(done, true)
  test.eq(bucket.waiting, 0)
end)

test("no_more_connections_than_allowed", function()
  local p, now, most = provider(3), 0, 0
  spawn_all(20, function()
    local place <close> = p:enter() -- luacheck: ignore
    now = now + 1
    most = math.max(most, now)
    sched.sleep(0.002)
    now = now - 1
  end)
  test.eq(most, 3)
  test.eq(p.used, 0)
end)

test("whoever_waits_for_a_connection_leaves_its_place", function()
  local p, seen = provider(1), {}
  local hooks = { pause = function() seen[#seen + 1] = "pause" end, resume = function() seen[#seen + 1] = "resume" end }
  spawn_all(2, function()
    local place <close> = p:enter(hooks) -- luacheck: ignore
    sched.sleep(0.002)
  end)
  test.eq(table.concat(seen, " "), "pause resume")
end)

test("a_cancelled_holder_gives_its_connection_back", function()
  local p = provider(1)
  local holder = sched.spawn(function()
    local place <close> = p:enter() -- luacheck: ignore
    sched.sleep(600)
  end)
  sched.sleep(0.002)
  holder:cancel()
  local place <close> = p:enter() -- luacheck: ignore
  test.eq(p.used, 1)
end)

test("a_cancelled_waiter_for_a_connection_is_not_counted", function()
  local p = provider(1)
  local held = p:enter()
  local waiter = sched.spawn(function()
    local place <close> = p:enter() -- luacheck: ignore
  end)
  sched.sleep(0.002)
  waiter:cancel()
  sched.sleep(0.002)
  getmetatable(held).__close(held)
  test.eq(p.used, 0)
  local place <close> = p:enter() -- luacheck: ignore
  test.eq(p.used, 1)
end)

-- ---- connections that adapt ----

local function adaptive(cap, connections)
  made = made + 1
  return limiter.provider("test " .. made, connections, cap)
end

test("a_429_halves_and_good_answers_give_the_places_back", function()
  local p = adaptive(16)
  test.eq(p.connections, nil)
  p:limited(p.epoch)
  test.eq(p.connections, 8)
  test.eq(p.shrunk, true)
  local answers = 0
  while p.shrunk do
    p:grow()
    answers = answers + 1
  end
  test.eq(answers, 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15) -- a place more after as many answers as there are places
  test.eq(p.gate, nil) -- and nothing is counted any more
end)

test("answers_to_requests_of_before_the_halving_do_not_halve_again", function()
  local p = adaptive(16)
  local sent = p.epoch
  for _ = 1, 10 do p:limited(sent) end
  test.eq(p.connections, 8)
  p:limited(p.epoch)
  test.eq(p.connections, 1) -- of what is really under way: this one
  for _ = 1, 5 do p:limited(p.epoch) end
  test.eq(p.connections, 1)
end)

test("an_explicit_bound_is_what_it_grows_back_to", function()
  local p = adaptive(16, 3)
  p:limited(p.epoch)
  test.eq(p.connections, 1)
  for _ = 1, 1 + 2 do p:grow() end
  test.eq(p.connections, 3)
  test.eq(p.shrunk, nil)
end)

test("who_queues_is_let_in_when_the_bound_falls_away_and_the_books_stay_right", function()
  local p = adaptive(2)
  p:limited(p.epoch)
  local first = p:enter()
  local got = 0
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = sched.spawn(function()
      local place <close> = p:enter() -- luacheck: ignore place
      got = got + 1
    end)
  end
  sched.sleep(0)
  test.eq(got, 0)
  p:grow()
  for _, task in ipairs(tasks) do task:wait() end
  test.eq(got, 3)
  getmetatable(first).__close(first)
  test.eq(p.used, 0)
  p:limited(p.epoch)
  test.eq(p.used, 0)
end)

test("switched_off_nothing_adapts", function()
  local p = provider(4)
  p:limited(p.epoch)
  test.eq(p.connections, 4)
end)

test("who_waits_and_for_what_can_be_told", function()
  local p = provider()
  local bucket = limiter.bucket(p, "m", 1000, 1)
  p:pause(0.05)
  local task = sched.spawn(function() assert(bucket:take()) end)
  sched.sleep(0)
  local mine
  for _, row in ipairs(limiter.waits()) do if row.key == p.key then mine = row end end
  test.eq(mine.rate, 1)
  test.ok(mine.paused > 0)
  task:wait()
  for _, row in ipairs(limiter.waits()) do test.ok(row.key ~= p.key, "nobody waits any more") end
end)

test("an_exhausted_window_of_one_model_holds_only_that_one_up", function()
  local p = provider()
  local one, other = limiter.bucket(p, "a"), limiter.bucket(p, "b")
  local begun = clock.mono()
  one:pause(0.05)
  assert(other:take())
  test.eq(one.paused_till ~= nil and clock.mono() < one.paused_till, true)
  assert(one:take())
  test.ok(clock.mono() - begun >= 0.05)
  test.eq(one.paused_till, nil)
end)
