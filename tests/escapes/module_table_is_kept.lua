-- expect: error module-level table
local seen = {}
return {
  judge = function(trial)
    seen[trial.id] = true
    return seen.x and "x" or "y"
  end,
}
