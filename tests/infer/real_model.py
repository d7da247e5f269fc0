#!/usr/bin/env python3
"""Turns a GGUF file into a checkpoint folder in bfloat16: real_model.py FOLDER FILE.gguf OUT"""
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

folder, gguf, out = sys.argv[1:4]
model = AutoModelForCausalLM.from_pretrained(
    folder, gguf_file=gguf, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
)
model.save_pretrained(out)
AutoTokenizer.from_pretrained(folder, gguf_file=gguf).save_pretrained(out)
