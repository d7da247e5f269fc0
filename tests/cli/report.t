The figures of a run, in every form, and what they are held to.

  $ lre run --model fake/fake-1b --suite harmful_helpful --run-id a -q
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake/fake-1b | harmful_helpful | 15 | 9 | 6 | 0 | 0 | 0 | 0 | 0.600 | [0.357, 0.802] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | harmful | helpful |
  |---|---|---|---|
  | fake/fake-1b | harmful_helpful | 0.714 [0.359, 0.918] (5/7) | 0.500 [0.215, 0.785] (4/8) |
  $ lre report runs/a
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  |---|---|---|---|---|---|---|---|---|---|---|
  | fake/fake-1b | harmful_helpful | 15 | 9 | 6 | 0 | 0 | 0 | 0 | 0.600 | [0.357, 0.802] |
  
  Refusal rate (judge refusal): of the answers that the judge could label; undecided, unscored, filtered and failed ones are left out. Intervals: Wilson, 95%.
  
  ## Refusal rate by category
  
  | Model | Suite | harmful | helpful |
  |---|---|---|---|
  | fake/fake-1b | harmful_helpful | 0.714 [0.359, 0.918] (5/7) | 0.500 [0.215, 0.785] (4/8) |
  $ lre report runs/a --json | cmp - runs/a/results.json && lre report runs/a --format json | cmp - runs/a/results.json
  $ lre report runs/a/results.json --title "Monday's run" | head -3
  # Monday's run
  
  | Model | Suite | Total | Refused | Complied | Undecided | Unscored | Filtered | Errors | Refusal rate | 95% CI |
  $ lre report runs/a --format csv
  suite,model,persona,judge,category,metric,n,value,low,high,method,missing,value_if_all_missing,value_if_none_missing,total,truncated,filtered,undecided,unscored,generation_errors,judge_errors,count.refused,count.complied
  harmful_helpful,fake/fake-1b,none,refusal,,refusal_rate,15,0.6,0.357468301206,0.801755038587,wilson,0,0.6,0.6,15,0,0,0,0,0,0,9,6
  harmful_helpful,fake/fake-1b,none,refusal,harmful,refusal_rate,7,0.714285714286,0.358934451833,0.917781075996,wilson,0,0.714285714286,0.714285714286,7,0,0,0,0,0,0,5,2
  harmful_helpful,fake/fake-1b,none,refusal,helpful,refusal_rate,8,0.5,0.215216062214,0.784783937786,wilson,0,0.5,0.5,8,0,0,0,0,0,0,4,4
  $ lre report runs/a --format jsonl | grep -c '"test_id":"hh-'
  15
  $ lre report runs/a --format scaling
  # Scaling
  
  | Size (B) | Model | harmful_helpful |
  |---|---|---|
  | 1 | fake/fake-1b | 0.600 [0.357, 0.802] (9/15) |
  $ lre report runs/a --format json | cmp - runs/a/results.json

An expectation that holds says nothing; one that does not is named, and the exit code is 1.

  $ lre report runs/a --format junit --expect 'refusal_rate.low >= 0.2' --expect 'harmful.refusal_rate.low >= 0.8'
  <?xml version="1.0" encoding="UTF-8"?>
  <testsuites name="lre">
    <testsuite name="rows" tests="1" failures="0">
      <testcase classname="harmful_helpful, fake/fake-1b, none, refusal" name="every trial is answered and judged"/>
    </testsuite>
    <testsuite name="expectations" tests="2" failures="1">
      <testcase classname="harmful_helpful, fake/fake-1b, none, refusal" name="refusal_rate.low &gt;= 0.2"/>
      <testcase classname="harmful_helpful, fake/fake-1b, none, refusal" name="harmful.refusal_rate.low &gt;= 0.8">
        <failure message="found 0.358934 (n = 7 of 7)"/>
      </testcase>
    </testsuite>
  </testsuites>
  does not hold: harmful.refusal_rate.low >= 0.8: harmful_helpful, fake/fake-1b, none, refusal: found 0.358934 (n = 7 of 7)
  [1]
  $ lre report runs/a --format jsonl --expect 'rate.coverage == 1' --expect 'generation_errors == 0' > /dev/null

A slip is a usage error, or does not hold.

  $ lre report runs/a --expect 'refusal_rate => 1'
  lre: --expect: expected [CATEGORY.]METRIC[.rate|.low|.high|.n|.coverage] >=|<=|>|<|== NUMBER, got "refusal_rate => 1"
  [2]
  $ lre report runs/a --expect 'refusalrate >= 0' > /dev/null
  does not hold: refusalrate >= 0: no row has "refusalrate". Did you mean "refusal_rate"? Known: harmful.refusal_rate, helpful.refusal_rate, refusal_rate
  [1]
  $ lre report runs/a --format htlm
  lre: unknown report "htlm". Did you mean "html"?
  Searched in:
    reports (project)
    $TMP.home/.config/lre/reports (user)
    $LRE/lua/reports (installed)
  A file is given by a path with a slash: ./htlm
  [3]

On a run, names are checked before anything is asked.

  $ lre run --model fake/fake-1b --suite harmful_helpful --run-id b --expect 'refusal_rat.low >= 0.1'; ls runs
  lre: --expect: "refusal_rat.low >= 0.1": no judge of this run measures it. Did you mean "refusal_rate"? Known: refusal_rate
  a
  $ lre run --model fake/fake-1b --suite harmful_helpful --run-id b -q --expect 'refusal_rate.low >= 0.9' > /dev/null
  does not hold: refusal_rate.low >= 0.9: harmful_helpful, fake/fake-1b, none, refusal: found 0.357468 (n = 15 of 15)
  [1]

What is no run, or comes from another version, is refused by name.

  $ lre report nowhere
  lre: nowhere: no such file or folder; expected the folder of a run or a results.json
  [4]
  $ lre report runs
  lre: runs: expected the folder of a run (with run.json and partials.jsonl)
  [3]
  $ echo '{"schema": 9, "inputs": {}, "rows": []}' > other.json; lre report other.json
  lre: other.json: schema: expected 1, got integer 9: the file comes from another version or is no results file
  [3]
  $ echo '[{"refused": 5, "complied": 10}]' > seed.json; lre report seed.json
  lre: seed.json: expected results of this tool (an object with schema, inputs and rows), got a list; `lre import` reads results of the first seed
  [3]
  $ sed 's/"total": 15/"total": "many"/' runs/a/results.json > edited.json; lre report edited.json
  lre: edited.json: rows[1].total: expected integer, at least 0, got string "many"
  [3]

Pictures: in the terminal, as a page, as a drawing.

  $ lre report runs/a --format plot | sed -n 1,9p
  Refusal rate
  ------------
    fake/fake-1b                   |----o---|     0.600 [0.357, 0.802] n=15
                           0                    1
  
  What the answers were
  ---------------------
  # refused  = complied  . left out
  harmful_helpful, fake/fake-1b
  $ lre report runs/a --format html --title 'A <run>' | grep -o -e '<title>.*' -e '<h1>[^/]*' -e '<svg ' -e '<script'
  <title>A &lt;run&gt;</title>
  <h1>A &lt;run&gt;<
  <svg 
  <svg 
  <svg 
  $ lre report runs/a --format svg > a.svg; head -c 39 a.svg
  <svg xmlns="http://www.w3.org/2000/svg"
