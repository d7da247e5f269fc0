-- lre kappa A B: how far two judges (or people) agree on the same answers.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local kappa = require "lre.kappa"

local command = {
  name = "kappa",
  summary = "Agreement of two judges or label files: Cohen's kappa, the table, both marginals.",
  epilog = "A and B are folders of runs or files of labels: { id | key, label }, { id, verdict } as `lre judge` writes "
    .. "them, or the first seed's { prompt_id, refused }. One run and two judges: lre kappa RUN --judge x --judge y.",
}

function command.options(parser)
  parser:argument("a", "Folder of a run, or a file of labels.")
  parser:argument("b", "The same."):args "?"
  defaults.add(parser, "kappa")
end

function command.run(args)
  defaults.apply(args, "kappa")
  local x, y = kappa.sides(args.a, args.b, args.judge)
  local out = kappa.of(x, y, { confidence = args.confidence, strict = args.strict })
  cli.out(args.json and kappa.json(out) or kappa.text(out))
  return 0
end

return command
