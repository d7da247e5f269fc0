-- expect: label contained
return {
  judge = function()
    local mt = getmetatable("")
    return not mt and not pcall(setmetatable, "", {}) and "contained" or "?"
  end,
}
