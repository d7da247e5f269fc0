-- expect: unscored steps
return {
  judge = function()
    local regex = require "lre.regex"
    local kept = {}
    for i = 1, 1e6 do kept[i] = regex.new("(a|b)*c" .. i) end
    return { value = #kept }
  end,
}
