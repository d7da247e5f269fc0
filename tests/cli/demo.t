The demo: every bundled suite on two fake models. The same bytes on every machine.

  $ lre demo
  # lre demo
  
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake-1b | harmful_helpful | 15 | 11 | 4 | 0 | 0 | 0 | 0 | 0.733 | [0.480, 0.891] |
  | fake-7b | harmful_helpful | 15 | 14 | 1 | 0 | 0 | 0 | 0 | 0.933 | [0.702, 0.988] |
  | fake-1b | jailbreak_styles | 10 | 6 | 4 | 0 | 0 | 0 | 0 | 0.600 | [0.313, 0.832] |
  | fake-7b | jailbreak_styles | 10 | 9 | 1 | 0 | 0 | 0 | 0 | 0.900 | [0.596, 0.982] |
  | fake-1b | refusal_calibration | 15 | 10 | 5 | 0 | 0 | 0 | 0 | 0.667 | [0.417, 0.848] |
  | fake-7b | refusal_calibration | 15 | 12 | 3 | 0 | 0 | 0 | 0 | 0.800 | [0.548, 0.930] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | borderline | harmful | helpful |
  |---|---|---|---|---|
  | fake-1b | harmful_helpful | — | 0.857 [0.487, 0.974] (6/7) | 0.625 [0.306, 0.863] (5/8) |
  | fake-7b | harmful_helpful | — | 1.000 [0.646, 1.000] (7/7) | 0.875 [0.529, 0.978] (7/8) |
  | fake-1b | jailbreak_styles | — | 0.600 [0.313, 0.832] (6/10) | — |
  | fake-7b | jailbreak_styles | — | 0.900 [0.596, 0.982] (9/10) | — |
  | fake-1b | refusal_calibration | 0.667 [0.417, 0.848] (10/15) | — | — |
  | fake-7b | refusal_calibration | 0.800 [0.548, 0.930] (12/15) | — | — |
  
  # Scaling
  
  | Size (B) | Model | harmful_helpful | jailbreak_styles | refusal_calibration |
  |---|---|---|---|---|
  | 1 | fake-1b | 0.733 [0.480, 0.891] (11/15) | 0.600 [0.313, 0.832] (6/10) | 0.667 [0.417, 0.848] (10/15) |
  | 7 | fake-7b | 0.933 [0.702, 0.988] (14/15) | 0.900 [0.596, 0.982] (9/10) | 0.800 [0.548, 0.930] (12/15) |
  
  Next steps:
    - lre run --model fake/fake-1b --suite harmful_helpful --out results.json
    - lre run --model openai/gpt-4o-mini --suite jailbreak_styles --out results.json      (needs OPENAI_API_KEY)
    - lre run --model openai/mine --base-url http://127.0.0.1:8000/v1 --suite FILE.jsonl  (any compatible server)
    - lre test refusal
    - lre list suites

It leaves nothing behind, and a second time gives the same bytes.

  $ ls -A
  $ lre demo > one; lre demo > two; cmp one two

A sample of each suite carries its tag.

  $ lre demo --sample 5
  # lre demo
  
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake-1b | harmful_helpful[sampled 5/15, seed=42] | 5 | 4 | 1 | 0 | 0 | 0 | 0 | 0.800 | [0.376, 0.964] |
  | fake-7b | harmful_helpful[sampled 5/15, seed=42] | 5 | 5 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.566, 1.000] |
  | fake-1b | jailbreak_styles[sampled 5/10, seed=42] | 5 | 3 | 2 | 0 | 0 | 0 | 0 | 0.600 | [0.231, 0.882] |
  | fake-7b | jailbreak_styles[sampled 5/10, seed=42] | 5 | 5 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.566, 1.000] |
  | fake-1b | refusal_calibration[sampled 5/15, seed=42] | 5 | 4 | 1 | 0 | 0 | 0 | 0 | 0.800 | [0.376, 0.964] |
  | fake-7b | refusal_calibration[sampled 5/15, seed=42] | 5 | 5 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.566, 1.000] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | borderline | harmful | helpful |
  |---|---|---|---|---|
  | fake-1b | harmful_helpful[sampled 5/15, seed=42] | — | 1.000 [0.439, 1.000] (3/3) | 0.500 [0.095, 0.905] (1/2) |
  | fake-7b | harmful_helpful[sampled 5/15, seed=42] | — | 1.000 [0.439, 1.000] (3/3) | 1.000 [0.342, 1.000] (2/2) |
  | fake-1b | jailbreak_styles[sampled 5/10, seed=42] | — | 0.600 [0.231, 0.882] (3/5) | — |
  | fake-7b | jailbreak_styles[sampled 5/10, seed=42] | — | 1.000 [0.566, 1.000] (5/5) | — |
  | fake-1b | refusal_calibration[sampled 5/15, seed=42] | 0.800 [0.376, 0.964] (4/5) | — | — |
  | fake-7b | refusal_calibration[sampled 5/15, seed=42] | 1.000 [0.566, 1.000] (5/5) | — | — |
  
  # Scaling
  
  | Size (B) | Model | harmful_helpful[sampled 5/15, seed=42] | jailbreak_styles[sampled 5/10, seed=42] | refusal_calibration[sampled 5/15, seed=42] |
  |---|---|---|---|---|
  | 1 | fake-1b | 0.800 [0.376, 0.964] (4/5) | 0.600 [0.231, 0.882] (3/5) | 0.800 [0.376, 0.964] (4/5) |
  | 7 | fake-7b | 1.000 [0.566, 1.000] (5/5) | 1.000 [0.566, 1.000] (5/5) | 1.000 [0.566, 1.000] (5/5) |
  
  Next steps:
    - lre run --model fake/fake-1b --suite harmful_helpful --out results.json
    - lre run --model openai/gpt-4o-mini --suite jailbreak_styles --out results.json      (needs OPENAI_API_KEY)
    - lre run --model openai/mine --base-url http://127.0.0.1:8000/v1 --suite FILE.jsonl  (any compatible server)
    - lre test refusal
    - lre list suites
  $ lre demo --sample 5 --seed 7 | grep -c 'sampled 5/10, seed=7'
  5
  $ lre demo --sample 100 | sed -n 1,6p
  # lre demo
  
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake-1b | harmful_helpful[sampled 15/15, seed=42, capped] | 15 | 11 | 4 | 0 | 0 | 0 | 0 | 0.733 | [0.480, 0.891] |
  | fake-7b | harmful_helpful[sampled 15/15, seed=42, capped] | 15 | 14 | 1 | 0 | 0 | 0 | 0 | 0.933 | [0.702, 0.988] |

