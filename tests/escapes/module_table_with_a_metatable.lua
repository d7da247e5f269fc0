-- expect: load has a metatable
local seen = setmetatable({}, { __index = function() return 0 end })
return {
  judge = function() return seen.x and "x" end,
}
