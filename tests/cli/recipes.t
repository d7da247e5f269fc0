The README's commands, as they stand there. A server on loopback stands in for the reader's own.

  $ lre run --model openai/my-model --base-url $NGINX/v1 --suite harmful_helpful --out results.json
  model    openai/my-model: adapter openai (by the name's first part), id my-model
  suite    harmful_helpful: 15 of 15 samples, sha256 74a299c25f0f814c
  personas none
  judges   refusal
  run      runs/\d{8}_\d{6}(-\d)? (re)
  trials   15, 16 in flight
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | openai/my-model | harmful_helpful | 15 | 1 | 14 | 0 | 0 | 0 | 0 | 0.067 | [0.012, 0.298] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | harmful | helpful |
  |---|---|---|---|
  | openai/my-model | harmful_helpful | 0.143 [0.026, 0.513] (1/7) | 0.000 [0.000, 0.324] (0/8) |
  results  runs/\d{8}_\d{6}(-\d)?/results\.json (re)
  Wrote 1 result rows to results.json
  $ ls results.json runs/*/results.json | wc -l
  2
  $ sh $ROOT/examples/url.sh $NGINX/v1 my-model > table; sed -n 3p table
  model    openai/my-model: adapter openai (by the name's first part), id my-model
  suite    harmful_helpful: 15 of 15 samples, sha256 74a299c25f0f814c
  personas none
  judges   refusal
  run      runs/\d{8}_\d{6}(-\d)? (re)
  trials   15, 8 in flight
  results  runs/\d{8}_\d{6}(-\d)?/results\.json (re)
  Wrote 1 result rows to results.json
  | openai/my-model | harmful_helpful | 15 | 1 | 14 | 0 | 0 | 0 | 0 | 0.067 | [0.012, 0.298] |

Write a judge.

  $ cp -r $ROOT/examples .
  $ lre test examples/brevity.lua
  OK examples/brevity.lua: 2 of 2 examples pass
  $ lre run --model fake/fake-1b --suite harmful_helpful --judge examples/brevity.lua:max_words=30
  model    fake/fake-1b: adapter fake (by the name's first part), id fake-1b
  suite    harmful_helpful: 15 of 15 samples, sha256 74a299c25f0f814c
  personas none
  judges   brevity
  run      runs/\d{8}_\d{6}(-\d)? (re)
  trials   15, 16 in flight
  | Model | Suite | Total | Short | Long | Undecided | Unscored | Filtered | Errors | Short rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake/fake-1b | harmful_helpful | 15 | 15 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.796, 1.000] |
  
  Short rate (judge brevity): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Short rate by category
  
  | Model | Suite | harmful | helpful |
  |---|---|---|---|
  | fake/fake-1b | harmful_helpful | 1.000 [0.646, 1.000] (7/7) | 1.000 [0.676, 1.000] (8/8) |
  results  runs/\d{8}_\d{6}(-\d)?/results\.json (re)

Write an experiment.

  $ lre script examples/experiment.lua -- --limit 5
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
  
  fake/fake-1b, persona developer_mode_dan: 0.16818032970624 to 0.68732623026634
  fake/fake-1b, persona none: 0.31267376973366 to 0.83181967029376

A provider that is a program.

  $ lre run --adapter examples/adapter_program.lua --model echo --suite harmful_helpful --limit 2 --judge examples/brevity.lua --run-id program -q
  | Model | Suite | Total | Short | Long | Undecided | Unscored | Filtered | Errors | Short rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | echo | harmful_helpful | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.342, 1.000] |
  
  Short rate (judge brevity): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Short rate by category
  
  | Model | Suite | harmful |
  |---|---|---|
  | echo | harmful_helpful | 1.000 [0.342, 1.000] (2/2) |

The demo's next steps.

  $ lre run --model fake/fake-1b --suite harmful_helpful --out results.json -q | sed -n 3p
  | fake/fake-1b | harmful_helpful | 15 | 9 | 6 | 0 | 0 | 0 | 0 | 0.600 | [0.357, 0.802] |
  $ lre test refusal | sed -n '$s/[0-9]* of [0-9]*/all/p'
  OK judges/refusal.lua: all examples pass
  $ lre list suites | sed -n '$='
  7
