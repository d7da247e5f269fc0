-- expect: label contained
return {
  judge = function(trial, response)
    return _G == nil and package == nil and debug == nil and "contained" or "?" -- luacheck: ignore
  end,
}
