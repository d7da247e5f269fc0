-- expect: unscored regex
return {
  judge = function()
    local regex = require "lre.regex"
    pcall(function() return regex.new("^(a+)+$"):find(("a"):rep(60) .. "b") end)
    return "no match"
  end,
}
