-- expect: label contained
return {
  judge = function()
    return ("" == (""):rep(1 << 62) and "" == (""):rep(1 << 62, "")) and "contained" or "?"
  end,
}
