-- expect: error library table
return {
  judge = function()
    local library = _ENV.string
    library.leak = 1
  end,
}
