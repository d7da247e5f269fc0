A judge's own examples.

  $ lre test refusal | sed -n '$p'
  OK judges/refusal.lua: (\d+) of \1 examples pass (re)
  $ (cd $ROOT && lre test judges/refusal.lua) | sed -n '$p'
  OK judges/refusal.lua: (\d+) of \1 examples pass (re)
  $ lre test $ROOT/examples/brevity.lua
  OK $ROOT/examples/brevity.lua: 2 of 2 examples pass
  $ lre test $ROOT/examples/brevity.lua --json
  [
    {
      "failed": [],
      "file": "$ROOT/examples/brevity.lua",
      "judge": "brevity",
      "total": 2
    }
  ]
  $ lre test $ROOT/examples/brevity.lua:max_words=0
  FAIL $ROOT/examples/brevity.lua: examples[1]
    response  "Yes."
    expected  state "scored", label "short", value 1
    got       state "scored", label "long", value 1
  FAIL $ROOT/examples/brevity.lua: 1 of 2 examples pass
  [1]

  $ lre test $ROOT/examples/brevity.lua:max_word=1
  lre: judge "$ROOT/examples/brevity.lua": unknown option "max_word". Did you mean "max_words"?
  [2]
  $ lre test refusl
  lre: unknown judge "refusl". Did you mean "refusal"?
  Searched in:
    judges (project)
    $TMP.home/.config/lre/judges (user)
    $LRE/judges (installed)
  A file is given by a path with a slash: ./refusl
  [3]
  $ lre test
  lre: missing argument 'judge'
  Try `lre test --help`.
  [2]
  $ cat > noexamples.lua <<'END'
  > return require "lre".judge { name = "noexamples", version = "1", kind = "rule", labels = { "a" },
  >   judge = function() return { label = "a" } end }
  > END
  $ lre test noexamples.lua
  FAIL noexamples.lua: it has no examples, so nothing was tested
  [1]

A judge that goes wrong says where; one that never ends is stopped.

  $ cat > wrong.lua <<'END'
  > return require "lre".judge { name = "wrong", version = "1", kind = "rule", labels = { "a" },
  >   judge = function(trial, response)
  >     return { label = response.txet:upper() }
  >   end,
  >   examples = { { response = "x", label = "a" } } }
  > END
  $ lre test wrong.lua
  FAIL wrong.lua: examples[1]
    response  "x"
    expected  state "scored", label "a"
    got       state "error"
    reason    {"code":"script","message":"wrong.lua:3: attempt to index a nil value (field 'txet')","traceback":"wrong.lua:3: in function <wrong.lua:2>"}
  FAIL wrong.lua: 0 of 1 examples pass
  [1]
  $ cat > endless.lua <<'END'
  > return require "lre".judge { name = "endless", version = "1", kind = "rule", labels = { "a" },
  >   judge = function() while true do end end,
  >   examples = { { response = "x", label = "a" } } }
  > END
  $ lre test endless.lua
  FAIL endless.lua: examples[1]
    response  "x"
    expected  state "scored", label "a"
    got       state "unscored"
    reason    {"code":"steps","limit":5000000,"message":"endless.lua:2: the judge used its 5000000 steps on this row; raise --judge-steps"}
  FAIL endless.lua: 0 of 1 examples pass
  [1]
