-- expect: unscored steps
return {
  judge = function(trial, response)
    ::again::
    goto again
  end,
}
