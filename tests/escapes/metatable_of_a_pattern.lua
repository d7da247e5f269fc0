-- expect: label contained
return {
  judge = function()
    local p = require("lre.regex").new("a")
    return type(getmetatable(p)) ~= "table" and p.__index == nil and "contained" or "?"
  end,
}
