-- expect: error read-only
local seen = {}
return {
  judge = function()
    rawset(seen, 1, 1)
    return "x"
  end,
}
