-- A provider that is a program: it is asked on stdin and answers on stdout, a JSON object each way.
--
--   lre run --adapter examples/adapter_program.lua --model echo --suite harmful_helpful
--
-- Put a copy into ./adapters to use it by name.
local lre = require "lre"

return lre.adapter {
  name = "program",
  summary = "asks a program on stdin and stdout",
  options = {
    program = { "examples/echo_model.sh", "program to run, with its path" },
    timeout = { 60.0, "seconds that it may take for one answer", min = 0.001 },
  },
  call = function(model, messages, params)
    local question = assert(lre.json.encode { model = model.id, messages = messages, params = params })
    local opt = model.options
    local done, err = lre.process.run { opt.program, input = question .. "\n", timeout = opt.timeout }
    if not done then return nil, err end
    if done.exit ~= 0 then
      return nil, { code = "exit", message = ("%s ended with status %s: %s"):format(opt.program, done.exit, done.err) }
    end
    local answer, bad = lre.json.decode(done.out)
    if not answer then return nil, bad end
    return { text = answer.text, finish_reason = answer.finish_reason or "stop", model = model.id }
  end,
}
