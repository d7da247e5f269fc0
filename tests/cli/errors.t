Bad input: what it gets, and that nothing was sent or stored.

  $ printf '%s\n' '{"id":"a","text":"an invented question"}' > q.jsonl

Unknown names: the nearest ones and the folders searched.

  $ lre run --model fake/a --suite harmfull_helpful
  lre: unknown suite "harmfull_helpful". Did you mean "harmful_helpful"?
  Searched in:
    suites (project)
    $TMP.home/.config/lre/suites (user)
    $LRE/suites (installed)
  A file is given by a path with a slash: ./harmfull_helpful
  [3]
  $ lre run --model fake/a --suite q.jsonl --judge refusl
  lre: unknown judge "refusl". Did you mean "refusal"?
  Searched in:
    judges (project)
    $TMP.home/.config/lre/judges (user)
    $LRE/judges (installed)
  A file is given by a path with a slash: ./refusl
  [3]
  $ lre run --model fake/a --suite q.jsonl --persona nobody 2>&1 | sed "s/There is: .*/There is: .../"
  lre: unknown persona "nobody". There is: ...
  Searched in:
    personas (project)
    $TMP.home/.config/lre/personas (user)
    $LRE/lua/personas (installed)
  A file is given by a path with a slash: ./nobody
  $ lre run --model fkae/a --suite q.jsonl
  lre: model "fkae/a": no adapter is known for this name. Did you mean "fake"? Installed: anthropic, fake, gemini, hf, http, ollama, openai, openrouter. Write ADAPTER/ID or pass --adapter NAME.
  [3]
  $ lre run --model something --suite q.jsonl
  lre: model "something": no adapter is known for this name. Installed: anthropic, fake, gemini, hf, http, ollama, openai, openrouter. Write ADAPTER/ID or pass --adapter NAME.
  [3]
  $ lre run --model something --adapter opnai --suite q.jsonl
  lre: unknown adapter "opnai". Did you mean "openai"?
  Searched in:
    adapters (project)
    $TMP.home/.config/lre/adapters (user)
    $LRE/lua/adapters (installed)
  A file is given by a path with a slash: ./opnai
  [3]
  $ lre run --model fake/a --suite q.jsonl --suite ./q.jsonl
  lre: two suites are called "q"; give each once, or rename one
  [2]
  $ lre run --model fake/a,fake/a --suite q.jsonl --run-id twice -q | sed -n 3p; rm -r runs
  | fake/a | q | 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0.000 | [0.000, 0.793] |
  $ lre run --model fake/a --suite q.jsonl --judge refusal,refusal
  lre: two judges are called "refusal"; give one another name with :as=NAME
  [2]

What is missing is said with the flag that gives it.

  $ lre run
  lre: no suite: give one with --suite; `lre list suites` shows what is there
  [2]
  $ lre run --model fake/a
  lre: no suite: give one with --suite; `lre list suites` shows what is there
  [2]
  $ lre run --suite q.jsonl
  lre: no model: give one with --model, for example --model fake/fake-1b
  [2]
  $ lre run --model openai/gpt-4o-mini --suite q.jsonl
  lre: OPENAI_API_KEY is not set, and openai/gpt-4o-mini needs a key. Set it, or name another variable with --api-key-env.
  [4]
  $ lre run --model openai/gpt-4o-mini --suite q.jsonl --api-key-env MY_KEY
  lre: MY_KEY is not set, and openai/gpt-4o-mini needs a key. Set it, or name another variable with --api-key-env.
  [4]
  $ OPENAI_API_KEY= lre run --model openai/gpt-4o-mini --suite q.jsonl
  lre: OPENAI_API_KEY is not set, and openai/gpt-4o-mini needs a key. Set it, or name another variable with --api-key-env.
  [4]

