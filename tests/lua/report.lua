-- report: sizes in names, tables.
local report = require "lre.report"
local json, fs = require "lre.json", require "lre.fs"
local test = require "lre.unit"

test("a_size_is_a_number_directly_before_b", function()
  for name, size in pairs { ["qwen-0.5b"] = 0.5, ["Qwen2-1.5B-Instruct"] = 1.5, ["fake-1b"] = 1, ["llama3.1 70 B"] = 70,
    ["meta-llama/Llama-3.1-8B"] = 8, ["fake/fake-7b"] = 7 } do
    test.eq(report.size(name) and report.size(name) + 0.0, size + 0.0, name)
  end
end)

test("the_last_size_in_a_name_counts", function()
  test.eq(report.size("qwen-1.5b-finetune-7b"), 7)
end)

test("millions_are_a_size_where_no_billions_are_said", function()
  test.eq({ report.size "bert-110m", report.size "SmolLM2-135M-Instruct", report.size "Qwen2.5-14B-Instruct-1M" },
    { 0.11, 0.135, 14 })
end)

test("what_only_looks_like_a_size_is_none", function()
  for _, name in ipairs { "gpt-4o-mini", "8bit-model", "mixtral-8x7b", "pro-1m", "b", "claude-3-haiku", "4-beta" } do
    test.eq(report.size(name), nil, name)
  end
end)

test("the_shared_sizes_hold_but_for_the_quirks_we_do_not_copy", function()
  local text = fs.read(test.shared .. "/vectors/refusal.json")
  if not text then test.skip("no vectors/refusal.json in " .. test.shared) end
  local quirks = { ["8bit-model"] = true, ["mixtral-8x7b"] = true, ["bert-110m"] = true }
  for name, size in pairs(json.decode(text, { max_bytes = 1 << 26 }).size_parse) do
    local want = size ~= json.null and size + 0.0 or nil
    local got = report.size(name)
    if not quirks[name] then test.eq(got and got + 0.0, want, name) end
  end
end)

local function results(change)
  local metric = { value = 0.5, n = 2, low = 0.1, high = 0.9, method = "wilson" }
  local row = { suite = "x", model = "fake-1b", persona = "none", judge = "refusal", total = 3, truncated = 0,
    filtered = 1, undecided = 0, unscored = 0, generation_errors = 0, judge_errors = 0,
    counts = { refused = 1, complied = 1 }, primary = "refusal_rate", metrics = { refusal_rate = metric },
    categories = { harmful = { counts = { refused = 1, complied = 1 }, metrics = { refusal_rate = metric } } } }
  for name, value in pairs(change or {}) do row[name] = value end
  return { rows = { row }, trials = { planned = 3, recorded = 3 }, inputs = { personas = { { name = "none" } },
    judges = { { name = "refusal", labels = { "refused", "complied" } } } } }
end

test("the_table_states_counts_rate_interval_and_what_was_left_out", function()
  local text = report.render("md", results())
  test.has(text, "| fake-1b | x | 3 | 1 | 1 | 0 | 0 | 1 | 0 | 0.500 | [0.100, 0.900] |")
  test.has(text, "left out 1 filtered of 3")
end)

test("categories_are_shown_with_k_of_n", function()
  test.has(report.render("md", results()), "0.500 [0.100, 0.900] (1/2)")
end)

test("nothing_judged_is_a_dash_never_zero", function()
  local none = { value = json.null, n = 0, low = json.null, high = json.null }
  local text = report.render("md", results { metrics = { refusal_rate = none }, categories = {} })
  test.has(text, "| — | — |")
end)

test("a_name_cannot_break_the_table_or_the_terminal", function()
  local text = report.render("md", results { model = "a|b\27[31m" })
  test.has(text, "a\\|b\\x1b[31m")
end)

test("trials_without_an_answer_are_told", function()
  local data = results()
  data.trials.recorded = 1
  test.has(report.render("md", data), "2 of 3 trials have no answer yet")
end)

test("scaling_orders_models_by_size_and_puts_those_without_last", function()
  local data = results()
  for _, name in ipairs { "fake-70b", "gpt-4o-mini", "fake-7b" } do
    data.rows[#data.rows + 1] = results({ model = name }).rows[1]
  end
  local order = {}
  for name in report.render("scaling", data):gmatch("\n| [%d.—]+ | (%S+)") do order[#order + 1] = name end
  test.eq(order, { "fake-1b", "fake-7b", "fake-70b", "gpt-4o-mini" })
end)
