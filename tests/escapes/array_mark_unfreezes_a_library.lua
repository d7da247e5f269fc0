-- expect: error read-only
return {
  judge = function()
    require("lre.json").array(string)
    return "x"
  end,
}
