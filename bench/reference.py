#!/usr/bin/env python3
"""What `transformers` does on the same checkpoint, prompts and threads as bench/infer.c; for `./dev bench infer` by hand.

  build/infer_bench write /tmp/qwen05 && python3 bench/reference.py /tmp/qwen05 2 float32 bfloat16

Needs torch and transformers from PyPI. llama.cpp's figure: `pip install llama-cpp-python gguf`, convert the folder with
convert_hf_to_gguf.py of llama.cpp's sources (--outtype bf16), then `llama-batched-bench -npp 40 -ntg 64 -npl 15`.
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

N, PROMPT, NEW = 15, 40, 64


def measure(model, n):
    ids = torch.tensor([[97 + (k * 7 + i * 3) % 26 for k in range(PROMPT)] for i in range(n)])
    begin = time.perf_counter()
    with torch.no_grad():
        out = model(ids, use_cache=True, logits_to_keep=1)
        for _ in range(NEW - 1):
            best = out.logits[:, -1].argmax(-1, keepdim=True)
            out = model(best, past_key_values=out.past_key_values, use_cache=True)
    return n * NEW / (time.perf_counter() - begin)


folder, threads, dtypes = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
torch.set_num_threads(threads)
for dtype in dtypes:
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    print(json.dumps({"dtype": dtype, "threads": threads, "alone_tokens_s": round(measure(loaded, 1), 2),
                      "together_tokens_s": round(measure(loaded, N), 2)}))
