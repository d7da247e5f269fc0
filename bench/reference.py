#!/usr/bin/env python3
r"""What others do with the checkpoint, prompts and threads of bench/infer.c; a line of JSON each. `./dev bench infer`
runs it where LRE_BENCH_PYTHON names a Python, and LRE_BENCH_LLAMA a llama-batched-bench. By hand:

  python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch transformers safetensors gguf
  build/infer_bench write /tmp/qwen05
  /tmp/reference/bin/python bench/reference.py /tmp/qwen05 2 float32 bfloat16

llama.cpp comes with the source archive of llama-cpp-python on PyPI; it is given as the path of its llama-batched-bench:

  /tmp/reference/bin/pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36
  tar xf llama_cpp_python-0.3.36.tar.gz
  cmake -S llama_cpp_python-0.3.36/vendor/llama.cpp -B llama -DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF \
    -DLLAMA_BUILD_SERVER=OFF -DLLAMA_OPENSSL=OFF
  cmake --build llama -j2 --target llama-batched-bench
  /tmp/reference/bin/python bench/reference.py /tmp/qwen05 2 llama/bin/llama-batched-bench
"""
import json
import subprocess
import sys
import time
from pathlib import Path

N, PROMPT, NEW = 15, 40, 64


def report(name, threads, alone, together):
    print(json.dumps({"name": name, "threads": threads, "alone_tokens_s": round(alone, 2),
                      "together_tokens_s": round(together, 2)}), flush=True)


def run_transformers(folder, threads, dtype):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()

    def seconds(n, n_new):
        ids = torch.tensor([[97 + (k * 7 + i * 3) % 26 for k in range(PROMPT)] for i in range(n)])
        begin = time.perf_counter()
        with torch.no_grad():
            out = model(ids, use_cache=True, logits_to_keep=1)
            for _ in range(n_new - 1):
                best = out.logits[:, -1].argmax(-1, keepdim=True)
                out = model(best, past_key_values=out.past_key_values, use_cache=True)
        return time.perf_counter() - begin

    seconds(1, 4)
    alone = NEW / (seconds(1, 1 + NEW) - seconds(1, 1))
    report("transformers " + dtype, threads, alone, N * NEW / seconds(N, NEW))


def write_gguf(folder, path):
    """llama.cpp's file, without a vocabulary: what is measured needs none."""
    import gguf
    import torch
    from safetensors import safe_open

    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
             "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
             "model.embed_tokens": "token_embd", "model.norm": "output_norm"}
    config = json.loads((Path(folder) / "config.json").read_text())
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    with safe_open(Path(folder) / "model.safetensors", "pt") as tensors:
        for name in tensors.keys():
            part, kind = name.rsplit(".", 1)
            if part.startswith("model.layers."):
                layer, part = part.removeprefix("model.layers.").split(".", 1)
                part = f"blk.{layer}.{names[part]}"
            else:
                part = names[part]
            tensor = tensors.get_tensor(name)
            if tensor.dim() == 1:
                writer.add_tensor(f"{part}.{kind}", tensor.float().numpy())
            else:
                raw = tensor.view(torch.uint8).numpy()
                writer.add_tensor(f"{part}.{kind}", raw, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run_llama(folder, threads, program):
    path = Path(folder) / "bf16.gguf"
    if not path.exists():
        write_gguf(folder, path)
    out = subprocess.run([program, "-m", path, "-t", str(threads), "-tb", str(threads), "-c", "4096", "-npp",
                          str(PROMPT), "-ntg", str(NEW), "-npl", f"1,{N}", "--output-format", "jsonl"],
                         check=True, capture_output=True, text=True).stdout
    rows = {row["pl"]: row for row in map(json.loads, filter(lambda line: line.startswith("{"), out.splitlines()))}
    report("llama.cpp bf16", threads, rows[1]["speed_tg"], N * NEW / rows[N]["t"])


for reference in sys.argv[3:]:
    (run_llama if "/" in reference else run_transformers)(sys.argv[1], int(sys.argv[2]), reference)
