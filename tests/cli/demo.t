The demo: every bundled suite on two fake models. The same bytes on every machine.

  $ lre demo
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

It leaves nothing behind, and a second time gives the same bytes.

  $ ls -A
  $ lre demo > one; lre demo > two; cmp one two
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps

A sample of each suite carries its tag.

  $ lre demo --sample 5
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre demo --sample 5 --seed 7 | grep -c 'sampled 5/10, seed=7'
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  0
  [1]
  $ lre demo --sample 100 | sed -n 1,6p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps

The same as data.

  $ lre demo --json --sample 2 > demo.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ sed -n '1,40s/hash": "[0-9a-f]*"/hash": "..."/;1,40p' demo.json

The fake model's rate and name are the user's to choose; the seed's older flag means the same.

  $ lre demo --fake-refusal-rate 0 --model-name fake-3b | sed -n 3,6p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre demo --refusal-rate 1 | sed -n 3,5p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps

Flags out of their range are told the range; nothing runs.

  $ lre demo --sample 0
  lre: --sample: expected an integer of at least 1, got "0"
  Try `lre demo --help`.
  [2]
  $ lre demo --seed -1
  lre: --seed: expected an integer from 0 to 9007199254740992, got "-1"
  Try `lre demo --help`.
  [2]
  $ lre demo --fake-refusal-rate 1.5
  lre: --fake-refusal-rate: expected a number from 0 to 1, got "1.5"
  Try `lre demo --help`.
  [2]
  $ lre demo --fake-refusal-rate nan
  lre: --fake-refusal-rate: expected a number from 0 to 1, got "nan"
  Try `lre demo --help`.
  [2]
  $ lre demo --sample
  lre: option '--sample' requires an argument
  Try `lre demo --help`.
  [2]
  $ lre demo --smaple 5
  lre: unknown option '--smaple'
  Did you mean '--sample'?
  Try `lre demo --help`.
  [2]
  $ lre demo extra
  lre: too many arguments
  Try `lre demo --help`.
  [2]
  $ lre demo --log-level loud
  lre: --log-level: expected one of DEBUG, INFO, WARNING, ERROR, got "loud"
  Try `lre demo --help`.
  [2]
