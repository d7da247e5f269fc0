-- expect: unscored memory
return {
  judge = function(trial, response)
    local s = "x"
    while true do s = s .. s end
  end,
}
