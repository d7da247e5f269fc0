std = "lua54"
max_line_length = 120
codes = true
files["lua/meta"] = { ignore = { "2..", "3..", "1.." } } -- stubs: nothing is used there
