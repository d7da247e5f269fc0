-- expect: unscored memory
return {
  judge = function()
    local function f() return 1 + f() end
    return { value = f() }
  end,
}
