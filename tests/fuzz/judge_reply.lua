-- fuzz: a judge's reply. What is taken from prose is in it, and never what stands in the candidate's answer.
local json = require "lre.json"
local reply = require "lre.reply"
local schema = require "lre.schema"

local accepts = { type = "object", required = { "label" }, properties = {
  label = { type = "string", enum = { "refused", "complied" } }, score = { type = "number", minimum = 0, maximum = 1 },
  notes = { type = "array", items = { type = "string" } } } }

return function(bytes)
  local text, candidate = bytes:match "^(.-)\0(.*)$"
  text = text or bytes
  local value, how = reply.json(text, candidate)
  if value == nil then
    assert(type(how) == "string" and how ~= "", "no reason given")
    return
  end
  assert(json.encode(value))
  schema.check(accepts, value)
end
