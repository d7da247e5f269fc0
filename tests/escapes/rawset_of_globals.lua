-- expect: error read-only
return {
  judge = function()
    rawset(_ENV, "leak", 1)
  end,
}
