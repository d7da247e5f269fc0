-- expect: unscored impure
local rows = 0
return {
  judge = function()
    rows = rows + 1
    return "x"
  end,
}
