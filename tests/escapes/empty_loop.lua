-- expect: unscored steps
return {
  judge = function()
    while true do end
  end,
}
