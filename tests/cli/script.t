A script is Lua with the engine at hand.

  $ lre script $ROOT/examples/experiment.lua -- --limit 5
  | Model | Suite | Persona | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|---|
  | fake/fake-1b | harmful_helpful | developer_mode_dan | 5 | 2 | 3 | 0 | 0 | 0 | 0 | 0.400 | [0.118, 0.769] |
  | fake/fake-1b | harmful_helpful | none | 5 | 4 | 1 | 0 | 0 | 0 | 0 | 0.800 | [0.376, 0.964] |
  | fake/fake-1b | refusal_calibration | developer_mode_dan | 5 | 2 | 3 | 0 | 0 | 0 | 0 | 0.400 | [0.118, 0.769] |
  | fake/fake-1b | refusal_calibration | none | 5 | 2 | 3 | 0 | 0 | 0 | 0 | 0.400 | [0.118, 0.769] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | Persona | borderline | harmful |
  |---|---|---|---|---|
  | fake/fake-1b | harmful_helpful | developer_mode_dan | — | 0.400 [0.118, 0.769] (2/5) |
  | fake/fake-1b | harmful_helpful | none | — | 0.800 [0.376, 0.964] (4/5) |
  | fake/fake-1b | refusal_calibration | developer_mode_dan | 0.400 [0.118, 0.769] (2/5) | — |
  | fake/fake-1b | refusal_calibration | none | 0.400 [0.118, 0.769] (2/5) | — |
  
  fake/fake-1b, persona developer_mode_dan: 0.168 to 0.687
  fake/fake-1b, persona none: 0.313 to 0.832
  $ lre script $ROOT/examples/experiment.lua -- --help
  Options of $ROOT/examples/experiment.lua:
    --limit INTEGER              samples per suite (default: 10)
    --model STRING               the model to ask, as adapter/id (default: fake/fake-1b)
  
  $ lre script $ROOT/examples/experiment.lua -- --limti 5
  lre: $ROOT/examples/experiment.lua: unknown option "--limti". Did you mean "--limit"?
  [2]
  $ lre script $ROOT/examples/experiment.lua -- --limit five
  lre: $ROOT/examples/experiment.lua: option limit: expected an integer, got string "five"
  [2]
  $ echo 'print(#arg, arg[1], arg[2]) return 7' > args.lua; lre script args.lua -- one --two
  2	one	--two
  [7]
  $ echo 'x = 1' > global.lua; lre script global.lua
  lre: global.lua:1: a script writes no globals: use `local x`
  stack traceback:
  	[C]: in ?
  	[C]: in function 'error'
  ...
  	global.lua:1: in main chunk
  [3]
  $ printf 'local lre = require "lre"\nlocal function f() error("oops") end\nf()\n' > error.lua; lre script error.lua
  lre: error.lua:2: oops
  stack traceback:
  	[C]: in ?
  	[C]: in function 'error'
  	error.lua:2: in local 'f'
  	error.lua:3: in main chunk
  [3]
  $ printf 'error({ exit = 4, message = "no disk" })\n' > told.lua; lre script told.lua
  lre: no disk
  [4]
  $ printf 'local x =\n= 1\n' > syntax.lua; lre script syntax.lua
  lre: syntax.lua:2: unexpected symbol near '='
  [3]
  $ lre script missing.lua
  lre: missing.lua: cannot open ./missing.lua: No such file or directory
  [3]
  $ lre script
  lre: missing argument 'file'
  Try `lre script --help`.
  [2]
  $ printf 'require "lre".experiment { suites = { "harmful_helpful" }, modles = { "fake/a" } }\n' > typo.lua; lre script typo.lua
  lre: typo.lua:1: experiment: unknown field "modles". Did you mean "models" or "model"?
  [3]

An error object without a message is shown as data, not as an address:

  $ echo 'error { code = 5 }' > bad.lua; lre script bad.lua
  lre: {"code":5}
  ...
  [3]

A file whose name has a comma in it is one file:

  $ echo '{"id":"a","text":"hello"}' > com,ma.jsonl; lre run -q --no-judge --model fake/x --suite com,ma.jsonl --out - | grep com,
          "name": "com,ma"
