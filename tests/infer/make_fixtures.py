#!/usr/bin/env python3
"""Writes the fixtures of the local engine's tests: tiny random checkpoints with what `transformers` (float32, eager)
makes of them, tokenizers with the ids that Hugging Face `tokenizers` gives, and the corpus these were made from.

Nothing here is needed to build or to test lre. To make them again:
  python3 -m venv v && v/bin/pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors
  v/bin/python tests/infer/make_fixtures.py            # everything, or: corpus tokenizers added models float64 sampling
"""
import collections
import contextlib
import json
import os
import random
import struct
import sys
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))

# Corpus: scripts, code, emoji, control characters, runs of spaces, special-token look-alikes -----------------------

SCRIPTS = {
    "latin": (0x61, 0x7A), "latin1": (0xC0, 0x17F), "greek": (0x3B1, 0x3C9), "cyrillic": (0x430, 0x44F),
    "armenian": (0x561, 0x586), "hebrew": (0x5D0, 0x5EA), "arabic": (0x621, 0x64A), "devanagari": (0x905, 0x939),
    "bengali": (0x985, 0x9B9), "tamil": (0xB85, 0xBB9), "thai": (0xE01, 0xE2E), "georgian": (0x10D0, 0x10F0),
    "hangul": (0xAC00, 0xAC80), "kana": (0x3041, 0x30F6), "han": (0x4E00, 0x4E80), "gothic": (0x10330, 0x1034A),
}
SENTENCES = [
    "How do I boil an egg?", "I'm sorry, but I can't help with that request.", "The quick brown fox jumps over the lazy dog.",
    "Prices rose 3.14% in 2024, from $1,299.99 to $1,340.81.", "We'll see what they've done; it's not what I'd do.",
    "DON'T SHOUT, WE'RE LISTENING", "e-mail: someone@example.org, http://example.org/a?b=c&d=%20#frag",
    "Größe, façade, naïve, coöperate, Ångström", "Γειά σου Κόσμε", "Привет, мир! Как дела?", "שלום עולם", "مرحبا بالعالم",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好，世界！今天天气很好。", "こんにちは世界", "안녕하세요 세계", "გამარჯობა მსოფლიო",
    "e\u0301 and \u00e9 look alike; \u1e9b\u0323 \ufb01 \u212b", "zero\u200bwidth\u200djoin\ufeffers", "non\u00a0breaking\u202fspaces\u3000wide",
]
CODE = [
    "def f(x, *args, **kw):\n    return [y**2 for y in range(x) if y % 3 != 0]\n", "int main(void) {\n\treturn 0;\n}\n",
    "local t = { a = 1, ['b'] = 2 }\nfor k, v in pairs(t) do print(k, v) end", "SELECT * FROM t WHERE a <> 'b''c';",
    "<html><body class=\"x\">&amp;</body></html>", "{\"a\": [1, 2.5e-3, null, true]}", "x = 0xDEADBEEF; y ^= ~x << 3;",
    "git commit -m 'fix: a bug' && git push\r\n", "// comment\n/* more */\n\n\n\n#define A(x) ((x)+1)",
]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "\U0001fae0"]
SPECIALS = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<start_of_turn>",
            "<end_of_turn>", "<bos>", "<eos>", "<pad>", "[INST]", "[/INST]", "<0x0A>", "<|eot_id|>", "▁", "Ġ", "Ċ"]


def word(rng):
    low, high = SCRIPTS[rng.choice(list(SCRIPTS))]
    letters = [chr(c) for c in range(low, high + 1) if unicodedata.category(chr(c))[0] in "LM"]
    text = "".join(rng.choice(letters) for _ in range(rng.randint(1, 9)))
    return text.upper() if rng.random() < 0.1 else text


def number(rng):
    return rng.choice([str(rng.randint(0, 99999999)), "%.4f" % rng.random(), "१२३", "٤٥٦", "½", "Ⅷ", "1,000", "10^3"])


