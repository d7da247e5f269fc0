Every command line of the three seeds that this version has, under its own flags.

The first seed.

  $ lre demo --sample 5 | sed -n 1,6p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre run \
  > --adapter hf --model qwen-0.5b \
  > --model-id Qwen/Qwen2-0.5B-Instruct \
  > --suite harmful_helpful --out results.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run \
  > --adapter openai --model gpt-4o-mini \
  > --suite harmful_helpful --out results.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run \
  > --adapter anthropic --model claude-3-haiku-20240307 \
  > --suite harmful_helpful --out results.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ ls

Those with a server that answers.

  $ lre run \
  > --adapter openai --model gpt-4o-mini \
  > --suite harmful_helpful --out results.json --base-url $NGINX/v1 --run-id openai
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run \
  > --adapter anthropic --model claude-3-haiku-20240307 \
  > --suite harmful_helpful --out anthropic.json --base-url $NGINX/v1 --run-id anthropic -q
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ SOURCE_DATE_EPOCH=1748131200 lre run \
  > --adapter hf --model qwen-0.5b-instruct \
  > --model-id Qwen/Qwen2-0.5B-Instruct \
  > --suite harmful_helpful --seed 42 \
  > --temperature 0.0 --max-tokens 256 \
  > --out qwen2_0_5b.json
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ SOURCE_DATE_EPOCH=1748131200 lre run \
  > --adapter openai --model qwen-0.5b-instruct \
  > --model-id Qwen/Qwen2-0.5B-Instruct \
  > --suite harmful_helpful --seed 42 \
  > --temperature 0.0 --max-tokens 256 \
  > --out qwen2_0_5b.json --base-url $NGINX/v1 -q > /dev/null
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ ls runs; grep -A12 '"models"' qwen2_0_5b.json | sed 's/hash": "[0-9a-f]*"/hash": "..."/'
  ls: cannot access 'runs': No such file or directory
  grep: qwen2_0_5b.json: No such file or directory

Commands of the first seed that come later are no commands yet.

  $ lre reproduce results.json
  lre: "reproduce" comes in a later version. `lre help` lists what is here.
  [2]

The second seed. Its grid and its roster, then its command lines as docs/from-the-seeds.md maps them.

  $ cp $SHARED/seeds/data/2/outputs/raw/grid.jsonl grid.jsonl
  $ mkdir -p data; printf '["openai/free-model", "openai/other-model"]' > data/models.json
  $ lre lint grid.jsonl
  grid.jsonl:15: warning: duplicate text, first on line 3
  grid.jsonl:18: warning: duplicate text, first on line 6
  grid.jsonl:21: warning: duplicate text, first on line 9
  grid.jsonl:24: warning: duplicate text, first on line 12
  grid.jsonl:27: warning: duplicate text, first on line 3
  grid.jsonl:30: warning: duplicate text, first on line 6
  grid.jsonl:33: warning: duplicate text, first on line 9
  grid.jsonl:36: warning: duplicate text, first on line 12
  grid.jsonl:51: warning: duplicate text, first on line 39
  grid.jsonl:54: warning: duplicate text, first on line 42
  grid.jsonl:57: warning: duplicate text, first on line 45
  grid.jsonl:60: warning: duplicate text, first on line 48
  grid.jsonl:63: warning: duplicate text, first on line 39
  grid.jsonl:66: warning: duplicate text, first on line 42
  grid.jsonl:69: warning: duplicate text, first on line 45
  grid.jsonl:72: warning: duplicate text, first on line 48
  grid.jsonl:87: warning: duplicate text, first on line 75
  grid.jsonl:90: warning: duplicate text, first on line 78
  grid.jsonl:93: warning: duplicate text, first on line 81
  grid.jsonl:96: warning: duplicate text, first on line 84
  grid.jsonl:99: warning: duplicate text, first on line 75
  grid.jsonl:102: warning: duplicate text, first on line 78
  grid.jsonl:105: warning: duplicate text, first on line 81
  grid.jsonl:108: warning: duplicate text, first on line 84
  [1]
  $ lre run \
  >   --include-neutral \
  >   --limit 50 \
  >   --models data/models.json --dataset grid.jsonl --base-url $NGINX/v1 --run-id rent -q | sed -n 3,6p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre run --dry-run --limit 3 --dataset grid.jsonl --model openai/free-model -q | cut -c1-60
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre run --model x-ai/grok-4-fast --dataset grid.jsonl
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ lre run --model x-ai/grok-4-fast --dataset grid.jsonl --adapter openai --base-url $NGINX/v1 --score-now --limit 5 --run-id grok -q | sed -n 3,5p
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  $ lre judge --in runs/rent
  lre: "judge" comes in a later version. `lre help` lists what is here.
  [2]

The third seed: its data set and its command line, with three personas of a project.

  $ cp $SHARED/seeds/data/3/alignment_eval_dataset.jsonl .
  $ lre lint alignment_eval_dataset.jsonl
  alignment_eval_dataset.jsonl:2: warning: duplicate text, first on line 1
  alignment_eval_dataset.jsonl:4: warning: duplicate text, first on line 3
  alignment_eval_dataset.jsonl:6: warning: duplicate text, first on line 5
  [1]
  $ mkdir -p mine/personas
  $ for name in evil_confidant docente_paciente developer_mode_dan; do
  >   printf 'return require "lre".persona { name = "%s", system = "You are %s." }\n' $name $name > mine/personas/$name.lua
  > done
  $ lre run \
  >   --dataset alignment_eval_dataset.jsonl \
  >   --models gpt-4.1,gpt-4.1-mini,gemini-2.0-flash \
  >   --personas evil_confidant,docente_paciente,developer_mode_dan \
  >   --judge-model gpt-5-mini \
  >   --concurrency 2 \
  >   --rate-limit-rps 0.5 --path mine
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]

Gemini's own adapter comes later; a server that speaks the OpenAI protocol takes the name.

  $ lre run \
  >   --dataset alignment_eval_dataset.jsonl \
  >   --models gpt-4.1,gpt-4.1-mini,gemini-2.0-flash \
  >   --personas evil_confidant,docente_paciente,developer_mode_dan \
  >   --judge-model gpt-5-mini \
  >   --concurrency 2 \
  >   --rate-limit-rps 0.5 --path mine --adapter openai --base-url $NGINX/v1 --limit 1 --retries 3 --output-dir results --run-id 20250101_123000
  lre: judges/refusal.lua: the file used its 5000000 steps while it was loaded; raise --judge-steps
  [3]
  $ ls results/20250101_123000
  ls: cannot access 'results/20250101_123000': No such file or directory
  [2]
