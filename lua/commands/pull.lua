-- lre pull ID: fetches a checkpoint from Hugging Face's hub for the adapter hf.
local cli = require "lre.cli"
local defaults = require "lre.defaults"
local http = require "lre.http"
local json = require "lre.json"
local pull = require "lre.pull"

local command = {
  name = "pull",
  summary = "Fetch a model's checkpoint into Hugging Face's cache, to run it here with --adapter hf.",
  epilog = "The only command that downloads a model. What was fetched is kept when it stops; the same command goes on. "
    .. "HF_HOME, HF_HUB_CACHE, HF_ENDPOINT and HF_TOKEN mean what they mean to Hugging Face's own tools.",
}

function command.options(parser)
  parser:argument("id", "Model, as the hub calls it: Qwen/Qwen2-0.5B-Instruct.")
  defaults.add(parser, "pull")
end

-- A line a tenth of a large file, one for a small one.
local function teller(args)
  local told = {}
  return function(file, bytes)
    local tenth = file.size == 0 and 10 or bytes * 10 // file.size
    if not args.quiet and tenth > (told[file.name] or -1) and (file.size > 64 << 20 or bytes == file.size) then
      told[file.name] = tenth
      cli.note(("%s: %.1f of %.1f MB\n"):format(file.name, bytes / 1e6, file.size / 1e6))
    end
  end
end

function command.run(args)
  defaults.apply(args, "pull")
  http.configure { ca_file = args.ca_file, proxy = args.proxy }
  local got = pull.model(args.id, { revision = args.revision, progress = teller(args) })
  if args.json then
    cli.out(assert(json.encode(got, 2)))
  else
    cli.out(cli.safe(("%s: %s\nlre run --adapter hf --model %s --suite harmful_helpful\n"):format(args.id, got.folder,
      args.id)))
  end
  return 0
end

return command