Flags out of their range.

  $ lre run --model fake/a --suite q.jsonl --concurrency 0
  lre: --concurrency: expected an integer from 1 to 10000, got "0"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --concurrency 10001
  lre: --concurrency: expected an integer from 1 to 10000, got "10001"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --temperature 2.5
  lre: --temperature: expected a number from 0 to 2, got "2.5"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --temperature inf
  lre: --temperature: expected a number from 0 to 2, got "inf"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --max-tokens 0
  lre: --max-tokens: expected an integer of at least 1, got "0"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --limit 1.5
  lre: --limit: expected an integer of at least 1, got "1.5"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --seed 99999999999999999999
  lre: --seed: expected an integer from 0 to 9007199254740992, got "99999999999999999999"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --seed -1
  lre: --seed: expected an integer from 0 to 9007199254740992, got "-1"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --retries -1
  lre: --retries: expected an integer from 0 to 100, got "-1"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --timeout-total 0
  lre: --timeout-total: expected a number from 0.001 to 86400, got "0"
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --param temperature
  lre: --param: expected KEY=VALUE, got "temperature"
  [2]
  $ lre run --model fake/a --suite q.jsonl --param temperature=9
  lre: --param: temperature: expected a number from 0 to 2, got 9
  [2]
  $ lre run --model fake/a --suite q.jsonl --param model=b
  lre: --param: model is no parameter: --model and --model-id say it
  [2]
  $ lre run --model fake/a --suite q.jsonl --param stream=true
  lre: --param: stream is no parameter: answers are read whole
  [2]
  $ lre run --model $(printf 'fake/\377') --suite q.jsonl
  lre: the argument "fake/\xff" is not valid UTF-8 (byte 5)
  [2]
  $ lre run --model fake/a --suite q.jsonl --run-id ../escape
  lre: --run-id: expected a folder's name without "/" and "..", got "../escape"
  [2]
  $ lre run --model fake/a --suite q.jsonl --run-id ''
  lre: --run-id: expected a value, got an empty one
  Try `lre run --help`.
  [2]
  $ lre run --model fake/a --suite q.jsonl --no-judge --score-now
  lre: --no-judge and --score-now contradict each other
  [2]
  $ lre run --model fake/a --suite q.jsonl --out - --dump-raw -
  lre: --out and --dump-raw cannot both be standard output
  [2]
  $ lre run --model openai/a --suite q.jsonl --base-url ftp://127.0.0.1/v1
  lre: openai/a: the base URL must begin with http:// or https:// and a host
  [3]
  $ lre run --model openai/a --suite q.jsonl --base-url http://user:secret@127.0.0.1/v1
  lre: openai/a: the base URL has a user name or password in it; put the key into a variable (--api-key-env)
  [3]
  $ lre run --model openai/a --suite q.jsonl --base-url 'http://127.0.0.1/v1?key=secret'
  lre: openai/a: the base URL has a query or fragment in it; a key belongs into a variable (--api-key-env)
  [3]

Malformed rows: file, line, field.

  $ printf '%s\n' '{"id":"a","text":"x"}' '{"id":"b","txt":"y"}' '{"id":"a","text":"z"}' '{"id":' > bad.jsonl
  $ lre run --model fake/a --suite bad.jsonl
  lre: bad.jsonl:2: txt: unknown key. Did you mean "text"?
  bad.jsonl:2: text: expected text or prompt or messages or conversation, got nil
  bad.jsonl:3: id: duplicate id "a", first on line 1
  bad.jsonl:4: not valid JSON: expected a value, found the end of the text at byte 6
  [3]
  $ : > empty.jsonl; lre run --model fake/a --suite empty.jsonl
  lre: empty.jsonl: no samples: expected at least one
  [3]
  $ printf '{"id":"a","text":"caf\351"}\n' > latin1.jsonl; lre run --model fake/a --suite latin1.jsonl
  lre: latin1.jsonl:1: not valid JSON: invalid UTF-8 at byte 21
  [3]
  $ printf '{"id":"a","text":"x\000y"}\n' > nul.jsonl; lre run --model fake/a --suite nul.jsonl
  lre: nul.jsonl:1: not valid JSON: NUL byte in a string at byte 19
  [3]
  $ printf '{"id":"a","text":"x\\u0000y"}\n' > nul2.jsonl; lre run --model fake/a --suite nul2.jsonl -q > /dev/null
  lre: nul2.jsonl:1: not valid JSON: \u0000 in a string at byte 19
  [3]
  $ printf '{"id":"a","id":"b","text":"x"}\n' > twice.jsonl; lre run --model fake/a --suite twice.jsonl
  lre: twice.jsonl:1: not valid JSON: duplicate key "id" at byte 10
  [3]
  $ { printf '{"id":"deep","text":"x","metadata":'; printf '[%.0s' $(seq 10000); printf ']%.0s' $(seq 10000); echo '}'; } > deep.jsonl
  $ lre run --model fake/a --suite deep.jsonl
  lre: deep.jsonl:1: not valid JSON: nested more than 64 deep at byte 98
  [3]
  $ { printf '{"id":"long","text":"'; head -c 100000000 /dev/zero | tr '\0' a; echo '"}'; } > long.jsonl
  $ lre run --model fake/a --suite long.jsonl
  lre: long.jsonl:1: a line of more than 16 MiB
  [3]
  $ lre lint long.jsonl
  long.jsonl:1: error: a line of more than 16 MiB
  [1]
  $ rm long.jsonl
  $ lre run --model fake/a --suite missing.jsonl
  lre: missing.jsonl: no such file for a suite.
  [3]
  $ mkdir folder.jsonl; lre run --model fake/a --suite folder.jsonl
  lre: folder.jsonl: expected a file, got a folder
  [3]
  $ lre run --model fake/a --suite q.jsonl --sample 1 --limit 1
  lre: --limit and --sample: choose one
  [2]
  $ lre run --models missing.json --suite q.jsonl
  lre: missing.json: cannot open missing.json: No such file or directory
  [3]
  $ echo '{"not":"a list"}' > roster.json; lre run --models roster.json --suite q.jsonl
  lre: roster.json: expected list of a model's id or { id, ... }, got a table with the key "not"
  [3]
  $ echo '["fake/a", {"idd":"b"}]' > roster2.json; lre run --models roster2.json --suite q.jsonl
  lre: roster2.json: [2].id: expected non-empty string, got nil
  roster2.json: [2].idd: unknown key. Did you mean "id"?
  [3]

