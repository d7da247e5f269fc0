-- expect: label contained
return {
  judge = function()
    local json = require "lre.json"
    local list = json.decode("[1]")
    local _, err = json.decode("[")
    return getmetatable(list) == nil and type(getmetatable(err)) ~= "table" and "contained" or "?"
  end,
}
