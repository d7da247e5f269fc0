-- expect: label contained
return {
  judge = function()
    local ok, s = pcall(string.format, "%99.99f", 1e308)
    return (not ok or #s < 1000) and not pcall(string.format, "%999d", 1) and "contained" or "?"
  end,
}
