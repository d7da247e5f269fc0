-- expect: unscored steps
return {
  judge = function(trial, response)
    error(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
