-- engines: checkpoints that are open, once each, however many models and judges use them.
local infer = require "lre.infer"
local json = require "lre.json"

local engines = {}

local open = {}

---The engine of a folder. options: as infer.open. Waits while it reads.
---@param folder string
---@param options table
---@return lre.Engine? engine, lre.Error? err
function engines.open(folder, options)
  local key = folder .. "\0" .. assert(json.encode(options))
  if not open[key] then
    local engine, err = infer.open(folder, options)
    if not engine then return nil, err end
    open[key] = open[key] or engine
  end
  return open[key]
end

return engines
