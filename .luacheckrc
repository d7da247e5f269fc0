std = "lua54"
max_line_length = 120
codes = true
files["lua/meta"] = { ignore = { "1..", "2..", "3..", "431" } } -- stubs: nothing is used there
