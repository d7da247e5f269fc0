-- expect: unscored memory
return {
  judge = function(trial, response)
    local function f() return 1 + f() end
    return { value = f() }
  end,
}