def noise(rng):
    return rng.choice([" " * rng.randint(2, 40), "\t" * rng.randint(1, 5), "\n" * rng.randint(1, 6), "\r\n", " \n ",
                       chr(rng.randint(1, 31)), "\x7f", "\x85", "\u2028", "!" * rng.randint(1, 9), "...", "--", "'s", "'LL",
                       "\ufffd", "_", "__init__", "=" * 20, "\u0301", "\U0010fffd"])


def make_corpus():
    rng = random.Random(20240607)
    lines = ["", " ", "  ", "\n", "\n\n", "\t", "a", " a", "a ", "  a  ", "'", "'s"] + SENTENCES + CODE + EMOJI + SPECIALS
    while len(lines) < 2200:
        parts = []
        for _ in range(rng.randint(1, 9)):
            kind = rng.random()
            if kind < 0.45: parts.append(word(rng))
            elif kind < 0.55: parts.append(number(rng))
            elif kind < 0.65: parts.append(noise(rng))
            elif kind < 0.70: parts.append(rng.choice(EMOJI))
            elif kind < 0.75: parts.append(rng.choice(SPECIALS))
            elif kind < 0.80: parts.append(rng.choice(CODE)[: rng.randint(5, 60)])
            else: parts.append(" ".join(rng.choice(SENTENCES).split()[: rng.randint(1, 4)]))
        lines.append(rng.choice(["", " "]).join(parts) if rng.random() < 0.3 else " ".join(parts))
    with open(os.path.join(HERE, "corpus.jsonl"), "w", encoding="utf-8") as out:
        for line in lines: out.write(json.dumps(line, ensure_ascii=False) + "\n")


def corpus():
    with open(os.path.join(HERE, "corpus.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().split("\n") if line]


# Tokenizers ----------------------------------------------------------------------------------------------------------

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")


def byte_level(name, vocab, specials, pre, normalizer=None, post=None, ignore_merges=False, prefix_space=False):
    from tokenizers import Tokenizer, models, trainers, pre_tokenizers, decoders, AddedToken
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer: t.normalizer = normalizer
    t.pre_tokenizer = pre
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab - len(specials), show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    t.train_from_iterator(SENTENCES * 20 + CODE * 10 + corpus()[::3], trainer)
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    if post: t.post_processor = post(t)
    return t


def byte_fallback(name, vocab, specials, normalizer, pre, decoder, post=None):
    from tokenizers import Tokenizer, models, trainers, AddedToken
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizer
    if pre: t.pre_tokenizer = pre
    bytes_ = ["<0x%02X>" % i for i in range(256)]
    text = [" ".join(s.split()) for s in SENTENCES[:7] * 30 + CODE * 5 + SENTENCES]
    counts = collections.Counter("".join(normalizer.normalize_str(line).replace(" ", "▁") for line in text))
    # Left to the trainer, which of the rare ones stay would change from run to run.
    alphabet = sorted(counts, key=lambda c: (-counts[c], c))[:110]
    trainer = trainers.BpeTrainer(vocab_size=vocab, show_progress=False, special_tokens=specials + bytes_,
                                  initial_alphabet=alphabet, limit_alphabet=len(alphabet), max_token_length=12)
    t.train_from_iterator(text, trainer)
    data = json.loads(t.to_str())  # a trained special token is also an added one; bytes must not be
    data["added_tokens"] = [a for a in data["added_tokens"] if a["content"] in specials]
    t = Tokenizer.from_str(json.dumps(data))
    t.normalizer = normalizer
    if pre: t.pre_tokenizer = pre
    t.decoder = decoder
    if post: t.post_processor = post(t)
    return t


def build_tokenizers():
    from tokenizers import normalizers as n, pre_tokenizers as p, decoders as d, processors as x, Regex
    def split(regex): return p.Sequence([p.Split(Regex(regex), behavior="isolated", invert=False),
                                         p.ByteLevel(add_prefix_space=False, use_regex=False)])
    def bos(token):
        return lambda t: x.Sequence([x.ByteLevel(trim_offsets=False), x.TemplateProcessing(
            single=token + " $A", pair=token + " $A " + token + " $B", special_tokens=[(token, t.token_to_id(token))])])
    def plain_bos(token):
        return lambda t: x.TemplateProcessing(single=token + " $A", pair=token + " $A " + token + " $B",
                                              special_tokens=[(token, t.token_to_id(token))])
    chatml = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    llama_decoder = d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])
    gemma_decoder = d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse()])
    return {
        "gpt2": byte_level("gpt2", 480, ["<|endoftext|>"], p.ByteLevel(add_prefix_space=False)),
        "prefix": byte_level("prefix", 420, ["<s>", "</s>"], p.ByteLevel(add_prefix_space=True)),
        "smollm": byte_level("smollm", 480, chatml, p.Sequence([p.Digits(individual_digits=True),
                                                                 p.ByteLevel(add_prefix_space=False, use_regex=True)])),
        "qwen": byte_level("qwen", 480, chatml, split(QWEN), normalizer=n.NFC()),
        "llama3": byte_level("llama3", 480, ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                                             "<|eot_id|>"], split(GPT4), post=bos("<|begin_of_text|>"), ignore_merges=True),
        "llama2": byte_fallback("llama2", 520, ["<unk>", "<s>", "</s>"], n.Sequence([n.Prepend("▁"), n.Replace(" ", "▁")]),
                                None, llama_decoder, post=plain_bos("<s>")),
        "metaspace": byte_fallback("metaspace", 520, ["<unk>", "<s>", "</s>"], n.Sequence([n.NFKC()]),
                                   p.Metaspace(replacement="▁", prepend_scheme="first", split=False), llama_decoder),
        "gemma": byte_fallback("gemma", 520, ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"],
                               n.Replace(" ", "▁"), p.Split(" ", behavior="merged_with_previous"), gemma_decoder,
                               post=plain_bos("<bos>")),
    }


