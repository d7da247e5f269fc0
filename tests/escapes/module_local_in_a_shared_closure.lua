-- expect: unscored impure
local function counter()
  local n = 0
  return function() n = n + 1 return n end
end
local count = counter()
return {
  judge = function() return { value = count() } end,
}
