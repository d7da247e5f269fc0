#!/usr/bin/env python3
"""Records what transformers (float32, eager) makes of the real model: record_real_model.py MODEL_FOLDER

Writes tests/infer/real_model.json: a short hash of the token ids of every line of corpus.jsonl, the rendered chats, and for
each prompt the ids, 64 of the logits after it, and 64 greedy tokens with the gap between the two best logits.
"""
import hashlib
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
STEPS = 64


def prompts():
    suite = (HERE / "../../suites/harmful_helpful.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in suite.splitlines() if line.startswith("{")]
    chats = [[{"role": "user", "content": row["text"]}] for row in rows if "text" in row][:15]
    chats.append([{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "The capital of France?"}])
    chats.append([{"role": "user", "content": "Write a haiku about the sea."}])
    chats.append([{"role": "user", "content": "Say hello."}, {"role": "assistant", "content": "Hello!"},
                  {"role": "user", "content": "Now in Spanish."}])
    chats.append([{"role": "user", "content": "def add(a, b):\n    return"}])
    chats.append([{"role": "user", "content": "¿Qué es un volcán? 😀"}])
    return chats


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def short(ids):
    return hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:12]


def greedy(model, ids):
    """64 steps without stopping; for each the token and how far the second best logit was behind."""
    tokens, gaps, first = [], [], None
    past, feed = None, torch.tensor([ids])
    with torch.no_grad():
        for _ in range(STEPS):
            out = model(feed, past_key_values=past, use_cache=True)
            past, logits = out.past_key_values, out.logits[0, -1].float()
            first = logits if first is None else first
            best = torch.topk(logits, 2)
            tokens.append(int(best.indices[0]))
            gaps.append(float(best.values[0] - best.values[1]))
            feed = torch.tensor([[tokens[-1]]])
    return tokens, gaps, first


def main():
    folder = pathlib.Path(sys.argv[1])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    text = (HERE / "corpus.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.split("\n") if line.strip()]
    ids = [tokenizer.backend_tokenizer.encode(line, add_special_tokens=False).ids for line in lines]
    rows = []
    for messages in prompts():
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        prompt = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        tokens, gaps, logits = greedy(model, prompt)
        picked = list(range(0, len(logits), len(logits) // 63))[:64]
        rows.append({"messages": messages, "text": text, "ids": prompt, "tokens": tokens,
                     "close": [i for i, gap in enumerate(gaps) if gap < 1e-4], "largest": float(logits.abs().max()),
                     "logits": {str(i): float(logits[i]) for i in picked}})
        print(tokenizer.decode(tokens)[:70].replace("\n", " "))
    record = {"weights": sha256(folder / "model.safetensors"), "lines": [short(one) for one in ids], "prompts": rows}
    (HERE / "real_model.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
