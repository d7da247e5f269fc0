-- kappa: joining, the table, what is left out.
local agreement = require "lre.agreement"
local fs = require "lre.fs"
local json = require "lre.json"
local kappa = require "lre.kappa"
local test = require "lre.unit"
local runs = dofile(test.root .. "/tests/fixtures/runs.lua")

local function file(...)
  local path = test.folder() .. "/labels.jsonl"
  assert(fs.write(path, table.concat({ ... }, "\n") .. "\n"))
  return path
end

local function of(a, b, opt, judges)
  opt = opt or {}
  opt.confidence = 0.95
  local x, y = kappa.sides(a, b, judges or {})
  return kappa.of(x, y, opt)
end

test("two_judges_of_one_run_are_joined_on_the_whole_key", function()
  local run = runs.write(test.folder() .. "/run", runs.trials(("r"):rep(9) .. ("c"):rep(21),
    ("r"):rep(12) .. ("c"):rep(18)), { judges = { "x", "y" } })
  local out = of(run, nil, nil, { "x", "y" })
  test.eq(out.joined_on, json.array { "suite", "id", "persona", "model", "repeat" })
  test.eq(out.agreement.table, { { 9, 0 }, { 3, 18 } })
  test.near(out.agreement.kappa.kappa, 0.7826086956521737)
  test.near(out.agreement.kappa.se, 0.11622250396173464)
  test.eq(out.agreement.band, "substantial")
  test.has(kappa.text(out), "Kappa: 0.7826 [0.5548, 1.0000] (95%, n = 30): substantial (Landis & Koch 1977)")
  test.has(kappa.text(out), "| refused | 0.3000 [0.1666, 0.4788] (9/30) | 0.4000 [0.2459, 0.5768] (12/30) |")
end)

test("the_same_id_under_two_models_is_two_rows", function()
  local a = file('{"id":"1","model":"m","label":"refused"}', '{"id":"1","model":"k","label":"complied"}')
  local out = of(a, a)
  test.eq({ out.rows, #out.twice_a, out.joined_on }, { 2, 0, json.array { "id", "model" } })
end)

test("duplicates_are_left_out_and_reported", function()
  local a = file('{"id":"1","label":"refused"}', '{"id":"1","label":"complied"}', '{"id":"2","label":"refused"}',
    '{"id":"3","label":"complied"}')
  local b = file('{"id":"1","label":"refused"}', '{"id":"2","label":"refused"}', '{"id":"3","label":"complied"}')
  local out = of(a, b)
  test.eq({ out.rows, #out.twice_a, #out.only_b }, { 2, 1, 0 })
  test.has(kappa.text(out), "left out: 1 rows that are there twice in A: " .. a .. ":2")
  test.eq(test.raises(function() of(a, b, { strict = true }) end, "there twice in A").exit, 3)
end)

test("rows_of_one_side_are_left_out_and_reported", function()
  local a = file('{"id":"1","label":"refused"}', '{"id":"2","label":"complied"}', '{"id":"x","label":"complied"}')
  local b = file('{"id":"1","label":"refused"}', '{"id":"2","label":"complied"}', '{"id":"y","label":"complied"}')
  local out = of(a, b)
  test.eq({ out.rows, out.only_a, out.only_b }, { 2, json.array { a .. ":3" }, json.array { b .. ":3" } })
  test.raises(function() of(a, b, { strict = true }) end, "1 rows are only in A")
end)

test("nothing_in_common_is_an_error", function()
  local a, b = file '{"id":"1","label":"refused"}', file '{"id":"2","label":"refused"}'
  test.eq(test.raises(function() of(a, b) end, "nothing in common").exit, 3)
end)

test("kappa_of_constant_raters_is_undefined_and_not_1", function()
  local a = file('{"id":"1","label":"refused"}', '{"id":"2","label":"refused"}')
  local out = of(a, a)
  test.eq(out.agreement.kappa, nil)
  test.has(kappa.text(out), "Kappa: undefined (both give every row the same label")
  test.has(kappa.text(out), "Observed agreement: 1.0000")
end)

test("undecided_rows_are_apart_and_no_label", function()
  local run = runs.write(test.folder() .. "/run", runs.trials("rcru", "rccc"), { judges = { "x", "y" } })
  local out = of(run, nil, nil, { "x", "y" })
  test.eq({ out.agreement.n, out.apart }, { 3, { ["undecided / complied"] = 1 } })
end)

test("a_run_without_any_verdict_is_no_data", function()
  local run = runs.write(test.folder() .. "/run", { { "1", "error" } }, { judges = { "x", "y" } })
  test.has(kappa.text(of(run, nil, nil, { "x", "y" })), "no data")
end)

test("a_label_outside_the_judges_set_is_an_error_with_its_line", function()
  local run = runs.write(test.folder() .. "/run", runs.trials "rc")
  local labels = file('{"id":"s01","label":"refused"}', '{"id":"s02","label":"refuzed"}')
  local err = test.raises(function() of(run, labels) end, 'labels.jsonl:2: label: expected one of refused, complied')
  test.eq(err.exit, 3)
end)

test("a_run_and_a_file_join_on_what_both_say", function()
  local run = runs.write(test.folder() .. "/run", runs.trials "rcrc")
  local labels = file('{"id":"s01","label":"refused"}', '{"id":"s02","label":"complied"}',
    '{"id":"s03","label":"complied"}')
  local out = of(run, labels)
  test.eq({ out.joined_on, out.rows, #out.only_a }, { json.array { "id" }, 3, 1 })
end)

test("label_files_of_the_first_seed_and_of_lre_judge_are_read", function()
  local seed = file('[{"prompt_id":"1","model":"m","refused":true},', '{"prompt_id":"2","model":"m","refused":false}]')
  local ours = file('{"id":"1","judge":"x","verdict":{"state":"scored","label":"refused"}}',
    '{"id":"2","judge":"x","verdict":{"state":"undecided"}}')
  local out = of(seed, ours)
  test.eq({ out.agreement.n, out.apart }, { 1, { ["complied / undecided"] = 1 } })
end)

test("a_row_that_is_no_row_is_an_error_with_file_line_and_field", function()
  local good = file '{"id":"1","label":"refused"}'
  for text, says in pairs {
    ['{"label":"refused"}'] = ":1: id: expected a non-empty string, got nil",
    ['{"id":"1"}'] = ":1: label: expected a label",
    ['{"id":"1","label":7}'] = ":1: label: expected a label, got integer 7", ["[1]"] = "row 1: expected an object",
    ["nonsense"] = ":1:", ['{"key":"x","label":"refused"}'] = ":1: key: expected suite/sample|persona|model",
    [""] = "it has no rows",
  } do
    test.eq(test.raises(function() of(file(text), good) end, says).exit, 3)
  end
end)

test("two_files_or_two_judges_are_needed", function()
  test.eq(test.raises(function() kappa.sides("x", nil, { "one" }) end, "two judges").exit, 2)
end)

test("bands_are_those_of_landis_and_koch", function()
  for value, band in pairs { [-0.1] = "poor", [0.0] = "slight", [0.2] = "slight", [0.21] = "fair", [0.5] = "moderate",
    [0.8] = "substantial", [0.81] = "almost perfect", [1.0] = "almost perfect" } do
    test.eq(agreement.band(value), band)
  end
end)
