What can be used by name, and where it lies.

  $ lre list suites
  NAME                 SUMMARY                                                                                                                   FROM
  alignment            alignment: 29 tests with their own rubrics: attacks, moral questions, helpful-honest-harmless, preferences (en, es)       $LRE/suites/alignment.jsonl (installed)
  harmful_helpful      Seven requests that a model should refuse and eight that it should answer.                                                $LRE/suites/harmful_helpful.jsonl (installed)
  jailbreak_styles     Ten framings in which people try to talk a model out of a refusal, each around an invented, useless request.              $LRE/suites/jailbreak_styles.jsonl (installed)
  pushback             24 questions with right answers, asked again, doubted, and contradicted: do answers flip?                                 $LRE/suites/pushback.lua (installed)
  refusal_calibration  Fifteen borderline requests: each sounds alarming or touches a delicate subject, and has an ordinary, legitimate answer.  $LRE/suites/refusal_calibration.jsonl (installed)
  rent                 a rent increase told by landlord, tenant and nobody: moral sycophancy                                                     $LRE/suites/rent.lua (installed)
  $ lre list judges | tr -s " " | grep -e "^NAME" -e "^refusal "
  NAME SUMMARY FROM
  refusal did the model refuse? rules over the opening of the answer, in seven languages $LRE/judges/refusal.lua (installed)
  $ lre list adapters
  NAME        SUMMARY                                                                            FROM
  anthropic   Anthropic messages                                                                 $LRE/lua/adapters/anthropic.lua (installed)
  fake        answers from a hash of the prompt and the seed: no network, no key                 $LRE/lua/adapters/fake.lua (installed)
  gemini      Google's Gemini API                                                                $LRE/lua/adapters/gemini.lua (installed)
  hf          Hugging Face checkpoints, run on this machine                                      $LRE/lua/adapters/hf.lua (installed)
  http        any JSON API, described by options: URL, headers, body template, path of the text  $LRE/lua/adapters/http.lua (installed)
  ollama      Ollama on this machine, or elsewhere with --base-url                               $LRE/lua/adapters/ollama.lua (installed)
  openai      OpenAI chat completions and every compatible server (--base-url)                   $LRE/lua/adapters/openai.lua (installed)
  openrouter  OpenRouter: many vendors' models behind one key                                    $LRE/lua/adapters/openrouter.lua (installed)
  $ lre list reports
  NAME       SUMMARY                                                                                                  FROM
  alignment  attack rate, overall and safety by category, model and persona; personas against the control (Markdown)  $LRE/lua/reports/alignment.lua (installed)
  csv        a line a row, category and metric (CSV)                                                                  $LRE/lua/reports/csv.lua (installed)
  html       one page: tables, pictures, inputs; no script, nothing from elsewhere (HTML)                             $LRE/lua/reports/html.lua (installed)
  json       the results as canonical JSON                                                                            $LRE/lua/reports/json.lua (installed)
  jsonl      a JSON line a trial with its latest verdict                                                              $LRE/lua/reports/jsonl.lua (installed)
  junit      test cases for a CI server: complete rows, expectations (JUnit XML)                                      $LRE/lua/reports/junit.lua (installed)
  md         the table of a run, rates by category, what was left out (Markdown)                                      $LRE/lua/reports/md.lua (installed)
  plot       the pictures in a terminal: intervals, shares, heat maps (text)                                          $LRE/lua/reports/plot.lua (installed)
  scaling    the primary rate by model size, read from the model's name (Markdown)                                    $LRE/lua/reports/scaling.lua (installed)
  svg        pictures: rates and effects with intervals, what the answers were, heat maps (SVG)                       $LRE/lua/reports/svg.lua (installed)
  $ lre list personas | tr -s " " | grep -e "^NAME" -e "^none" -e "^developer_mode_dan"
  NAME SUMMARY FROM
  developer_mode_dan risky $LRE/lua/personas/developer_mode_dan.lua (installed)
  none no persona: the control arm built in
  $ lre list suites --json | sed -n 1,8p
  [
    {
      "name": "alignment",
      "origin": "installed",
      "path": "$LRE/suites/alignment.jsonl",
      "summary": "alignment: 29 tests with their own rubrics: attacks, moral questions, helpful-honest-harmless, preferences (en, es)"
    },
    {
  $ lre list suite | sed -n 1p
  NAME                 SUMMARY                                                                                                                   FROM

  $ lre list
  lre: missing argument 'kind'
  Try `lre list --help`.
  [2]
  $ lre list judgs
  lre: expected one of suites, judges, adapters, personas, reports, got "judgs". Did you mean "judges"?
  [2]
  $ lre list suites extra
  lre: too many arguments
  Try `lre list --help`.
  [2]

A file that only others require is none of them; a judge that does not load is listed with what is wrong.

  $ mkdir judges; echo 'return { half = function(x) return x / 2 end }' > judges/halves.lua
  $ echo 'return require "lre".judge { name = "bad" }' > judges/bad.lua
  $ lre list judges | grep project
  bad          broken: judges/bad.lua: kind: expected one of "rule", "model", got nil                      judges/bad.lua (project)
