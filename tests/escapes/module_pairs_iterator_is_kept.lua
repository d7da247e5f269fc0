-- expect: load is an iterator
local step = pairs({ 1, 2, 3 })
return {
  judge = function() return { value = step() } end,
}
