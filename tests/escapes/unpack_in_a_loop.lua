-- expect: unscored steps
return {
  judge = function()
    while true do pcall(table.unpack, {}, 1, 200000) end
  end,
}
