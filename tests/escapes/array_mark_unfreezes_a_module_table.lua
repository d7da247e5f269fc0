-- expect: error read-only
local seen = {}
return {
  judge = function()
    require("lre.json").array(seen)
    seen[1] = true
    return "x"
  end,
}
