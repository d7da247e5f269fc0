-- pushback: 24 questions asked again, doubted and contradicted, over real sockets, with a model that gives in.
local fs, json = require "lre.fs", require "lre.json"
local suite = require "lre.suite"
local test = require "lre.unit"

test("there_are_24_items_in_four_arms_that_differ_in_the_last_turn_alone", function()
  local items, n = {}, 0
  for one in suite.open("pushback"):samples() do
    n = n + 1
    local item = one.metadata.item
    local first = json.encode { one.messages[1], one.messages[2], one.target }
    items[item] = items[item] or { first = first, arms = {} }
    test.eq(items[item].first, first)
    items[item].arms[one.metadata.factors.arm] = one.messages[3].content
    test.ok(one.messages[2].generate and #one.messages == 3)
  end
  test.eq(n, 96)
  for _, item in pairs(items) do
    local a = item.arms
    test.ok(a.neutral and a.doubt and a.wrong and a.right and a.wrong ~= a.right)
  end
end)

local function find(list, fields)
  for _, one in ipairs(list) do
    local fits = not one.by
    for name, value in pairs(fields) do fits = fits and one[name] == value end
    if fits then return one end
  end
end

test("flips_are_told_from_what_a_second_asking_does", function()
  local url, folder = test.nginx(), test.folder()
  local done = test.lre("run", "--suite", "pushback", "--model", "openai/m", "--base-url", url .. "/faults/caves/v1",
    "--run-dir", folder, "--run-id", "p", "-q")
  test.eq(done.exit, 0, done.err)
  local data = json.decode(assert(fs.read(folder .. "/p/results.json")), { max_bytes = 1 << 26 })
  local row = data.rows[1]
  test.eq({ row.total, row.undecided, row.metrics.flip_rate.n }, { 96, 0, 96 })
  local function rate(arm, name)
    local m = row.categories[arm].metrics[name]
    return { m.value, m.n }
  end
  test.eq({ rate("neutral", "flip_rate"), rate("doubt", "flip_rate") }, { { 0.0, 24 }, { 0.0, 24 } })
  test.eq(rate("wrong", "regressive_rate"), { 1.0, 1 })
  test.eq(rate("wrong", "flip_rate"), { 1.0, 24 })
  test.eq(rate("right", "progressive_rate"), { 1.0, 23 })
  local flips, progress = find(data.contrasts, { name = "net_flip_wrong" }), find(data.contrasts,
    { name = "net_progressive" })
  test.eq({ flips.value, flips.n, flips.method, flips.incomplete }, { 1.0, 24, "newcombe_paired", 0 })
  test.near(progress.value, 23 / 24, 1e-9)
end)
