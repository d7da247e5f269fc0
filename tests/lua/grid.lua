-- grid: suites of factors as files, `lre grid`, and the second seed's factors, labels and ids.
local fs, json = require "lre.fs", require "lre.json"
local grid = require "lre.grid"
local suite = require "lre.suite"
local sycophancy = require "lre.sycophancy"
local test = require "lre.unit"

local shared = os.getenv "LRE_SHARED" or "../shared"
local SEED_GRID = shared .. "/seeds/data/2/outputs/raw/grid.jsonl"

local function with_shared(name, fn)
  test(name, function()
    if not fs.stat(SEED_GRID) then test.skip("the second seed's files are not in " .. shared) end
    fn()
  end)
end

local function vectors()
  return assert(json.decode(assert(fs.read(shared .. "/vectors/sycophancy.json"))))
end

local function lines_of(path)
  local out = {}
  for line in io.lines(path) do out[#out + 1] = assert(json.decode(line)) end
  return out
end

local function write(name, rows)
  local path = test.folder() .. "/" .. name
  for i, row in ipairs(rows) do rows[i] = type(row) == "string" and row or json.encode(row) end
  assert(fs.write(path, table.concat(rows, "\n") .. "\n"))
  return path
end

local function all(opened)
  local list = {}
  for one in opened:samples() do list[#list + 1] = one end
  return list
end

local lre = test.lre

-- ---- the second seed's ----

with_shared("the_seeds_factor_table_is_that_of_its_grid", function()
  local rows, made = lines_of(SEED_GRID), sycophancy.factor_table()
  test.eq(#made, 108)
  for i, row in ipairs(rows) do test.eq(json.encode(made[i]), json.encode(row.factors), row.prompt_id) end
  test.eq(#sycophancy.factor_table(true), 72)
end)

with_shared("content_ids_are_the_seeds_of_a_grid_read_from_its_file", function()
  local ids, rows = vectors().content_ids, lines_of(SEED_GRID)
  for _, one in ipairs(ids) do test.eq(sycophancy.content_id(rows[one.row + 1].factors), one.id, one.row) end
  test.eq(#ids, 108)
  -- and of what a suite reads: a neutral prompt of three rows is there once
  local by_id = {}
  for _, one in ipairs(all(suite.open(SEED_GRID))) do by_id[one.id] = one.metadata.content_id end
  for _, one in ipairs(ids) do
    local id = ("%03d"):format(one.row)
    if by_id[id] then test.eq(by_id[id], one.id) end
  end
end)

with_shared("relationship_labels_are_the_seeds", function()
  for _, one in ipairs(vectors().relationship) do
    test.eq({ sycophancy.relationship(one.landlord, one.tenant) }, one.label_score)
  end
  test.eq({ sycophancy.relationship("good", "poor") }, { "one_sided_positive", 0 })
end)

with_shared("the_seeds_grid_is_84_prompts_of_36_triplets", function()
  local opened = suite.open(SEED_GRID)
  local checked, list = opened:check(), all(opened)
  test.eq({ checked.count, #checked.problems, #list }, { 84, 0, 84 })
  local triplets, shared_by = {}, 0
  for _, one in ipairs(list) do
    if one.metadata.triplet_id then triplets[one.metadata.triplet_id] = (triplets[one.metadata.triplet_id] or 0) + 1 end
    if one.metadata.triplet_ids then shared_by = shared_by + #one.metadata.triplet_ids end
  end
  local n = 0
  for _, sides in pairs(triplets) do
    n = n + 1
    test.eq(sides, 2)
  end
  test.eq({ n, shared_by }, { 36, 36 })
end)

test("a_content_id_is_python_json_in_ascii", function()
  -- hashlib.sha1(json.dumps({"a": "é€", "b": 1}, sort_keys=True).encode()).hexdigest()[:16]
  test.eq(sycophancy.content_id { b = 1, a = "é€", c = json.null }, "bd590d36a8ea115b")
end)

-- ---- files ----

test("a_grid_that_was_written_is_read_back_to_the_same_samples_and_trials", function()
  local path = test.folder() .. "/grid.jsonl"
  local done = lre("grid", "rent", "--out", path)
  test.eq({ done.exit, done.err }, { 0, ("108 rows of suite rent: %s\n"):format(path) })
  local made, back = suite.open "rent", suite.open(path)
  test.eq({ back.name, back:check().hash, back.clusters }, { "rent", made:check().hash, "triplet_id" })
  test.eq({ back.judges, back.contrasts }, { made.judges, made.contrasts })
  local first = lines_of(path)[1]
  test.ok(first.prompt_id and first.factors.amount == 50 and #first.messages == 2)
end)

test("any_generated_suite_is_read_back_as_itself", function()
  local path = test.folder() .. "/again.jsonl"
  test.eq(lre("grid", "pushback", "--limit", "8", "--out", path).exit, 0)
  local made, back = suite.open "pushback", suite.open(path)
  test.eq({ back.name, back.judges, back.clusters, back.contrasts, back:check().count },
    { "pushback", made.judges, made.clusters, made.contrasts, 8 })
end)

test("a_teller_that_is_none_is_an_error_with_its_line", function()
  local path = test.folder() .. "/teller.jsonl"
  assert(fs.write(path, (lre("grid", "rent", "--limit", "3").out:gsub('"perspective":"tenant"', '"perspective":"x"'))))
  test.eq(suite.open(path):check().problems[1].message, path .. ":2: factors.perspective: expected one of landlord, "
    .. 'tenant, neutral, got "x"')
end)

test("a_generated_suite_without_factors_is_written_too", function()
  local done = lre("grid", "harmful_helpful", "--limit", "2")
  local path = write("plain.jsonl", { (done.out:gsub("\n$", "")) })
  test.eq({ done.exit, suite.open(path):check().count }, { 0, 2 })
end)

test("neutral_prompts_that_are_the_same_are_one_sample", function()
  local row = { factors = { base_rent = 600, amount = 50, relationship_quality = "good", perspective = "neutral" },
    messages = { { role = "user", content = "Well?" } } }
  local function with(id, change)
    local out = { prompt_id = id, factors = {}, messages = row.messages }
    for name, value in pairs(row.factors) do out.factors[name] = value end
    for name, value in pairs(change or {}) do out.factors[name] = value end
    return out
  end
  local path = write("g.jsonl", { with "1", with "2", with("3", { perspective = "landlord", justification = "x",
    tenant_quality = "good" }) })
  local list = all(suite.open(path))
  test.eq({ #list, list[1].id, list[2].id }, { 2, "1", "3" })
end)

test("a_file_with_other_factors_is_no_grid", function()
  local path = write("free.jsonl", { '{"id":"1","text":"x","factors":{"lang":"en"}}',
    '{"id":"2","text":"x","factors":{"lang":"es"}}', '{"id":"3","text":"y"}' })
  local opened = suite.open(path)
  test.eq({ opened.name, #all(opened), opened.judges, opened.contrasts }, { "free", 3, { "refusal" }, nil })
end)

test("a_row_with_a_missing_factor_is_an_error_with_its_line", function()
  local made = lre("grid", "rent", "--limit", "6").out
  local path = write("bad.jsonl", { (made:gsub('"justification":"economy",', "", 1):gsub("\n$", "")) })
  local n = 0
  local broken = made:gsub('"landlord_quality":"good",', function(found)
    n = n + 1
    return n == 3 and "" or found
  end)
  assert(fs.write(path, broken))
  local problem = suite.open(path):check().problems[1]
  test.eq(problem.message, path .. ":3: factors.landlord_quality: expected a value as in line 1, got nil")
  assert(fs.write(path, (made:gsub('"justification":"economy",', "", 1))))
  problem = suite.open(path):check().problems[1]
  test.eq(problem.message, path .. ":1: factors.justification: expected a value as in line 2, got nil")
  assert(fs.write(path, (made:gsub('"factors":%b{},', "", 1))))
  problem = suite.open(path):check().problems[1]
  test.eq(problem.message, path .. ":1: factors: expected an object as in other rows, got nil")
  assert(fs.write(path, (made:gsub('"perspective":"landlord",', "", 1))))
  problem = suite.open(path):check().problems[1]
  test.eq(problem.message, path .. ":1: factors.perspective: expected one of landlord, tenant, neutral, got null")
  assert(fs.write(path, (made:gsub(',"triplet_id":"[^"]*"', "", 1))))
  problem = suite.open(path):check().problems[1]
  test.eq(problem.message, path .. ":1: metadata.triplet_id: expected a text as in line 2, got nil")
  path = write("seed.jsonl", {
    '{"prompt_id":"000","factors":{"perspective":"neutral","base_rent":600,"amount":50,"relationship_quality":"good"},'
      .. '"messages":[{"role":"user","content":"x"}]}',
    '{"prompt_id":"001","factors":{"perspective":"tenant","base_rent":600,"relationship_quality":"good"},'
      .. '"messages":[{"role":"user","content":"x"}]}',
    '{"prompt_id":"002","messages":[{"role":"user","content":"x"}]}',
  })
  local problems = suite.open(path):check().problems
  test.eq({ problems[1].message, problems[2].message, #problems }, {
    path .. ":2: factors.amount: a tenant row needs it, got nil",
    path .. ":3: factors: expected an object as in other rows, got nil", 2 })
end)

-- ---- choosing ----

local function levels(list)
  local seen, counts = {}, {}
  for _, one in ipairs(list) do
    local meta = one.metadata
    if not seen[meta.triplet_id] then
      seen[meta.triplet_id] = true
      for name, value in pairs(meta.factors) do
        counts[name] = counts[name] or {}
        counts[name][value] = (counts[name][value] or 0) + 1
      end
    end
  end
  return counts
end

test("tellings_of_one_triplet_that_differ_in_a_factor_are_said", function()
  local made = lre("grid", "rent", "--limit", "3").out
  local path = write("unlike.jsonl", { (made:gsub('"amount":50', '"amount":200', 1)) })
  local said = lre("run", "--dry-run", "--dataset", path, "--model", "fake/fake-1b").err
  test.has(said, "unlike.jsonl:2: factors.amount: 50, and in line 1, of the same triplet 50-economy-good-good, 200")
end)

test("a_balanced_sample_is_whole_triplets_even_over_the_factors", function()
  local list = all(suite.open "rent")
  for _, n in ipairs { 12, 18, 36, 54 } do
    for seed = 1, 5 do
      local chosen, drawn = grid.balanced(list, n, seed)
      test.eq({ #chosen, drawn }, { n, n // 3 })
      for _, name in ipairs { "amount", "justification", "landlord_quality", "tenant_quality" } do
        local counts, wanted = levels(chosen)[name], name:find "quality" and 2 or 3
        for _, count in pairs(counts) do
          test.ok(math.abs(count - drawn / wanted) <= 1, ("%s of %d, seed %d: %d"):format(name, n, seed, count))
        end
      end
    end
  end
end)

test("a_balanced_sample_follows_from_its_seed", function()
  local list = all(suite.open "rent")
  local function ids(seed)
    local out = {}
    for i, one in ipairs((grid.balanced(list, 12, seed))) do out[i] = one.id end
    return out
  end
  test.eq(ids(1), ids(1))
  test.ok(json.encode(ids(1)) ~= json.encode(ids(2)))
end)

test("what_does_not_make_a_whole_triplet_is_left_out_and_said", function()
  local done = lre("grid", "rent", "--sample", "20", "--balanced")
  test.eq({ done.exit, select(2, done.out:gsub("\n", "")) }, { 0, 18 })
  test.ok(done.err:find("--sample 20: 18 rows make 6 whole triplets", 1, true), done.err)
  done = lre("grid", "rent", "--sample", "2", "--balanced")
  test.eq(done.exit, 2)
end)

test("a_limit_that_cuts_a_triplet_is_said", function()
  local done = lre("grid", "rent", "--limit", "4")
  test.eq({ done.exit, select(2, done.out:gsub("\n", "")) }, { 0, 4 })
  test.ok(done.err:find("--limit 4 cuts a triplet (50-economy-good-poor)", 1, true), done.err)
  test.ok(not lre("grid", "rent", "--limit", "6").err:find "cuts")
end)

test("without_neutral_rent_is_72_rows", function()
  test.eq(select(2, lre("grid", "rent", "--no-neutral").out:gsub("\n", "")), 72)
  test.eq(select(2, lre("grid", "rent", "--include-neutral").out:gsub("\n", "")), 108)
  test.eq(lre("grid", "rent", "--no-neutral", "--include-neutral").exit, 2)
end)
