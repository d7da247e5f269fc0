-- expect: unscored result
return {
  judge = function()
    return { lable = "refused" }
  end,
}
