-- expect: label contained
return {
  judge = function()
    return _G == nil and package == nil and debug == nil and "contained" or "?" -- luacheck: ignore
  end,
}
