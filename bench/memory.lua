-- Peak memory of a generated suite run with the fake adapter: `lre script bench/memory.lua -- N DIR`.
local lre = require "lre"
local platform, fs = require "lre.platform", require "lre.fs"
local n, dir = math.tointeger(tonumber(arg[1])), arg[2]
assert(fs.mkdir(dir, true))
local suite = dir .. "/generated.lua"
assert(fs.write(suite, ([[
local lre = require "lre"
return lre.suite {
  name = "generated", version = "1",
  samples = function()
    return coroutine.wrap(function()
      for i = 1, %d do
        coroutine.yield { id = "s" .. i, messages = { { role = "user", content = "Question number " .. i } },
          category = i %% 2 == 0 and "helpful" or "harmful" }
      end
    end)
  end,
}
]]):format(n)))
lre.experiment { suites = { suite }, models = { "fake/fake-1b" }, run_dir = dir .. "/runs", quiet = true }:run()
print(("peak %d bytes"):format(platform.peak_memory()))
