-- expect: load syntax_error_names_the_line.lua:3
return {
  judge = function( return end,
}
