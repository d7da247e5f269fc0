-- expect: label contained
return {
  judge = function(trial, response)
    trial.seen = true
    response.text = nil
    return "contained"
  end,
}
