-- expect: label contained
return {
  judge = function(trial, response)
    local function f() local ok = pcall(f) return ok end
    f()
    return "contained"
  end,
}
