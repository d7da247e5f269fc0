-- lre validate --judge J: how well a judge agrees with labelled answers.
local answers = require "lre.answers"
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local validate = require "lre.validate"

local command = {
  name = "validate",
  summary = "Hold a judge against labelled answers: kappa, precision, recall, what it got wrong.",
  epilog = "Rows are { id, prompt?, response, label }. Exit codes: 0 done; 1 kappa is below --min-kappa or undefined; "
    .. "2 usage; 3 the data or the judge is invalid.",
}

function command.options(parser)
  defaults.add(parser, "validate")
end

local function data_of(opened, given)
  if given then return given end
  if not opened.validation then
    cli.fail(2, "judge %s brings no labelled set (`validation = FILE` in its file); give one with --data", opened.name)
  end
  return opened.validation
end

function command.run(args)
  defaults.apply(args, "validate")
  if #args.judge > 1 then cli.fail(2, "--judge: expected one judge, got %d", #args.judge) end
  local opened = answers.open_judge(args.judge[1] or "refusal", args, function(line) cli.note(cli.safe(line)) end)
  local positive, data = validate.positive(opened, args.positive), data_of(opened, args.data)
  local rows = answers.read(data, opened.labels)
  local out = validate.of(rows, answers.judge(opened, rows), { labels = opened.labels, positive = positive,
    confidence = args.confidence })
  out.judge, out.judge_hash, out.data = opened.name, opened.hash, args.data or data:match "[^/]*$"
  opened:close()
  cli.out(args.json and validate.json(out) or validate.text(out))
  local kappa = out.agreement.kappa
  if args.min_kappa and not (kappa and kappa.kappa >= args.min_kappa) then
    cli.note(("kappa %s: expected at least %g\n"):format(kappa and ("%.4f"):format(kappa.kappa) or "is undefined",
      args.min_kappa))
    return 1
  end
  return 0
end

return command
