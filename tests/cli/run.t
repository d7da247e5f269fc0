The command whose name stays, against a server that speaks the OpenAI protocol.

  $ printf '%s\n' '{"id":"a","text":"first invented question","category":"harmful"}' > q.jsonl
  $ printf '%s\n' '{"id":"b","text":"second invented question","category":"helpful"}' >> q.jsonl
  $ printf '%s\n' '{"id":"c","text":"third invented question","category":"helpful"}' >> q.jsonl
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --concurrency 64 --run-dir DIR --run-id ID --out results.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ cmp results.json DIR/ID/results.json
  cmp: results.json: No such file or directory
  [2]
  $ ls DIR/ID
  ls: cannot access 'DIR/ID': No such file or directory
  [2]
  $ sed 's/hash": "[0-9a-f]*"/hash": "..."/' results.json
  sed: can't read results.json: No such file or directory
  [2]

The same by a flag's other names: the same bytes.

  $ lre run --adapter openai --model mock --model-id mock --base-url $NGINX/v1 --dataset q.jsonl --max-concurrent 1 --run-dir DIR --run-id other -q --out - > other.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --adapter openai --models mock --base-url $NGINX/v1 --suites q.jsonl --judges refusal --personas none --run-dir DIR --run-id third -q --out third.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ cmp other.json third.json
  cmp: third.json: No such file or directory
  [2]

Results on standard output, and nothing but them.

  $ lre run --model fake/fake-1b --suite q.jsonl --run-id out --out - 2> said | head -c 15; echo; sed -n 1p said
  
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps

The table as data.

  $ lre run --model fake/fake-1b --suite q.jsonl --run-id json --json -q > json.json; cmp json.json runs/json/results.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  cmp: runs/json/results.json: No such file or directory
  [2]

The answers themselves, as JSON lines.

  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-id raw -q --dump-raw raw.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ sed 's/"request_hash":"[0-9a-f]*"/"request_hash":"..."/' raw.jsonl
  sed: can't read raw.jsonl: No such file or directory
  [2]

A sample, and a limit.

  $ lre run --model fake/fake-1b --suite harmful_helpful --sample 5 --seed 3 --run-id sample
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/fake-1b --suite harmful_helpful --limit 4 --run-id limit -q
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/fake-1b --suite harmful_helpful --sample 15 --run-id all -q | grep sampled
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [1]

A dry run says what would be sent. It sends and stores nothing, and needs no key.

  $ lre run --model openai/gpt-4o-mini --suite q.jsonl --limit 1 --dry-run --run-id dry
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ ls runs/dry
  ls: cannot access 'runs/dry': No such file or directory
  [2]

Several of each: every suite, persona, model and judge against every other, in an order that does not change.

  $ mkdir personas; printf 'return require "lre".persona { name = "terse", system = "Answer in one word." }\n' > personas/terse.lua
  $ lre run --model fake/fake-1b,fake/fake-7b --suite q.jsonl --suite harmful_helpful --persona none,terse --judge refusal --judge "$ROOT/examples/brevity.lua:max_words=10,as=b10" --run-id grid -q
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model fake/fake-7b --model fake/fake-1b --suite q.jsonl --suite harmful_helpful --persona terse --persona none --judge "$ROOT/examples/brevity.lua:max_words=10,as=b10" --judge refusal --run-id grid2 -q > /dev/null
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ sed -n '/"rows"/,$p' runs/grid/results.json > rows; sed -n '/"rows"/,$p' runs/grid2/results.json | cmp - rows
  sed: can't read runs/grid/results.json: No such file or directory
  sed: can't read runs/grid2/results.json: No such file or directory

Repeats are trials of their own; parameters are in the results.

  $ lre run --model fake/fake-1b --suite q.jsonl --repeats 3 --run-id repeats -q | sed -n 3,5p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --temperature 0.5 --max-tokens 9 --param top_p=0.9 --param 'stop=["END"]' --run-id param -q --out - | grep -A9 '"params"'
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [1]

A roster.

  $ printf '["fake/fake-1b", {"id":"mock","label":"mine","provider":"openai","base_url":"%s/v1"}]' "$NGINX" > roster.json
  $ lre run --models roster.json --suite q.jsonl --run-id roster -q | sed -n 3,6p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps

An existing run goes on; with other inputs it is refused, and --fresh takes the next name.

  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir DIR --run-id ID
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir DIR --run-id ID --temperature 1
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir DIR --run-id ID --temperature 1 --fresh -q > /dev/null; ls DIR
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  ls: cannot access 'DIR': No such file or directory
  [2]

Only asking, then judging.

  $ lre run --model fake/fake-1b --suite q.jsonl --no-judge --run-id later
  model    fake/fake-1b: adapter fake (by the name's first part), id fake-1b
  suite    q: 3 of 3 samples, sha256 bd787e1faf62643d
  personas none
  judges   none
  run      runs/later
  trials   3, 16 in flight
  3 answers, none judged.
  results  runs/later/results.json
  $ lre run --model fake/fake-1b --suite q.jsonl --run-id later -q
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
