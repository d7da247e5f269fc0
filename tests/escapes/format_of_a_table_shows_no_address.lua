-- expect: label contained
return {
  judge = function()
    local shown = ("%s|%10s|%s"):format({}, print, function() end) .. tostring({}) .. tostring(tostring)
    return not shown:find("0x") and "contained" or shown
  end,
}
