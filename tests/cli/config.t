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
