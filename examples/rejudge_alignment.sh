#!/bin/sh
# rejudge_alignment.sh PARTIALS TESTS: reads a run of the third seed (its partials.jsonl and its data set), has its answers
# judged by a judge that is shown them, and holds the two judges against each other. Answers are not asked for again.
# The judge's model needs its key (OPENAI_API_KEY), or JUDGE_FLAGS: --judge-model openai/NAME --judge-base-url URL.
set -eu
[ $# -eq 2 ] || { echo "usage: rejudge_alignment.sh partials.jsonl alignment_eval_dataset.jsonl" >&2; exit 2; }
run=runs/seed3
lre import "$1" --suite "$2" --run-id seed3
# shellcheck disable=SC2086 # several words
lre judge --in "$run" --judge alignment ${JUDGE_FLAGS:-}
lre kappa "$run" --judge seed_alignment,alignment
