-- expect: unscored steps
return {
  judge = function()
    pcall(function()
      local _ <close> = setmetatable({}, { __close = function() error("another") end })
      while true do end
    end)
    return "hidden"
  end,
}