def fnv(data):
    h = 0x811C9DC5
    for b in data: h = ((h ^ b) * 0x01000193) & 0xFFFFFFFF
    return h


def record_ids(t, path):
    """A line each: FNV-1a of `n, ids` as little-endian u32 with special tokens recognised, the same as user text is read
    (not recognised), then the bytes of the decoded text. Without the post-processor's tokens."""
    with open(path, "w") as out:
        for line in corpus():
            ids = t.encode(line, add_special_tokens=False).ids
            t.encode_special_tokens = True
            user = t.encode(line, add_special_tokens=False).ids
            t.encode_special_tokens = False
            data = struct.pack("<%dI" % (len(ids) + len(user) + 2), len(ids), *ids, len(user), *user)
            out.write("%08x\n" % fnv(data + t.decode(ids, skip_special_tokens=False).encode()))


def make_added():
    """Added tokens under normalizers: llama2's vocabulary, added tokens of every kind, and for each text the sum of
    its ids (see record_ids)."""
    from tokenizers import Tokenizer
    with open(os.path.join(HERE, "tokenizers", "llama2.json")) as f: base = json.load(f)
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    size = max(base["model"]["vocab"].values()) + 1
    contents = ["[INST]", "Foo", "foo bar", "...", "<s>h", "\u00a7"]
    added = [{"id": i, "content": c, "normalized": True} for i, c in enumerate(["<unk>", "<s>", "</s>"])] + \
        [{"id": size + i, "content": c, "normalized": c not in ("foo bar", "\u00a7")} for i, c in enumerate(contents)]
    bits = ["<s>", "</s>", "<S>", "\uff1c/s\uff1e", "\uff1cs\uff1e", "[INST]", "[/INST]", "[inst]", " ", "  ", "\n", "\u2581", "hi",
            "foo", "FOO", "barfoo", "\u00e9", "e\u0301", "\u2026", "...", "x", "\uff26oo", "</s", "/s>", "<", "\u3000", "_", "5",
            "a\ufdd0b", "\ufdd1", "\u00a7", "foo bar", ">\u0338"]
    rng = random.Random(5)
    texts = ["".join(rng.choice(bits) for _ in range(rng.randint(1, 9))) for _ in range(90)]
    texts += ["<s>[INST]", "<s>hi</s>", " <s>hi </s>", "<s>", "a <s>", "\uff1c/s\uff1e", "\u2026", "\u00a7", "\ufdd0\u00a7\ufdd0"]
    cases = []
    for normalizer in (base["normalizer"], {"type": "NFKC"}, {"type": "Lowercase"}, None):
        for special in (True, False):
            for flag in ("none", *flags):
                tokens = [{**a, **flags, "special": special} for a in added]
                if flag != "none": tokens = [{**a, flag: True} for a in tokens]
                t = Tokenizer.from_str(json.dumps({**base, "normalizer": normalizer, "added_tokens": tokens}))
                sums = []
                for text in texts:
                    ids = t.encode(text, add_special_tokens=False).ids
                    t.encode_special_tokens = True
                    user = t.encode(text, add_special_tokens=False).ids
                    t.encode_special_tokens = False
                    data = struct.pack("<%dI" % (len(ids) + len(user) + 2), len(ids), *ids, len(user), *user)
                    sums.append(fnv(data))
                cases.append({"normalizer": normalizer, "special": special, "flag": flag, "sums": sums})
    with open(os.path.join(HERE, "added.json"), "w") as f:
        json.dump({"added_tokens": added, "texts": texts, "cases": cases}, f, separators=(",", ":"))
        f.write("\n")


