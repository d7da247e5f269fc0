-- jsonl: a line a row of the results, as it stands in results.json.
local lre = require "lre"
local json = require "lre.json"

return lre.report {
  name = "jsonl",
  summary = "a JSON line a row",
  render = function(results)
    local lines = {}
    for i, row in ipairs(results.rows) do lines[i] = assert(json.encode(row)) .. "\n" end
    return table.concat(lines)
  end,
}
