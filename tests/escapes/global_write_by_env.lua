-- expect: error set the global
return {
  judge = function()
    _ENV.leak = 1
  end,
}
