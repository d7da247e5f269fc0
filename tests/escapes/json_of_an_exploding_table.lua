-- expect: label contained
return {
  judge = function()
    local t = {}
    for _ = 1, 60 do t = { t, t } end
    return not require("lre.json").encode(t) and "contained" or "?"
  end,
}
