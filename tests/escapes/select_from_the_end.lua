-- expect: label contained
return {
  judge = function()
    return select("#", nil, nil) == 2 and select(-1, 1, 2) == 2 and not pcall(select, -3, 1, 2) and "contained" or "?"
  end,
}
