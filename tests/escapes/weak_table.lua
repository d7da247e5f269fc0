-- expect: error __mode
return {
  judge = function()
    setmetatable({}, { __mode = "k" })
  end,
}
