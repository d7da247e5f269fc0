-- expect: unscored regex
return {
  judge = function()
    local regex = require "lre.regex"
    return { value = regex.new("^(a+)+$"):find(("a"):rep(60) .. "b") }
  end,
}
