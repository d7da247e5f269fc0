-- expect: load steps
while true do end
