/* config.h: what `config.json` says about a model's shape, in the one form that the forward pass knows.
 *
 * Both spellings are read: `rope_theta`, `rope_scaling` and `torch_dtype` of most published checkpoints, and
 * `rope_parameters` and `dtype` of newer ones. A field that is not known to leave the numbers alone is an error that
 * names it: a wrong number is worse than a refusal. One that is absent means the default of transformers' configuration
 * class for that architecture; null means none. */
#ifndef LRE_INFER_CONFIG_H
#define LRE_INFER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum lre_arch {
  LRE_ARCH_LLAMA,
  LRE_ARCH_QWEN2,
  LRE_ARCH_QWEN3,
  LRE_ARCH_MISTRAL,
  LRE_ARCH_GEMMA2,
  LRE_ARCH_GEMMA3,
  LRE_ARCH_PHI3,
  LRE_ARCH_OLMO2
};

enum lre_rope_kind { LRE_ROPE_DEFAULT, LRE_ROPE_LINEAR, LRE_ROPE_LLAMA3, LRE_ROPE_LONG };

enum { LRE_MAX_LAYERS = 512, LRE_MAX_HEAD_DIM = 512, LRE_MAX_STOPS = 16 };

struct lre_rope {
  enum lre_rope_kind kind;
  double theta, factor, low_freq, high_freq, original;
  float attention_factor;                  /* cos and sin are multiplied by it (longrope) */
  float long_factor[LRE_MAX_HEAD_DIM / 2]; /* longrope's factors within `original` positions */
};

struct lre_config {
  enum lre_arch arch;
  char model_type[32];
  size_t d_model, d_ffn, n_layers, n_heads, n_kv_heads, head_dim, rotary_dim, n_vocab, max_positions;
  size_t window; /* positions that a sliding layer sees, itself included; 0: none */
  uint8_t sliding[LRE_MAX_LAYERS];
  struct lre_rope rope[2]; /* [0] of full layers, [1] of sliding ones */
  float norm_eps, attention_scale, attention_cap, final_cap, embedding_scale; /* a cap of 0: none */
  bool tied, qkv_bias, o_bias, mlp_bias;
  bool qk_norm;       /* over each head (qwen3, gemma3) */
  bool qk_norm_whole; /* over the whole projection (olmo2) */
  bool norm_plus_one; /* gemma: weights are stored minus one */
  bool post_norms;    /* gemma: a norm after attention and mlp, too */
  bool only_post;     /* olmo2: no norm before them */
  bool gelu;          /* tanh form; else silu */
  bool fused;         /* phi3: qkv_proj and gate_up_proj */
  uint32_t stops[LRE_MAX_STOPS];
  size_t n_stops; /* eos_token_id, from generation_config.json where that has one */
};

/* Reads config.json's text. False: err kind "infer", code "config" (the field, what was expected and found). */
bool lre_config_parse(struct lre_config *c, const char *text, size_t len, struct lre_err *err);
/* Reads <folder>/config.json and generation_config.json's eos_token_id. */
bool lre_config_load(struct lre_config *c, const char *folder, struct lre_err *err);

#endif
