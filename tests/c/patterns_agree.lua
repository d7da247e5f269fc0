-- What string.find, match, gmatch and gsub of the state it runs in give for generated patterns: batch `seed` as text.
-- test_vm_sandbox.c runs it in a plain Lua state and in a sandbox; the two texts must be the same.
return function(seed)
  local state = seed * 2654435761 % 4294967296
  local function below(n)
    state = (state * 1664525 + 1013904223) % 4294967296
    return (state >> 16) % n
  end
  local function pick(list) return list[below(#list) + 1] end

  local singles = { "a", "b", "c", ".", "%a", "%d", "%s", "%w", "%p", "%u", "%l", "%x", "%c", "%g",
    "%A", "%D", "%S", "%W", "%P", "%.", "%%", "%-", "[abc]", "[^abc]", "[a-c]", "[%a_]", "[^%s]", "[]]", "[^]a]",
    "[a-]", "[-a]", "[%-a]", "[a%]]", "[%d%.]", "[^%W]", "\0", "[%z]", "[\0-\31]", "\xe9", "[\x80-\xff]", "-", "]",
    "%]", ",", "$a", "^" }
  local repeats = { "", "", "", "*", "+", "-", "?" }
  local others = { "%b()", "%bab", "%baa", "%f[%w]", "%f[^%w]", "%f[%z]", "()", "$" }
  local pieces = { "a", "b", "c", "ab", "abc", " ", "  ", "1", "42", "(", ")", "((a)b)", "_", "-", ".", "%", "\0",
    "\n", "A", "Bc", "\xe9", "\xc3\xa9", "]", "^", "$", "aaa", "hello world", "x = 1" }

  local function pattern()
    local out, open, captures = { below(8) == 0 and "^" or "" }, {}, 0
    for _ = 1, below(5) + 1 do
      local what = below(12)
      if what == 0 and captures < 4 then
        captures = captures + 1
        open[#open + 1] = captures
        out[#out + 1] = "("
      elseif what == 1 and #open > 0 then
        open[#open] = nil
        out[#out + 1] = "a)"
      elseif what == 2 then
        local other = pick(others)
        if other == "()" then captures = captures + 1 end
        out[#out + 1] = other
      elseif what == 3 and captures > 0 and #open == 0 then
        out[#out + 1] = "%" .. below(captures) + 1
      else
        out[#out + 1] = pick(singles) .. pick(repeats)
      end
    end
    for _ = 1, #open do out[#out + 1] = ")" end
    if below(8) == 0 then out[#out + 1] = "$" end
    return table.concat(out)
  end

  local function subject()
    local out = {}
    for i = 1, below(7) do out[i] = pick(pieces) end
    return table.concat(out)
  end

  local lines = {}
  local function note(name, ok, ...)
    local line = { name }
    for i = 1, select("#", ...) do line[i + 1] = ok and tostring((select(i, ...))) or "error" end
    lines[#lines + 1] = table.concat(line, "\1")
  end
  local function walk(s, p, init)
    local out = {}
    for a, b in s:gmatch(p, init) do
      out[#out + 1] = tostring(a) .. "," .. tostring(b)
      if #out > 50 then break end
    end
    return table.concat(out, "\2")
  end

  for _ = 1, 40 do
    local p, s, init = pattern(), subject(), below(6) - 2
    lines[#lines + 1] = p .. "\1" .. s
    note("find", pcall(string.find, s, p, init))
    note("match", pcall(string.match, s, p, init))
    note("plain", pcall(string.find, s, p, init, true))
    note("gmatch", pcall(walk, s, p, init))
    note("gsub text", pcall(string.gsub, s, p, "<%0>%%"))
    note("gsub one", pcall(string.gsub, s, p, "[%1]", below(3)))
    note("gsub table", pcall(string.gsub, s, p, { a = "A", b = 1, [1] = "one", [""] = false }))
    note("gsub function", pcall(string.gsub, s, p, function(a, b)
      return b and tostring(a) .. tostring(b) or nil
    end))
  end
  return table.concat(lines, "\n")
end
