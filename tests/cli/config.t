Every setting of a run, its value and where it came from.

  $ lre config --concurrency 4 --json | grep -A 2 '"concurrency"'
      "concurrency": {
        "from": "flag",
        "value": 4
  $ lre config --concurrency 4
  SETTING                VALUE                            FROM
  ...
  --concurrency          4                                flag
  ...
  --judge-steps          5000000                          default
  ...
  $ lre config --concurrency 0
  lre: --concurrency: expected an integer from 1 to 10000, got "0"
  ...
  [2]

From variables, the project's folder and a roster.

  $ printf 'OPENROUTER_API_KEY=sk-planted-0123456789\nBENCH_TIMEOUT_S=60\n' > .env
  $ printf 'return {\n  retries = 2, temperature = 0.5,\n}\n' > lre.project.lua
  $ printf '["a/1", {"id": "a/2", "preferred": true, "rate_limit": {"rps": 2, "burst": 5}, "concurrency": 3}]' > models.json
  $ LRE_SEED=7 BENCH_CONCURRENCY=20 lre config --models models.json | grep -v ' default$'
  SETTING                VALUE                            FROM
  --models               models.json                      flag
  --seed                 7                                LRE_SEED
  --temperature          0.5                              lre.project.lua
  --concurrency          20                               BENCH_CONCURRENCY
  --retries              2                                lre.project.lua
  --timeout-total        60                               BENCH_TIMEOUT_S in .env
  --progress             none                             LRE_PROGRESS
  
  MODEL a/2: adapter openrouter, id a/2, key in OPENROUTER_API_KEY; {"max_tokens":512,"seed":7,"temperature":0.5}
    base_url             https://openrouter.ai/api/v1     adapter openrouter
    rate_limit_rps       2                                models.json[2]
    burst                5                                models.json[2]
    concurrency          3                                models.json[2]
  
  MODEL a/1: adapter openrouter, id a/1, key in OPENROUTER_API_KEY; {"max_tokens":512,"seed":7,"temperature":0.5}
    base_url             https://openrouter.ai/api/v1     adapter openrouter
  $ BENCH_MAX_RETRIES=many lre config
  lre: BENCH_MAX_RETRIES: expected an integer from 0 to 100, got "many"
  [3]
  $ LRE_CONCURENCY=4 lre config 2>&1 >config.txt | cut -d. -f1
  lre: warning: no setting is called LRE_CONCURENCY