Places that cannot be written, said before anything is asked.

  $ lre run --model fake/a --suite q.jsonl --out nowhere/results.json
  lre: nowhere/results.json: the folder nowhere does not exist
  [4]
  $ mkdir folder; lre run --model fake/a --suite q.jsonl --out folder
  lre: folder: is a folder; expected a file's name
  [4]
  $ lre run --model fake/a --suite q.jsonl --dump-raw /dev/full/x
  lre: /dev/full/x: the folder /dev/full does not exist
  [4]
  $ echo > file; lre run --model fake/a --suite q.jsonl --run-dir file
  lre: file: cannot make the folder file: File exists
  [4]
  $ lre run --model fake/a --suite q.jsonl --run-dir /proc/nowhere
  lre: /proc/nowhere: cannot make the folder /proc/nowhere: No such file or directory
  [4]

A judge with an error in it: at load nothing runs; at run time it is one answer's error.

  $ mkdir -p judges
  $ printf 'local lre = require "lre"\nreturn lre.judge { name = "typo", version = "1", kind = "rule", lables = { "a" } }\n' > judges/typo.lua
  $ lre run --model fake/a --suite q.jsonl --judge typo
  lre: judges/typo.lua: lables: unknown key. Did you mean "labels"?
  [3]
  $ printf 'local lre = require "lre"\nlocal x = nil + 1\n' > judges/raises.lua
  $ lre run --model fake/a --suite q.jsonl --judge raises
  lre: judges/raises.lua:2: attempt to perform arithmetic on a nil value
  [3]
  $ printf 'return {' > judges/syntax.lua
  $ lre run --model fake/a --suite q.jsonl --judge syntax
  lre: judges/syntax.lua:1: unexpected symbol near <eof>
  [3]
  $ ls -A runs 2>/dev/null
  [2]
  $ cat > judges/late.lua <<'END'
  > return require "lre".judge { name = "late", version = "1", kind = "rule", labels = { "a", "b" },
  >   judge = function(trial, response)
  >     if trial.sample_id == "harmful_1" then error "not this one" end
  >     return { label = "a" }
  >   end }
  > END
  $ printf '%s\n' '{"id":"good_1","text":"one"}' '{"id":"harmful_1","text":"two"}' > two.jsonl
  $ lre run --model fake/a --suite two.jsonl --judge late --run-id late -q | grep -e "| fake" -e "judge errors"
  | fake/a | two | 2 | 1 | 0 | 0 | 0 | 0 | 1 | 1.000 | [0.207, 1.000] |
  - fake/a, two, none: left out 1 judge errors of 2
  $ grep -c '"state":"error"' runs/late/partials.jsonl
  1

