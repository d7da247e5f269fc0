-- expect: unscored steps
return {
  judge = function(trial, response)
    local function spin() while true do end end
    pcall(function()
      local guard <close> = setmetatable({}, { __close = spin })
      spin()
    end)
    return "outrun"
  end,
}
