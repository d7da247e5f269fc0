-- expect: error library table
return {
  judge = function()
    local p = require("lre.regex").new("a")
    local regex = require "lre.regex"
    regex.new = nil
    return p
  end,
}
