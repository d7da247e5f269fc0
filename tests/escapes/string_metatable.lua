-- expect: label contained
return {
  judge = function(trial, response)
    local mt = getmetatable("")
    return not mt and not pcall(setmetatable, "", {}) and "contained" or "?"
  end,
}
