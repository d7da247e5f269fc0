-- expect: unscored steps
return {
  judge = function()
    local spin
    function spin(...) return spin(1, 2, 3, 4, 5, 6, 7, 8, ...) end
    return spin()
  end,
}
