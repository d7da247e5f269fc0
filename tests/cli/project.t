A project's own folders are found beside the installed ones: one file each.

  $ mkdir suites judges adapters personas reports
  $ printf '%s\n' '# Two invented questions.' '{"id":"a","text":"one"}' '{"id":"b","text":"two"}' > suites/mine.jsonl
  $ cat > judges/shout.lua <<'END'
  > return require "lre".judge {
  >   name = "shout", version = "1", kind = "rule", labels = { "loud", "quiet" }, summary = "is it loud?",
  >   judge = function(_, response) return { label = response.text:find "!" and "loud" or "quiet" } end,
  >   metrics = { loud_rate = { rate = "loud", of = { "loud", "quiet" } } },
  >   examples = { { response = "Hey!", label = "loud" }, { response = "Hm.", label = "quiet" } },
  > }
  > END
  $ cat > adapters/parrot.lua <<'END'
  > return require "lre".adapter {
  >   name = "parrot", summary = "says it again",
  >   call = function(_, messages) return { text = messages[#messages].content .. "!", finish_reason = "stop" } end,
  > }
  > END
  $ printf 'return require "lre".persona { name = "calm", intent = "be calm", system = "Stay calm." }\n' > personas/calm.lua
  $ cat > reports/count.lua <<'END'
  > return require "lre".report {
  >   name = "count", summary = "how many rows",
  >   render = function(results) return #results.rows .. " rows\n" end,
  > }
  > END
  $ for kind in suites judges adapters personas reports; do lre list $kind | grep project | tr -s " "; done
  mine Two invented questions. suites/mine.jsonl (project)
  shout is it loud? judges/shout.lua (project)
  parrot says it again adapters/parrot.lua (project)
  calm be calm personas/calm.lua (project)
  count how many rows reports/count.lua (project)
  $ lre test shout
  OK judges/shout.lua: 2 of 2 examples pass
  $ lre lint mine judges/shout.lua adapters/parrot.lua personas/calm.lua reports/count.lua
  OK: mine (2 samples, hash ea9ae6089d9794a1)
  judges/shout.lua: error: expected a suite: the script must end with `return lre.suite { ... }`, got one made by lre.judge
  adapters/parrot.lua: error: expected a suite: the script must end with `return lre.suite { ... }`, got one made by lre.adapter
  personas/calm.lua: error: expected a suite: the script must end with `return lre.suite { ... }`, got one made by lre.persona
  reports/count.lua: error: expected a suite: the script must end with `return lre.suite { ... }`, got one made by lre.report
  [1]
  $ lre run --model parrot/polly --suite mine --judge shout --persona none,calm --run-id one
  model    parrot/polly: adapter parrot (by the name's first part), id polly
  suite    mine: 2 of 2 samples, sha256 ea9ae6089d9794a1
  personas none, calm
  judges   shout
  run      runs/one
  trials   4, 16 in flight
  | Model | Suite | Persona | Total | Loud | Quiet | Undecided | Unscored | Filtered | Errors | Loud rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|---|
  | parrot/polly | mine | calm | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.342, 1.000] |
  | parrot/polly | mine | none | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.342, 1.000] |
  
  Loud rate (judge shout): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  results  runs/one/results.json
  cache    off: 0 hits, 4 misses, 0 writes; 0 retries
  $ cat > count.lua <<'END'
  > local run = require "lre".experiment { suites = { "mine" }, models = { "parrot/polly" }, judges = { "shout" },
  >   run_id = "two", quiet = true }:run()
  > io.write(run:report "count")
  > END
  $ lre script count.lua
  1 rows

From another folder they are found by --path or LRE_PATH.

  $ mkdir elsewhere
  $ (cd elsewhere && lre list suites | grep -c mine)
  0
  [1]
  $ (cd elsewhere && lre list suites --path .. | grep mine | tr -s " ")
  mine Two invented questions. ../suites/mine.jsonl (--path)
  $ (cd elsewhere && LRE_PATH=.. lre list suites | grep mine | tr -s " ")
  mine Two invented questions. ../suites/mine.jsonl ($LRE_PATH)
  $ (cd elsewhere && LRE_PATH=$PWD/..:/nonexistent lre test shout)
  OK $TMP/elsewhere/../judges/shout.lua: 2 of 2 examples pass

The user's own.

  $ mkdir -p config/lre/judges; sed 's/shout/yell/' judges/shout.lua > config/lre/judges/yell.lua
  $ XDG_CONFIG_HOME=$PWD/config lre list judges | grep yell | tr -s " "
  yell is it loud? $TMP/config/lre/judges/yell.lua (user)

A name in two folders is an error that shows both; --path decides.

  $ printf '%s\n' '{"id":"a","text":"one"}' > suites/harmful_helpful.jsonl
  $ lre run --model fake/a --suite harmful_helpful
  lre: two files are the suite "harmful_helpful"; give the path of one, or its folder with --path:
    suites/harmful_helpful.jsonl (project)
    $LRE/suites/harmful_helpful.jsonl (installed)
  [3]
  $ lre lint harmful_helpful --path .
  OK: harmful_helpful (1 sample, hash e67ba45bd44aa47e)
  $ lre lint ./suites/harmful_helpful.jsonl
  OK: ./suites/harmful_helpful.jsonl (1 sample, hash e67ba45bd44aa47e)

A file in the working directory is no name.

  $ printf '%s\n' '{"id":"a","text":"one"}' > here.jsonl
  $ lre lint here
  here: error: unknown suite "here". There is: alignment, harmful_helpful, harmful_helpful, jailbreak_styles, mine, pushback, refusal_calibration, rent
  Searched in:
    suites (project)
    $TMP.home/.config/lre/suites (user)
    $LRE/suites (installed)
  A file is given by a path with a slash: ./here
  [1]
  $ lre lint here.jsonl
  OK: here.jsonl (1 sample, hash e67ba45bd44aa47e)

A broken file is listed as broken and hides nothing.

  $ echo 'return {' > judges/broken.lua
  $ lre list judges | tr -s " " | grep -e broken -e shout
  broken broken: judges/broken.lua:2: unexpected symbol near <eof> judges/broken.lua (project)
  shout is it loud? judges/shout.lua (project)
