`--cache DIR` keeps answers by the content of their request; a hit sends nothing.

  $ printf '%s\n' '{"id":"a","text":"first invented question"}' '{"id":"b","text":"second invented question"}' > q.jsonl
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id one --cache kept 2>&1 | grep -E '^(\| openai|cache)'
  cache    kept
  | openai/mock | q | 2 | 1 | 1 | 0 | 0 | 0 | 0 | 0.500 | [0.095, 0.905] |
  cache    0 hits, 2 misses, 2 writes; 0 retries
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id two --cache kept --offline 2>&1 | grep -E '^(\| openai|cache)'
  cache    kept (offline)
  | openai/mock | q | 2 | 1 | 1 | 0 | 0 | 0 | 0 | 0.500 | [0.095, 0.905] |
  cache    2 hits, 0 misses, 0 writes; 0 retries
  $ cmp one/results.json two/results.json

Verdicts of model judges are kept alike.

  $ lre judge --in one --judge llm --judge-model openai/gpt-judge --judge-base-url $NGINX/faults/judge/v1 --cache kept 2>&1 | grep ^cache
  cache    0 hits, 2 misses, 2 writes; 0 retries
  $ lre judge --in two --judge llm --judge-model openai/gpt-judge --judge-base-url $NGINX/faults/judge/v1 --cache kept --offline 2>&1 | grep ^cache
  cache    2 hits, 0 misses, 0 writes; 0 retries
  $ cmp one/results.json two/results.json

With --offline a miss is an error, and nothing is sent. Which field differs is told.

  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id three --cache kept --offline --max-tokens 100 2>&1 | grep warning | sed -E 's/[0-9a-f]{16,64}/HASH/g'
  lre: warning: q/a|none|openai/mock: not in the cache kept, and --offline sends nothing (lre cache explain HASH says what is nearest)
  lre: warning: q/b|none|openai/mock: not in the cache kept, and --offline sends nothing (lre cache explain HASH says what is nearest)
  $ lre cache explain 'q/b|none|openai/mock' --run three --cache kept | sed -E 's/[0-9a-f]{16,64}/HASH/g'
  HASH was asked, and no answer of it is kept
  the nearest other entry, HASH, differs in:
    body.max_tokens          100 here, 512 there
  $ lre cache explain 'q/b|none|openai/moc' --run three --cache kept
  lre: three: no trial "q/b|none|openai/moc". Did you mean "q/b|none|openai/mock" or "q/a|none|openai/mock"?
  [3]

A temperature above 0 without repeats is warned of.

  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id four --cache kept --temperature 1 2>&1 | grep -E 'warning|^cache'
  lre: warning: --cache at a temperature above 0 gives the one stored answer each time; --repeats N samples more (--cache-allow-nondeterministic silences this)
  cache    kept
  cache    0 hits, 2 misses, 2 writes; 0 retries
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id five --cache kept --temperature 1 --cache-allow-nondeterministic 2>&1 | grep -E 'warning|^cache'
  cache    kept
  cache    2 hits, 0 misses, 0 writes; 0 retries

What is torn is a miss.

  $ for f in kept/??/*.json; do printf '{"key":' > $f; done
  $ lre cache info --cache kept | sed 's/[0-9]* bytes/N bytes/'
  kept: 0 answers, N bytes
  6 torn or foreign entries, taken as misses
  2 requests noted that have no answer here
  $ lre run --model openai/mock --base-url $NGINX/v1 --suite q.jsonl --run-dir . --run-id six --cache kept 2>&1 | grep -E 'warning|^cache' | sed -E 's,[0-9a-f]{2}/[0-9a-f]{64},HASH,'
  cache    kept
  lre: warning: cache: kept/HASH.json: torn or not JSON: expected a value, found the end of the text at byte 7: taken as a miss
  lre: warning: cache: kept/HASH.json: torn or not JSON: expected a value, found the end of the text at byte 7: taken as a miss
  cache    0 hits, 2 misses, 2 writes; 0 retries

Looking into it, and emptying it.

  $ lre cache info --cache kept | sed 's/[0-9]* bytes/N bytes/'
  kept: 2 answers, N bytes
         2  $NGINX/v1 mock
  4 torn or foreign entries, taken as misses
  2 requests noted that have no answer here
  $ lre cache clear --cache kept --older-than 7d
  removed 0 answers, 0 bytes
  $ lre cache clear --cache kept --dry-run | sed 's/, .*//'
  would remove 6 answers
  $ lre cache clear --dir kept | sed 's/, .*//'
  removed 6 answers
  $ lre cache info --cache kept --json
  {
    "broken": 0,
    "bytes": 0,
    "entries": 0,
    "misses": 0,
    "models": {}
  }
  $ lre cache explain 0000 --cache kept
  lre: kept: 0 requests begin with 0000
  [3]
  $ lre cache clear --cache one
  lre: one: is not a cache: it has no lre-cache.json
  [3]
  $ lre cache clear --cache nowhere
  lre: nowhere: no such folder
  [3]
  $ lre cache clear --cache kept --older-than soon
  lre: --older-than: expected a time such as 7d, 24h, 30m, 45s or 7 (days), got "soon"
  [2]
  $ lre cache clean --cache kept
  lre: "clean": expected info, clear or explain. Did you mean "clear"?
  [2]
  $ lre cache info
  lre: which cache? Give its folder with --cache DIR
  [2]
  $ lre run --model fake/fake-1b --suite q.jsonl --offline
  lre: --offline needs --cache: nothing is sent, so answers must be there
  [2]