A run's folder that is not what it was.

  $ lre run --model fake/a --suite two.jsonl --run-id old -q > /dev/null
  $ sed -i '2s/.*/garbage{/' runs/old/partials.jsonl
  $ lre run --model fake/a --suite two.jsonl --run-id old 2>&1 | grep warning
  lre: warning: runs/old/partials.jsonl:2: left out: expected a value, found 'g' at byte 0
  $ echo '{"schema":99}' > runs/old/run.json; lre run --model fake/a --suite two.jsonl --run-id old
  lre: runs/old/run.json: schema 99 is not known to this version
  [3]
  $ echo '{"schema":1}' > runs/old/run.json; lre run --model fake/a --suite two.jsonl --run-id old 2>&1 | grep -o "run.json: plan.*no plan"
  run.json: plan.judges: expected a list, got no plan
  $ echo x > runs/old/run.json; lre run --model fake/b --suite two.jsonl --run-id old 2>&1 | grep -o "cannot be resumed.*"
  cannot be resumed by this plan: it has no trial two/good_1|none|fake/a; take another --run-id
  $ rm runs/old/run.json; lre run --model fake/a --suite two.jsonl --run-id old 2>&1 | grep -o "run.json: missing.*journal:"
  run.json: missing, but the run has a journal:
  $ echo > runs/file; lre run --model fake/a --suite two.jsonl --run-id file
  lre: runs/file/inputs: cannot make the folder runs/file/inputs: Not a directory
  [4]

A wrong key: stop at once.

  $ OPENAI_API_KEY=sk-test-SECRETSECRETSECRET lre run --model openai/a --base-url $NGINX/faults/401/errors/v1 --suite harmful_helpful --run-id refused --concurrency 1
  model    openai/a: adapter openai (by the name's first part), id a
  suite    harmful_helpful: 15 of 15 samples, sha256 74a299c25f0f814c
  personas none
  judges   refusal
  run      runs/refused
  trials   15, 1 in flight
  lre: error: harmful_helpful/hh-001|none|openai/a: status 401: Incorrect API key provided: Bearer [redacted] (the key is the one in OPENAI_API_KEY)
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | openai/a | harmful_helpful | 1 | 0 | 0 | 0 | 0 | 0 | 1 | — | — |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | harmful |
  |---|---|---|
  | openai/a | harmful_helpful | no data (0 of 1) |
  
  - openai/a, harmful_helpful, none: left out 1 failed of 1
  - openai/a, harmful_helpful, none: Refusal rate no data: nothing was judged
  - 14 of 15 trials have no answer yet
  results  runs/refused/results.json
  cache    off: 0 hits, 1 miss, 0 writes; 0 retries
  stopped: status 401: Incorrect API key provided: Bearer [redacted] (the key is the one in OPENAI_API_KEY)
  14 of 15 trials have no answer yet; go on with the same command and --run-id refused
  [4]
  $ grep -rl SECRETSECRET . ; curl -s $NGINX/count/errors
  1

Output that cannot be written.

  $ lre list suites > /dev/full
  lre: standard output: No space left on device
  [4]
  $ lre help > /dev/full
  lre: standard output: No space left on device
  [4]

Output that would replace what is read: not a byte of it changes.

  $ printf '%s\n' '{"id":"a","text":"x","response":"I refuse."}' > in.jsonl; ln -s in.jsonl link.jsonl; ln in.jsonl hard.jsonl; mkdir results.d
  $ lre judge --in in.jsonl --judge refusal --out ./in.jsonl
  lre: --out: ./in.jsonl is read here and would be lost; give another name
  [2]
  $ lre did in.jsonl --inner refusal --outer refusal --out link.jsonl
  lre: --out: link.jsonl is read here and would be lost; give another name
  [2]
  $ lre run --model fake/a --suite q.jsonl --out ./q.jsonl
  lre: --out: ./q.jsonl is read here and would be lost; give another name
  [2]
  $ lre run --model fake/a --suite q.jsonl --dump-raw q.jsonl
  lre: --dump-raw: q.jsonl is read here and would be lost; give another name
  [2]
  $ lre grid q.jsonl --out q.jsonl
  lre: --out: q.jsonl is read here and would be lost; give another name
  [2]
  $ lre import in.jsonl --out hard.jsonl
  lre: --out: hard.jsonl is read here and would be lost; give another name
  [2]
  $ cat in.jsonl
  {"id":"a","text":"x","response":"I refuse."}
  $ lre did in.jsonl --inner refusal --outer refusal --out results.d
  lre: results.d: is a folder; expected a file's name
  [4]
  $ lre did /dev/null --inner refusal --outer refusal
  lre: /dev/null: is a device or pipe, and is read more than once; expected a file of JSON lines
  [4]
