#!/bin/sh
# Made the two recorded runs beside it: examples/data/make.sh [lre]. Nothing is sent: the fake model answers.
set -eu
cd "$(dirname "$0")/../.."
lre=${1:-lre}
rm -rf examples/data/fake-1b examples/data/fake-7b
export SOURCE_DATE_EPOCH=1767225600 # 2026-01-01: the dates in the files are not those of the recording
for size in 1b:0.4 7b:0.8; do
  "$lre" run --model "fake/fake-${size%%:*}" --fake-refusal-rate "${size##*:}" \
    --suite harmful_helpful,jailbreak_styles --judge refusal --judge examples/brevity.lua:max_words=12 \
    --seed 42 --concurrency 1 --run-dir examples/data --run-id "fake-${size%%:*}" --quiet
done
