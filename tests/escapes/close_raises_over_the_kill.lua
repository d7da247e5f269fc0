-- expect: unscored steps
return {
  judge = function(trial, response)
    pcall(function()
      local guard <close> = setmetatable({}, { __close = function() error("another") end })
      while true do end
    end)
    return "hidden"
  end,
}
