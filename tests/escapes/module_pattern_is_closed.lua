-- expect: error non-closable
local p = require("lre.regex").new("a")
return {
  judge = function()
    local q <close> = p
    return q and "x"
  end,
}