The same as data.

  $ lre demo --json --sample 2 > demo.json
  $ sed -n '1,40s/hash": "[0-9a-f]*"/hash": "..."/;1,40p' demo.json
  {
    "inputs": {
      "judges": [
        {
          "hash": "...",
          "kind": "rule",
          "labels": [
            "refused",
            "complied"
          ],
          "name": "refusal"
        }
      ],
      "models": [
        {
          "adapter": "fake",
          "adapter_hash": "...",
          "id": "fake-1b",
          "label": "fake-1b",
          "options": {
            "refusal_rate": 0.6,
            "seed": -1
          },
          "params": {
            "max_tokens": 512,
            "seed": 42,
            "temperature": 0
          }
        },
        {
          "adapter": "fake",
          "adapter_hash": "...",
          "id": "fake-7b",
          "label": "fake-7b",
          "options": {
            "refusal_rate": 0.85,
            "seed": -1
          },
          "params": {
            "max_tokens": 512,

The fake model's rate and name are the user's to choose; the seed's older flag means the same.

  $ lre demo --fake-refusal-rate 0 --model-name fake-3b | sed -n 3,6p
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake-3b | harmful_helpful | 15 | 0 | 15 | 0 | 0 | 0 | 0 | 0.000 | [0.000, 0.204] |
  | fake-7b | harmful_helpful | 15 | 4 | 11 | 0 | 0 | 0 | 0 | 0.267 | [0.109, 0.520] |
  $ lre demo --refusal-rate 1 | sed -n 3,5p
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake-1b | harmful_helpful | 15 | 15 | 0 | 0 | 0 | 0 | 0 | 1.000 | [0.796, 1.000] |

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

A checkpoint's own answers, on this machine.

  $ lre demo --local $ROOT/tests/infer/models/qwen2 --sample 4
  # lre demo
  
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | qwen2 | harmful_helpful[sampled 4/15, seed=42] | 4 | 0 | 3 | 1 | 0 | 0 | 0 | 0.000 | [0.000, 0.561] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | harmful | helpful |
  |---|---|---|---|
  | qwen2 | harmful_helpful[sampled 4/15, seed=42] | 0.000 [0.000, 0.658] (0/2) | 0.000 [0.000, 0.793] (0/1) |
  
  - qwen2, harmful_helpful[sampled 4/15, seed=42], none: left out 1 undecided of 4
  - qwen2, harmful_helpful[sampled 4/15, seed=42], none: Refusal rate 0.250 [0.046, 0.699] (1/4) if all left out (1) had it, 0.000 [0.000, 0.490] (0/4) if none had
  - qwen2, harmful_helpful[sampled 4/15, seed=42], none: 4 cut by the token limit; Refusal rate without them — (n = 0)
  $ cp -r $ROOT/tests/infer/models/llama here && lre demo --local here --sample 2 | grep -c '^| here |'
  2
  $ lre demo --local there
  lre: there: ./there: no config.json is there: expected the folder of a checkpoint
  [3]
  $ echo GGUF > model.gguf && lre demo --local ./model.gguf
  lre: model.gguf: ./model.gguf: is a file: expected the folder of a checkpoint, with config.json, tokenizer.json and safetensors (GGUF files are not read)
  [3]
