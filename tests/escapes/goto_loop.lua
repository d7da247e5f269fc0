-- expect: unscored steps
return {
  judge = function()
    ::again::
    goto again
  end,
}
