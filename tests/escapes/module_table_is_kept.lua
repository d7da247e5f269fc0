-- expect: error module-level table
local seen = {}
return {
  judge = function(trial)
    seen[trial.id] = true
    return "x"
  end,
}
