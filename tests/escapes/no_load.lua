-- expect: label contained
return {
  judge = function()
    local names = { "load", "loadstring", "loadfile", "dofile", "collectgarbage",
      "print", "os", "io", "debug", "coroutine", "package", "warn" }
    for _, name in ipairs(names) do
      if _ENV[name] ~= nil then return name end
    end
    return string.dump == nil and math.randomseed == nil and "contained" or "?"
  end,
}
