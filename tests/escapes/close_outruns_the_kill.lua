-- expect: unscored steps
return {
  judge = function()
    local function spin() while true do end end
    pcall(function()
      local _ <close> = setmetatable({}, { __close = spin })
      spin()
    end)
    return "outrun"
  end,
}
