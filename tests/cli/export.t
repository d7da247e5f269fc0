A run in the second seed's files, and back.

  $ lre run --suite rent --limit 6 --model fake/fake-1b --no-judge --run-id r -q > /dev/null
  $ lre export runs/r --as sycophancy
  exported 6 answers, 0 with their score: runs/r/sycophancy
  $ ls runs/r/sycophancy; head -4 runs/r/sycophancy/run_grid.json; head -c 11 runs/r/sycophancy/run.jsonl; echo
  run.jsonl
  run_grid.json
  {
    "include_neutral": true,
    "total": 108,
    "selected": 6,
  {"run_id": 

The run's own suite has more factors than the seed's rows; a run of the seed's is read back as it was written.

  $ lre export runs/r
  lre: --as: say in which format: sycophancy
  [2]
  $ lre export runs/r --as else
  lre: --as: expected one of sycophancy, got "else"
  Try `lre export --help`.
  [2]
  $ lre export runs/nowhere --as sycophancy
  lre: runs/nowhere: no such file or folder; expected the folder of a run or a results.json
  [4]
  $ lre run --suite rent --limit 3 --model fake/fake-1b --no-judge --repeats 2 --run-id twice -q > /dev/null; lre export runs/twice --as sycophancy
  lre: runs/twice: it has 2 repeats of a trial: the second seed's files have one
  [3]
