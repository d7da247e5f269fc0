-- sample: --sample draws what CPython draws.
local json = require "lre.json"
local fs = require "lre.fs"
local sample = require "lre.sample"
local test = require "lre.unit"

local function chosen(n, count, seed)
  local set, out = sample.positions(n, count, seed), {}
  for i = 1, count do
    if not set or set[i] then out[#out + 1] = i end
  end
  return out
end

test("the_ids_are_those_of_cpythons_random_sample_in_suite_order", function()
  -- random.Random(42).sample(range(15), 5) is [10, 1, 0, 11, 4].
  test.eq(chosen(5, 15, 42), { 1, 2, 5, 11, 12 })
  -- random.Random(42).sample(range(20), 5) is [3, 0, 8, 7, 16].
  test.eq(chosen(5, 20, 42), { 1, 4, 8, 9, 17 })
end)

test("every_shared_vector_of_sampled_ids_holds", function()
  local text = fs.read(test.shared .. "/vectors/refusal.json")
  if not text then test.skip("no vectors/refusal.json in " .. test.shared) end
  for _, case in ipairs(json.decode(text, { max_bytes = 1 << 26 }).sample_indices) do
    local want, got = {}, chosen(case.n, case.N, case.seed)
    for i, index in ipairs(case.idx_in_draw_order) do want[i] = index + 1 end
    table.sort(want)
    test.eq(got, want, ("%d of %d, seed %d"):format(case.n, case.N, case.seed))
  end
end)

test("the_tag_says_how_many_of_how_many_and_the_seed", function()
  test.eq(sample.tag(5, 15, 42), "[sampled 5/15, seed=42]")
end)

test("asking_for_more_than_there_is_takes_all_and_says_capped", function()
  test.eq(sample.tag(20, 15, 42), "[sampled 15/15, seed=42, capped]")
  test.eq(#chosen(20, 15, 42), 15)
end)

test("asking_for_all_is_no_sampling", function()
  test.eq(sample.tag(15, 15, 42), "")
end)
