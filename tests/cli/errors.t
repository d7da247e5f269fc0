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
  $ lre run --model fake/a --suite q.jsonl --persona nobody
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fkae/a --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model something --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model something --adapter opnai --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/a --suite q.jsonl --suite ./q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/a,fake/a --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/a --suite q.jsonl --judge refusal,refusal
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

What is missing is said with the flag that gives it.

  $ lre run
  lre: no suite: give one with --suite; `lre list suites` shows what is there
  [2]
  $ lre run --model fake/a
  lre: no suite: give one with --suite; `lre list suites` shows what is there
  [2]
  $ lre run --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/gpt-4o-mini --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/gpt-4o-mini --suite q.jsonl --api-key-env MY_KEY
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ OPENAI_API_KEY= lre run --model openai/gpt-4o-mini --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

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
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
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
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/a --suite q.jsonl --base-url http://user:secret@127.0.0.1/v1
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/a --suite q.jsonl --base-url 'http://127.0.0.1/v1?key=secret'
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

Malformed rows: file, line, field.

  $ printf '%s\n' '{"id":"a","text":"x"}' '{"id":"b","txt":"y"}' '{"id":"a","text":"z"}' '{"id":' > bad.jsonl
  $ lre run --model fake/a --suite bad.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ : > empty.jsonl; lre run --model fake/a --suite empty.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ printf '{"id":"a","text":"caf\351"}\n' > latin1.jsonl; lre run --model fake/a --suite latin1.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ printf '{"id":"a","text":"x\000y"}\n' > nul.jsonl; lre run --model fake/a --suite nul.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ printf '{"id":"a","text":"x\\u0000y"}\n' > nul2.jsonl; lre run --model fake/a --suite nul2.jsonl -q > /dev/null
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ printf '{"id":"a","id":"b","text":"x"}\n' > twice.jsonl; lre run --model fake/a --suite twice.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ { printf '{"id":"deep","text":"x","metadata":'; printf '[%.0s' $(seq 10000); printf ']%.0s' $(seq 10000); echo '}'; } > deep.jsonl
  $ lre run --model fake/a --suite deep.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ { printf '{"id":"long","text":"'; head -c 100000000 /dev/zero | tr '\0' a; echo '"}'; } > long.jsonl
  $ lre run --model fake/a --suite long.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre lint long.jsonl
  long.jsonl:1: error: long.jsonl:1: line is over 16777216 bytes
  [1]
  $ rm long.jsonl
  $ lre run --model fake/a --suite missing.jsonl
  lre: missing.jsonl: no such file for a suite.
  [3]
  $ mkdir folder.jsonl; lre run --model fake/a --suite folder.jsonl
  lre: folder.jsonl: expected a file, got a folder
  [3]
  $ lre run --models missing.json --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ echo '{"not":"a list"}' > roster.json; lre run --models roster.json --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ echo '["fake/a", {"idd":"b"}]' > roster2.json; lre run --models roster2.json --suite q.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
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
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/a --suite q.jsonl --run-dir /proc/nowhere
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

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
  $ lre run --model fake/a --suite two.jsonl --judge late --run-id late -q
  | Model | Suite | Total | A | B | Left out | A rate | 95% CI |
  |---|---|---|---|---|---|---|---|
  | fake/a | two | 2 | 1 | 0 | 1 | 1.000 | [0.207, 1.000] |
  
  A rate (judge late): of the answers that the judge could label; `Left out` counts the rest. Intervals: Wilson, 95%.
  
  - fake/a, two, none: left out 1 judge errors of 2
  [1]
  $ grep -c '"state":"error"' runs/late/partials.jsonl
  1

A wrong key: stop at once.

  $ OPENAI_API_KEY=sk-test-SECRETSECRETSECRET lre run --model openai/a --base-url $NGINX/faults/401/errors/v1 --suite harmful_helpful --run-id refused --concurrency 1
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ grep -rl SECRETSECRET . ; curl -s $NGINX/count/errors
  0

Output that cannot be written.

  $ lre list suites > /dev/full
  lre: standard output: No space left on device
  [4]
  $ lre help > /dev/full
  lre: standard output: No space left on device
  [4]
