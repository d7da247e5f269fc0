-- expect: unscored steps
return {
  judge = function(trial, response)
    while true do end
  end,
}
