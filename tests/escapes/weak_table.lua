-- expect: error __mode
return {
  judge = function(trial, response)
    setmetatable({}, { __mode = "k" })
  end,
}
