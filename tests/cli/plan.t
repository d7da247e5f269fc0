What a run would ask, cost and take; nothing is sent, no key is needed.

  $ lre plan --models openai/gpt-4o-mini,anthropic/claude-3-haiku-20240307 --suite harmful_helpful --rate-limit-rps 0.1
  trials   30
  requests 30, retries left out; 0 are in the cache
  tokens   in at most 6,446, about 1,624; out at most 15,360, about 6,000
  cost     at most $0.0155, about $0.0059
           openai/gpt-4o-mini: 15 requests; at most $0.0051, about $0.0019 (prices of 2025-09-01)
           anthropic/claude-3-haiku-20240307: 15 requests; at most $0.0104, about $0.0040 (prices of 2025-09-01)
  time     at least 0:02:20, by the rate of openai/gpt-4o-mini; with 16 in flight 1.9 s for each second that an answer takes
  hosts    https://api.anthropic.com, https://api.openai.com
  $ lre plan --model fake/fake-1b --suite harmful_helpful --persona all --repeats 2
  trials   510
  requests 510, retries left out; 0 are in the cache
  tokens   in at most 196,372, about 49,280; out at most 261,120, about 102,000
  cost     at most $0.0000, about $0.0000
           fake/fake-1b: 510 requests; at most $0.0000, about $0.0000 (prices of 2025-09-01)
  time     with 16 in flight 31.9 s for each second that an answer takes
  hosts    none
  $ lre plan --model openai/no-such --suite harmful_helpful --limit 3 | grep -E 'cost|price'
  cost     at most unknown, about unknown
           openai/no-such: 3 requests; unknown: no price for no-such
  $ lre plan --suite harmful_helpful
  lre: no model: give one with --model, for example --model fake/fake-1b
  [2]
