-- json: the results as they stand in results.json.
local lre = require "lre"
local json = require "lre.json"

return lre.report {
  name = "json",
  summary = "the results as canonical JSON",
  render = function(results)
    return assert(json.encode(results, 2))
  end,
}