def make_tokenizers():
    made = build_tokenizers()
    folder = os.path.join(HERE, "tokenizers")
    os.makedirs(folder, exist_ok=True)
    for name, t in made.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
            f.write(json.dumps(json.loads(t.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
        record_ids(t, os.path.join(folder, name + ".ids"))


# Models --------------------------------------------------------------------------------------------------------------

BASE = dict(hidden_size=64, intermediate_size=88, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=256, rms_norm_eps=1e-6)


def architectures():
    import transformers as tf
    rope = dict(rope_theta=10000.0, rope_type="default")
    return {
        "llama": (tf.LlamaConfig, dict(BASE, rope_parameters=dict(rope_theta=500000.0, rope_type="llama3", factor=8.0,
                  low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
                  mlp_bias=True, tie_word_embeddings=False), "bfloat16", "llama3"),
        "qwen2": (tf.Qwen2Config, dict(BASE, rope_parameters=dict(rope, rope_theta=1000000.0), intermediate_size=24,
                  num_key_value_heads=1, tie_word_embeddings=True), "float32", "qwen"),
        "qwen3": (tf.Qwen3Config, dict(BASE, rope_parameters=rope, head_dim=32, attention_bias=True, tie_word_embeddings=True),
                  "bfloat16", "qwen"),
        "mistral": (tf.MistralConfig, dict(BASE, rope_parameters=rope, sliding_window=8, tie_word_embeddings=False),
                    "float16", "llama2"),
        "gemma2": (tf.Gemma2Config, dict(BASE, rope_parameters=rope, head_dim=32, sliding_window=8, query_pre_attn_scalar=24,
                   final_logit_softcapping=5.0, attn_logit_softcapping=3.0, tie_word_embeddings=True), "bfloat16", "gemma"),
        "gemma3": (tf.Gemma3TextConfig, dict(BASE, num_hidden_layers=3, head_dim=16, sliding_window=8,
                   query_pre_attn_scalar=16, layer_types=["sliding_attention", "sliding_attention", "full_attention"],
                   rope_parameters=dict(full_attention=dict(rope_theta=1000000.0, rope_type="linear", factor=8.0),
                                        sliding_attention=dict(rope_theta=10000.0, rope_type="default")),
                   tie_word_embeddings=True), "bfloat16", "gemma"),
        "phi3": (tf.Phi3Config, dict(BASE, sliding_window=None, tie_word_embeddings=False, pad_token_id=0,
                 original_max_position_embeddings=128, rope_parameters=dict(rope, partial_rotary_factor=0.5, rope_type="longrope",
                 short_factor=[1.0, 1.25, 1.5, 2.0], long_factor=[1.0, 2.0, 4.0, 8.0])), "bfloat16", "llama2"),
        "olmo2": (tf.Olmo2Config, dict(BASE, rope_parameters=rope, tie_word_embeddings=False, pad_token_id=1), "float16", "gpt2"),
    }


CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
TEMPLATES = {
    "qwen": CHATML,
    "llama3": "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + "
              "'<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
    "gemma": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m['role'] %}"
             "{% endif %}{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
             "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
    "llama2": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
              "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}",
    "gpt2": None,
}
TOKENS = {  # bos, eos
    "qwen": (None, "<|im_end|>"), "llama3": ("<|begin_of_text|>", "<|eot_id|>"), "gemma": ("<bos>", "<eos>"),
    "llama2": ("<s>", "</s>"), "gpt2": (None, "<|endoftext|>"),
}
# What the recorded prompts are made of: ids, so that a tokenizer's fault is not a model's.
PROMPT_TOKENS, NEW_TOKENS, PROMPTS = 28, 40, 3


def fill(model, seed):
    import torch
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        scale = 0.3 if p.dim() == 1 else 1.6 / p.shape[-1] ** 0.5
        base = torch.randn(p.shape, generator=g) * scale
        gemma = "Gemma" in type(model).__name__
        if p.dim() == 1 and "norm" in name and not gemma: base += 1.0
        p.data.copy_(base)


def make_model(name, cls, settings, dtype, tokenizer_name):
    import torch, transformers as tf, shutil
    from tokenizers import Tokenizer
    folder = os.path.join(HERE, "models", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tok_path = os.path.join(HERE, "tokenizers", tokenizer_name + ".json")
    t = Tokenizer.from_file(tok_path)
    bos, eos = TOKENS[tokenizer_name]
    config = cls(vocab_size=t.get_vocab_size(), bos_token_id=t.token_to_id(bos) if bos else None,
                 eos_token_id=t.token_to_id(eos), **settings)
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = tf.AutoModelForCausalLM.from_config(config).eval()
    fill(model, seed=sum(name.encode()))
    model = model.to(getattr(torch, dtype))
    shards = {"max_shard_size": "60KB"} if name == "mistral" else {}
    model.save_pretrained(folder, **shards)
    shutil.copy(tok_path, os.path.join(folder, "tokenizer.json"))
    tc = {"bos_token": bos, "eos_token": eos, "chat_template": TEMPLATES[tokenizer_name], "tokenizer_class": "PreTrainedTokenizerFast"}
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f: json.dump({k: v for k, v in tc.items() if v}, f, indent=2)
    model = tf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rng = random.Random(7)
    with open(os.path.join(folder, "expected.bin"), "wb") as out:
        for n in range(PROMPTS):
            ids = [rng.randrange(8, t.get_vocab_size()) for _ in range(PROMPT_TOKENS)]
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0].float()
                seq, gaps = list(ids), []
                for _ in range(NEW_TOKENS):  # the plain loop: no stop token, no cache, nothing hidden
                    top = model(torch.tensor([seq])).logits[0, -1].float()
                    two = torch.topk(top, 2).values
                    gaps.append(float(two[0] - two[1]))
                    seq.append(int(top.argmax()))
            out.write(struct.pack("<III", PROMPT_TOKENS, NEW_TOKENS, t.get_vocab_size()))
            out.write(struct.pack("<%dI" % len(seq), *seq))
            out.write(struct.pack("<%df" % NEW_TOKENS, *gaps))
            keep = logits[[0, PROMPT_TOKENS // 2, PROMPT_TOKENS - 1]]
            out.write(keep.numpy().astype("<f4").tobytes())
    for f in os.listdir(folder): os.chmod(os.path.join(folder, f), 0o644)
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder) if "safetensors" in f)
    print(name, size, "bytes of weights; smallest gap", min(gaps))


def make_models():
    for name, (cls, settings, dtype, tok) in architectures().items(): make_model(name, cls, settings, dtype, tok)


# Float64 -------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def everything_in_float64():
    """transformers goes through float32 in norms, softmax and rotary tables whatever a model's type is."""
    import torch
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try: yield
    finally: torch.float32, torch.float, torch.Tensor.float = kept


def exact_logits(name, ids):
    import torch, transformers as tf
    folder = os.path.join(HERE, "models", name)
    config = tf.AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    state = tf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
    with everything_in_float64(), torch.no_grad():
        model = tf.AutoModelForCausalLM.from_config(config).double().eval()
        model.load_state_dict(state)
        assert all(b.dtype == torch.float64 for b in model.buffers() if b.is_floating_point())
        return model(torch.tensor([ids])).logits[0]


def make_float64():
    """What is missing from each recorded logit of transformers in float32 to the same in float64, as float32: exact enough.
    Models in the order of architectures(), prompts and positions in that of expected.bin."""
    import torch
    with open(os.path.join(HERE, "float64.bin"), "wb") as out:
        for name in architectures():
            with open(os.path.join(HERE, "models", name, "expected.bin"), "rb") as f: data = f.read()
            at = 0
            while at < len(data):
                n, new, vocab = struct.unpack_from("<III", data, at)
                ids = struct.unpack_from("<%dI" % n, data, at + 12)
                begin = at + 12 + 4 * (n + 2 * new)
                at = begin + 4 * 3 * vocab
                recorded = torch.tensor(struct.unpack_from("<%df" % (3 * vocab), data, begin), dtype=torch.float64).view(3, vocab)
                out.write((exact_logits(name, ids)[[0, n // 2, n - 1]] - recorded).numpy().astype("<f4").tobytes())


# Sampling ------------------------------------------------------------------------------------------------------------

SAMPLING = [
    dict(temperature=1.0), dict(temperature=0.5), dict(temperature=1.7), dict(temperature=1.0, top_k=1),
    dict(temperature=1.0, top_k=5), dict(temperature=0.7, top_k=50), dict(temperature=1.0, top_p=0.3),
    dict(temperature=1.3, top_p=0.9), dict(temperature=0.6, top_p=0.95), dict(temperature=1.0, min_p=0.05),
    dict(temperature=2.0, min_p=0.3), dict(temperature=0.7, top_k=8, top_p=0.8), dict(temperature=1.5, top_k=12, min_p=0.1),
    dict(temperature=1.2, top_p=0.9, min_p=0.15), dict(temperature=0.9, top_k=10, top_p=0.85, min_p=0.08),
    dict(temperature=1.0, repetition_penalty=1.3), dict(temperature=1.0, repetition_penalty=0.7),
    dict(temperature=0.8, top_k=6, top_p=0.9, min_p=0.05, repetition_penalty=1.1),
]


def make_sampling():
    """What is left of a distribution after the processors that `generate` puts together for these parameters, in its order:
    probabilities of each token. No two logits are equal: transformers keeps all of a tie at top_k's edge."""
    import torch, transformers as tf
    model = tf.AutoModelForCausalLM.from_pretrained(os.path.join(HERE, "models", "qwen2"))
    rng, rows = random.Random(5), []
    for settings in SAMPLING:
        for n in (24, 40):
            logits = [x / 64 for x in rng.sample(range(-400, 400), n)]
            history = [rng.randrange(n) for _ in range(9)]
            config = tf.GenerationConfig(do_sample=True, **dict(dict(top_k=0, top_p=1.0), **settings))
            processors = model._get_logits_processor(generation_config=config, input_ids_seq_length=len(history), device="cpu")
            scores = processors(torch.tensor([history]), torch.tensor([logits], dtype=torch.float32))
            probabilities = torch.softmax(scores.double(), -1)[0].tolist()
            penalty = tf.RepetitionPenaltyLogitsProcessor(settings.get("repetition_penalty", 1.0))
            greedy = int(penalty(torch.tensor([history]), torch.tensor([logits])).argmax())
            rows.append(dict(settings, logits=logits, history=history, greedy=greedy,
                             probabilities=[round(p, 9) for p in probabilities]))
    with open(os.path.join(HERE, "sampling.json"), "w") as out:
        out.write("[" + ",\n".join(json.dumps(row) for row in rows) + "]\n")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["corpus", "tokenizers", "added", "models", "float64", "sampling"]
    for what in wanted: globals()["make_" + what]()
