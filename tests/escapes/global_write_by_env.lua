-- expect: error set the global
return {
  judge = function(trial, response)
    _ENV.leak = 1
  end,
}
