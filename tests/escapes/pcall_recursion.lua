-- expect: label contained
return {
  judge = function()
    local function f() local ok = pcall(f) return ok end
    f()
    return "contained"
  end,
}
