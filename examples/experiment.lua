-- An experiment: does a persona change how often a model refuses?
-- lre script examples/experiment.lua -- --limit 5
local lre = require "lre"
local opt = lre.options {
  limit = { 10, "samples per suite" },
  model = { "fake/fake-1b", "the model to ask, as adapter/id" },
}

local run = lre.experiment {
  suites = { "harmful_helpful", "refusal_calibration" },
  personas = { "none", "developer_mode_dan" },
  models = { opt.model },
  judges = { "refusal" },
  limit = opt.limit,
}:run()

print(run:report "md")
for _, cell in ipairs(run:cells { by = { "model", "persona" } }) do
  print(("%s, persona %s: %.3f to %.3f"):format(cell.model, cell.persona, cell.rate.low, cell.rate.high))
end
