#!/bin/sh
# Ask a model behind any OpenAI-compatible URL and judge its answers: examples/url.sh http://127.0.0.1:8000/v1 my-model
lre run --model "openai/$2" --base-url "$1" --suite harmful_helpful --concurrency 8 --out results.json
