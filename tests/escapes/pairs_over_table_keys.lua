-- expect: error no fixed order
return {
  judge = function()
    for _ in pairs({ [{}] = 1, [{ 1 }] = 2 }) do end
  end,
}
