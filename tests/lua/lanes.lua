-- lre.lanes: fairness between the models of a run.
local lanes = require "lre.lanes"
local test = require "lre.unit"

local function plan_of(names, samples)
  local models, trials = {}, {}
  for i, name in ipairs(names) do models[i] = { label = name } end
  for s = 1, samples do
    for _, model in ipairs(models) do trials[#trials + 1] = { key = s .. model.label, model = model } end
  end
  return { models = models, trials = function()
    local i = 0
    return function()
      i = i + 1
      return trials[i]
    end
  end }
end

test("the_plans_order_is_kept_where_nobody_waits", function()
  local pull, seen = lanes.of(plan_of({ "a", "b", "c" }, 3)), {}
  for trial in pull do seen[#seen + 1] = trial.key end
  test.eq(table.concat(seen, " "), "1a 1b 1c 2a 2b 2c 3a 3b 3c")
end)

test("a_model_that_answers_nothing_does_not_take_the_others_turn", function()
  local pull, done = lanes.of(plan_of({ "slow", "fast" }, 1000)), { slow = 0, fast = 0 }
  for _ = 1, 1000 do
    local trial = pull()
    trial.lane.under_way = trial.lane.under_way + 1
    done[trial.model.label] = done[trial.model.label] + 1
    if trial.model.label == "fast" then trial.lane.under_way = trial.lane.under_way - 1 end
  end
  test.eq(done.slow, 1) -- one under way, and none more while the other has fewer
  test.eq(done.fast, 999)
end)

test("each_trial_comes_once_whoever_is_slow", function()
  local pull, seen, n = lanes.of(plan_of({ "a", "b", "c" }, 4000)), {}, 0
  for trial in pull do
    test.eq(seen[trial.key], nil)
    seen[trial.key], n = true, n + 1
    if trial.model.label == "b" then trial.lane.under_way = trial.lane.under_way + 1 end
  end
  test.eq(n, 12000)
end)

test("a_fast_model_is_ahead_by_so_many_trials_at_most", function()
  local pull, done = lanes.of(plan_of({ "slow", "fast" }, 20000)), { slow = 0, fast = 0 }
  for _ = 1, 20000 do
    local trial = pull()
    local label = trial.model.label
    done[label] = done[label] + 1
    if label == "slow" then trial.lane.under_way = trial.lane.under_way + 1 end
    test.ok(done.fast - done.slow <= 8193, "memory is bounded")
  end
end)

test("one_model_has_no_lane", function()
  test.eq(lanes.of(plan_of({ "a" }, 1))().lane, nil)
end)
