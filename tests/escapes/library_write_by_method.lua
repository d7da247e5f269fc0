-- expect: error library table
return {
  judge = function(trial, response)
    local library = _ENV.string
    library.leak = 1
  end,
}
