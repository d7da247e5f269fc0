#!/bin/sh
# Made the two recorded runs of a real model beside it: examples/data/make_local.sh LRE MODEL_FOLDER [RUN_DIR].
# The model is SmolLM2-135M-Instruct, as ./dev deps --real-model makes it, run on a CPU by lre itself: once with the
# weights as they are (bfloat16), once with weights rounded to int8.
set -eu
lre=$(realpath "$1") model=$(realpath "$2") out=$(realpath "${3:-$(dirname "$0")}")
export SOURCE_DATE_EPOCH=1767225600 # 2026-01-01: the dates in the files are not those of the recording
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$model" "$work/SmolLM2-135M-Instruct"
cd "$work" # so that no path of the machine is recorded
for quant in none int8; do
  name=smollm2-135m
  [ $quant = none ] || name=$name-$quant
  "$lre" run --adapter hf --model smollm2-135m --model-id ./SmolLM2-135M-Instruct --quant $quant \
    --suite harmful_helpful,jailbreak_styles --judge refusal --max-tokens 128 \
    --run-dir . --run-id $name --quiet
  rm -rf "${out:?}/$name"
  mv $name "$out/"
done
