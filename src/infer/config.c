#include "infer/config.h"

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/fs.h"
#include "core/json.h"

#define MAX_CONFIG_BYTES (4u << 20)
#define BAD(...)         lre_err_set(err, "infer", "config", __VA_ARGS__)

/* Fields that this file reads. */
static const char *const known[] = {
    "model_type",
    "architectures",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "hidden_activation",
    "tie_word_embeddings",
    "attention_bias",
    "mlp_bias",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "rope_local_base_freq",
    "partial_rotary_factor",
    "original_max_position_embeddings",
    "sliding_window",
    "use_sliding_window",
    "max_window_layers",
    "layer_types",
    "sliding_window_pattern",
    "query_pre_attn_scalar",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "eos_token_id",
    /* and those that say nothing about the numbers of a forward pass */
    "bos_token_id",
    "_name_or_path",
    "_model_name_or_path",
    "_commit_hash",
    "_from_model_config",
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_attn_implementation_internal",
    "_flash_attn_2_enabled",
    "_sliding_window_pattern", /* gemma3's class writes it beside layer_types, and reads it nowhere */
    "attention_dropout",
    "attn_dropout",
    "embd_pdrop",
    "resid_pdrop",
    "hidden_dropout",
    "hidden_dropout_prob",
    "dropout",
    "auto_map",
    "cache_implementation",
    "chunk_size_feed_forward",
    "dtype",
    "torch_dtype",
    "initializer_range",
    "initializer_factor",
    "pad_token_id",
    "pretraining_tp",
    "transformers_version",
    "use_cache",
    "unsloth_version",
    "unsloth_fixed",
    "gradient_checkpointing",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "unk_token_id",
    "id2label",
    "label2id",
    "problem_type",
    "task_specific_params",
    "tokenizer_class",
    "finetuning_task",
    "is_decoder",
    "is_encoder_decoder",
    "max_length",
    "min_length",
    "max_sequence_length",
    "num_beams",
    "num_beam_groups",
    "num_return_sequences",
    "diversity_penalty",
    "early_stopping",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "remove_invalid_values",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    "do_sample",
    "repetition_penalty",
    "length_penalty",
    "is_llama_config",
    "transformers.js_config",
    "torchscript",
    "tf_legacy_loss",
    "sliding_window_size",
    "use_bfloat16",
    "mlp_only_layers",
};

/* Fields that would change the numbers, and published files hold with the one value that does not. A `false` in any
 * other field is refused like any other value: what it turns off may be what this engine always does. */
static const char *const off[] = {
    "rope_interleaved",    "use_bidirectional_attention", "use_mrope",     "lm_head_bias",
    "add_cross_attention", "tie_encoder_decoder",         "use_logn_attn", "use_dynamic_ntk",
};
static const char *const one[] = {"full_attn_mod", "interpolate_factor"}; /* Phi-4-mini's */

static const char *const rope_members[] = {
    "rope_type",        "type",
    "rope_theta",       "partial_rotary_factor",
    "factor",           "original_max_position_embeddings",
    "low_freq_factor",  "high_freq_factor",
    "short_factor",     "long_factor",
    "attention_factor",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool listed(const char *name, const char *const *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, list[i]) == 0) return true;
  return false;
}

static bool harmless(const cJSON *item) {
  if (cJSON_IsNull(item) || listed(item->string, known, COUNT(known))) return true;
  if (listed(item->string, one, COUNT(one))) return cJSON_IsNumber(item) && item->valuedouble == 1;
  return cJSON_IsFalse(item) && listed(item->string, off, COUNT(off));
}

static bool check_fields(const cJSON *root, struct lre_err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, root) {
    if (!harmless(item))
      return BAD("config.json: field %s is not known to this engine: what it changes would be missing", item->string);
  }
  return true;
}

/* transformers only warns of a member that it does not know. Here its name is the error: its scaling would be missing.
 */
static bool check_rope(const cJSON *scaling, const char *const *names, size_t n, struct lre_err *err) {
  const cJSON *item;
  if (scaling && !cJSON_IsObject(scaling)) return BAD("config.json: %s: expected an object", scaling->string);
  cJSON_ArrayForEach(item, scaling) {
    if (!cJSON_IsNull(item) && !listed(item->string, names, n))
      return BAD("config.json: %s.%s is not known to this engine: what it changes would be missing", scaling->string,
                 item->string);
  }
  return true;
}

static const cJSON *field(const cJSON *root, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, name);
  return cJSON_IsNull(item) ? NULL : item;
}

/* Is it there, as null: "none", where a field that is not there is the class's default? */
static bool is_null(const cJSON *root, const char *name) {
  return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(root, name));
}

/* A whole number in [low, high]; `fallback` where it is not there, 0: it must be. */
static bool whole(const cJSON *root, const char *name, size_t low, size_t high, size_t fallback, size_t *out,
                  struct lre_err *err) {
  const cJSON *item = field(root, name);
  *out = fallback;
  if (!item && fallback) return true;
  if (!item) return BAD("config.json: %s is missing", name);
  double v = cJSON_IsNumber(item) ? item->valuedouble : -1;
  if (!(v >= (double)low && v <= (double)high) || v != floor(v))
    return BAD("config.json: %s: expected a whole number from %zu to %zu", name, low, high);
  *out = (size_t)v;
  return true;
}

static bool real(const cJSON *root, const char *name, double low, double high, double fallback, double *out,
                 struct lre_err *err) {
  const cJSON *item = field(root, name);
  *out = fallback;
  if (!item) return true;
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
    return BAD("config.json: %s: expected a number from %g to %g", name, low, high);
  *out = item->valuedouble;
  return true;
}

static bool flag(const cJSON *root, const char *name, bool fallback, bool *out, struct lre_err *err) {
  const cJSON *item = field(root, name);
  *out = item ? cJSON_IsTrue(item) : fallback;
  return !item || cJSON_IsBool(item) || BAD("config.json: %s: expected true or false", name);
}

/* What a field that is absent means: the defaults of transformers 5's configuration classes. 0: none, or what follows
 * from the other fields. The sizes that no two checkpoints share have to be there. */
struct defaults {
  const char *name;
  enum lre_arch arch;
  size_t n_kv_heads, head_dim, max_positions, window, stop;
  double norm_eps, attention_cap, final_cap;
};

static const struct defaults archs[] = {
    {"llama", LRE_ARCH_LLAMA, 0, 0, 2048, 0, 2, 1e-6, 0, 0},
    {"qwen2", LRE_ARCH_QWEN2, 32, 0, 32768, 4096, 0, 1e-6, 0, 0},
    {"qwen3", LRE_ARCH_QWEN3, 32, 128, 32768, 4096, 0, 1e-6, 0, 0},
    {"mistral", LRE_ARCH_MISTRAL, 8, 0, 131072, 4096, 2, 1e-6, 0, 0},
    {"gemma2", LRE_ARCH_GEMMA2, 4, 256, 8192, 4096, 1, 1e-6, 50, 30},
    {"gemma3_text", LRE_ARCH_GEMMA3, 4, 256, 131072, 4096, 1, 1e-6, 0, 0},
    {"phi3", LRE_ARCH_PHI3, 0, 0, 4096, 0, 32000, 1e-5, 0, 0},
    {"olmo2", LRE_ARCH_OLMO2, 0, 0, 2048, 0, 50279, 1e-5, 0, 0},
};

static const struct defaults *defaults_of(const struct lre_config *c) {
  const struct defaults *d = archs;
  while (d->arch != c->arch) d++;
  return d;
}

static bool read_arch(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const char *type = cJSON_GetStringValue(field(root, "model_type"));
  for (size_t i = 0; type && i < COUNT(archs); i++) {
    if (strcmp(type, archs[i].name) != 0) continue;
    c->arch = archs[i].arch;
    strcpy(c->model_type, type);
    return true;
  }
  return BAD(
      "config.json: model_type: %.60s is not supported (llama, qwen2, qwen3, mistral, gemma2, gemma3_text, phi3, "
      "olmo2 are)",
      type ? type : "nothing");
}

static bool read_sizes(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const struct defaults *d = defaults_of(c);
  bool ok = whole(root, "hidden_size", 1, 1 << 20, 0, &c->d_model, err) &&
            whole(root, "intermediate_size", 1, 1 << 22, 0, &c->d_ffn, err) &&
            whole(root, "num_hidden_layers", 1, LRE_MAX_LAYERS, 0, &c->n_layers, err) &&
            whole(root, "num_attention_heads", 1, 4096, 0, &c->n_heads, err) &&
            whole(root, "vocab_size", 1, 1 << 24, 0, &c->n_vocab, err) &&
            whole(root, "max_position_embeddings", 1, 1 << 28, d->max_positions, &c->max_positions, err);
  size_t kv_heads = d->n_kv_heads && !is_null(root, "num_key_value_heads") ? d->n_kv_heads : c->n_heads;
  size_t head_dim = d->head_dim || !ok ? d->head_dim : c->d_model / c->n_heads;
  ok = ok && whole(root, "num_key_value_heads", 1, 4096, kv_heads, &c->n_kv_heads, err) &&
       whole(root, "head_dim", 2, LRE_MAX_HEAD_DIM, head_dim, &c->head_dim, err);
  if (!ok) return false;
  if (c->n_heads % c->n_kv_heads)
    return BAD("config.json: num_attention_heads %zu is no multiple of num_key_value_heads %zu", c->n_heads,
               c->n_kv_heads);
  if (c->head_dim % 2 || !c->head_dim || c->head_dim > LRE_MAX_HEAD_DIM)
    return BAD("config.json: head_dim: expected an even number from 2 to %d, found %zu", LRE_MAX_HEAD_DIM, c->head_dim);
  return true;
}

static bool read_activation(struct lre_config *c, const cJSON *root, bool gemma, struct lre_err *err) {
  const char *name = gemma ? "hidden_activation" : "hidden_act";
  const cJSON *item = field(root, name);
  const char *act = item ? cJSON_GetStringValue(item) : gemma ? "gelu_pytorch_tanh" : "silu";
  if (!act) return BAD("config.json: %s: expected a name", name);
  c->gelu = strcmp(act, "gelu_pytorch_tanh") == 0;
  return c->gelu || strcmp(act, "silu") == 0 ||
         BAD("config.json: %s: %.60s is not supported (silu, gelu_pytorch_tanh are)", name, act);
}

/* What an architecture has that no field says. A field that its class does not have is not looked at, as in
 * transformers: its code reads mlp_bias for llama alone, and has attention_bias fixed where `fixed` is. */
static bool read_traits(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  enum lre_arch a = c->arch;
  bool gemma = a == LRE_ARCH_GEMMA2 || a == LRE_ARCH_GEMMA3;
  bool fixed = a == LRE_ARCH_QWEN2 || a == LRE_ARCH_MISTRAL || a == LRE_ARCH_PHI3;
  double eps;
  bool bias, mlp_bias;
  if (!real(root, "rms_norm_eps", 0, 1, defaults_of(c)->norm_eps, &eps, err) ||
      !flag(root, "tie_word_embeddings", gemma, &c->tied, err) || !flag(root, "attention_bias", false, &bias, err) ||
      !flag(root, "mlp_bias", false, &mlp_bias, err))
    return false;
  c->norm_eps = (float)eps;
  c->mlp_bias = mlp_bias && a == LRE_ARCH_LLAMA;
  c->o_bias = bias && !fixed;
  c->qkv_bias = c->o_bias || a == LRE_ARCH_QWEN2;
  c->qk_norm = a == LRE_ARCH_QWEN3 || a == LRE_ARCH_GEMMA3;
  c->qk_norm_whole = c->only_post = a == LRE_ARCH_OLMO2;
  c->norm_plus_one = c->post_norms = gemma;
  c->fused = a == LRE_ARCH_PHI3;
  c->embedding_scale = gemma ? (float)sqrt((double)c->d_model) : 1.0f;
  return read_activation(c, root, gemma, err);
}

static bool read_cap(const cJSON *root, const char *name, double fallback, float *out, struct lre_err *err) {
  double cap;
  if (!real(root, name, 1e-6, 1e9, is_null(root, name) ? 0 : fallback, &cap, err)) return false;
  *out = (float)cap;
  return true;
}

/* gemma3's class has attn_logit_softcapping, and its attention does not use it. */
static bool read_attention(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const struct defaults *d = defaults_of(c);
  bool capped = c->arch == LRE_ARCH_GEMMA2, gemma = capped || c->arch == LRE_ARCH_GEMMA3;
  double scalar = (double)c->head_dim;
  if (gemma && !real(root, "query_pre_attn_scalar", 1e-3, 1e9, 256, &scalar, err)) return false;
  c->attention_scale = (float)(1.0 / sqrt(scalar));
  return (!capped || read_cap(root, "attn_logit_softcapping", d->attention_cap, &c->attention_cap, err)) &&
         (!gemma || read_cap(root, "final_logit_softcapping", d->final_cap, &c->final_cap, err));
}

static bool read_window(struct lre_config *c, const cJSON *root, bool qwen, struct lre_err *err) {
  bool asked = true;
  if (qwen && !flag(root, "use_sliding_window", false, &asked, err)) return false;
  c->window = is_null(root, "sliding_window") ? 0 : defaults_of(c)->window;
  if (field(root, "sliding_window") && !whole(root, "sliding_window", 1, 1 << 28, 0, &c->window, err)) return false;
  if (!asked || c->arch == LRE_ARCH_LLAMA || c->arch == LRE_ARCH_OLMO2) c->window = 0;
  return true;
}

/* Which layers slide where no list says it. */
static bool read_pattern(struct lre_config *c, const cJSON *root, bool qwen, bool gemma, struct lre_err *err) {
  size_t pattern = 2, full_below = 0;
  if (c->arch == LRE_ARCH_GEMMA3 && !whole(root, "sliding_window_pattern", 1, LRE_MAX_LAYERS, 6, &pattern, err))
    return false;
  if (qwen && !whole(root, "max_window_layers", 0, 1 << 20, 28, &full_below, err)) return false;
  for (size_t i = 0; i < c->n_layers; i++) {
    bool slides = gemma ? (i + 1) % pattern != 0 : c->window && i >= full_below;
    c->sliding[i] = slides;
  }
  return true;
}

/* The list, where there is one. Code of transformers that has no list slides in all layers or in none, whatever a list
 * says: one that says something else is refused. */
static bool read_windows(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const cJSON *types = field(root, "layer_types"), *item;
  bool gemma = c->arch == LRE_ARCH_GEMMA2 || c->arch == LRE_ARCH_GEMMA3;
  bool qwen = c->arch == LRE_ARCH_QWEN2 || c->arch == LRE_ARCH_QWEN3;
  size_t i = 0;
  if (!read_window(c, root, qwen, err) || !read_pattern(c, root, qwen, gemma, err)) return false;
  cJSON_ArrayForEach(item, types) {
    const char *type = cJSON_GetStringValue(item);
    bool slides = type && strcmp(type, "sliding_attention") == 0;
    if (i == c->n_layers || !type || (!slides && strcmp(type, "full_attention") != 0))
      return BAD("config.json: layer_types[%zu]: expected sliding_attention or full_attention, one a layer", i);
    if (!gemma && !qwen && slides != c->sliding[i])
      return BAD("config.json: layer_types[%zu]: %s has no layers of two types: expected %s", i, c->model_type,
                 slides ? "full_attention" : "sliding_attention");
    c->sliding[i++] = slides;
  }
  if (types && i != c->n_layers) return BAD("config.json: layer_types: %zu of %zu layers are there", i, c->n_layers);
  for (i = 0; i < c->n_layers; i++)
    if (c->sliding[i] && !c->window)
      return BAD("config.json: sliding_window: expected a number (layer %zu slides), found none", i);
  return true;
}

static bool read_long_factors(struct lre_rope *r, const cJSON *scaling, const struct lre_config *c,
                              struct lre_err *err) {
  const cJSON *list = field(scaling, "short_factor"), *item;
  size_t i = 0, n = c->rotary_dim / 2;
  cJSON_ArrayForEach(item, list) {
    if (i == n || !cJSON_IsNumber(item) || !(item->valuedouble > 0)) break;
    r->long_factor[i++] = (float)item->valuedouble;
  }
  if (i != n || (size_t)cJSON_GetArraySize(list) != n)
    return BAD("config.json: rope_scaling.short_factor: expected %zu numbers over 0", n);
  return true;
}

/* transformers prefers the field outside the scaling (phi3's class has it always, 4096 where no file says it), and
 * falls back to the length of the context. */
static bool read_original(const struct lre_config *c, const cJSON *root, const cJSON *scaling, size_t *out,
                          struct lre_err *err) {
  bool outside = c->arch == LRE_ARCH_PHI3 || field(root, "original_max_position_embeddings");
  return whole(outside ? root : scaling, "original_max_position_embeddings", 2, 1 << 28,
               c->arch == LRE_ARCH_PHI3 ? 4096 : c->max_positions, out, err);
}

/* Beyond the original length transformers takes other factors for the whole sequence, also for what was computed
 * already; no cached key could stay. So the context ends there. */
static bool read_longrope(struct lre_config *c, struct lre_rope *r, const cJSON *root, const cJSON *scaling,
                          struct lre_err *err) {
  size_t original;
  double factor, attention;
  if (!read_original(c, root, scaling, &original, err)) return false;
  if (!real(scaling, "factor", 1, 1e6, (double)c->max_positions / (double)original, &factor, err)) return false;
  double own = factor <= 1 ? 1 : sqrt(1 + log(factor) / log((double)original));
  if (!real(scaling, "attention_factor", 0, 1e3, own, &attention, err)) return false;
  r->attention_factor = (float)attention;
  if (c->max_positions > original) c->max_positions = original;
  return read_long_factors(r, scaling, c, err);
}

static bool read_llama3(const struct lre_config *c, struct lre_rope *r, const cJSON *root, const cJSON *scaling,
                        struct lre_err *err) {
  size_t original;
  if (!read_original(c, root, scaling, &original, err)) return false;
  r->original = (double)original;
  if (!real(scaling, "low_freq_factor", 1e-6, 1e6, 0, &r->low_freq, err) ||
      !real(scaling, "high_freq_factor", 1e-6, 1e6, 0, &r->high_freq, err))
    return false;
  if (r->low_freq <= 0) return BAD("config.json: rope_scaling.low_freq_factor is missing");
  return r->high_freq > r->low_freq || BAD("config.json: rope_scaling: high_freq_factor must be over low_freq_factor");
}

/* What rotates: phi3's code alone knows of a part. */
static bool read_rotary_dim(struct lre_config *c, const cJSON *root, const cJSON *scaling, struct lre_err *err) {
  const cJSON *owner = field(scaling, "partial_rotary_factor") ? scaling : root;
  double partial;
  if (!real(owner, "partial_rotary_factor", 0.01, 1, 1, &partial, err)) return false;
  if (partial < 1 && c->arch != LRE_ARCH_PHI3)
    return BAD("config.json: partial_rotary_factor: expected 1 (phi3 alone rotates a part of a head), found %g",
               partial);
  c->rotary_dim = (size_t)((double)c->head_dim * partial);
  return (c->rotary_dim && c->rotary_dim % 2 == 0) ||
         BAD("config.json: partial_rotary_factor: expected an even number of dimensions to rotate, found %zu",
             c->rotary_dim);
}

/* One scaling: `scaling` may be NULL (none). */
static bool read_rope(struct lre_config *c, struct lre_rope *r, const cJSON *root, const cJSON *scaling, double theta,
                      struct lre_err *err) {
  const cJSON *item = field(scaling, "rope_type");
  if (!item) item = field(scaling, "type");
  const char *type = item ? cJSON_GetStringValue(item) : "default";
  r->attention_factor = 1;
  if (!type) return BAD("config.json: rope_scaling.rope_type: expected a name");
  if (!check_rope(scaling, rope_members, COUNT(rope_members), err) || !read_rotary_dim(c, root, scaling, err) ||
      !real(scaling, "rope_theta", 1e-3, 1e15, theta, &r->theta, err))
    return false;
  if (strcmp(type, "default") == 0) return true;
  if (strcmp(type, "longrope") == 0 || strcmp(type, "su") == 0) {
    r->kind = LRE_ROPE_LONG;
    return read_longrope(c, r, root, scaling, err);
  }
  if (!real(scaling, "factor", 1e-3, 1e6, 0, &r->factor, err)) return false;
  if (strcmp(type, "linear") == 0) {
    r->kind = LRE_ROPE_LINEAR;
    return r->factor > 0 || BAD("config.json: rope_scaling.factor is missing");
  }
  if (strcmp(type, "llama3") != 0)
    return BAD("config.json: rope_scaling.rope_type: %.60s is not supported (default, linear, llama3, longrope are)",
               type);
  r->kind = LRE_ROPE_LLAMA3;
  return r->factor > 0 ? read_llama3(c, r, root, scaling, err) : BAD("config.json: rope_scaling.factor is missing");
}

/* gemma3 has a rope of its own for the layers that slide. The older spelling scales that of the others alone. */
static bool read_gemma3_ropes(struct lre_config *c, const cJSON *root, const cJSON *old, const cJSON *new, double theta,
                              struct lre_err *err) {
  static const char *const parts[] = {"full_attention", "sliding_attention"};
  double local;
  if (old && new) return BAD("config.json: rope_scaling and rope_parameters: expected one of them");
  return check_rope(new, parts, COUNT(parts), err) &&
         real(root, "rope_local_base_freq", 1e-3, 1e15, 1e4, &local, err) &&
         read_rope(c, &c->rope[0], root, old ? old : field(new, "full_attention"), theta, err) &&
         read_rope(c, &c->rope[1], root, field(new, "sliding_attention"), local, err);
}

static bool read_ropes(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const cJSON *old = field(root, "rope_scaling"), *new = field(root, "rope_parameters");
  bool gemma3 = c->arch == LRE_ARCH_GEMMA3;
  double theta;
  if (cJSON_IsObject(old) && !old->child) old = NULL;
  if (!real(root, "rope_theta", 1e-3, 1e15, gemma3 ? 1e6 : 1e4, &theta, err)) return false;
  if (gemma3) return read_gemma3_ropes(c, root, old, new, theta, err);
  if (!read_rope(c, &c->rope[0], root, old ? old : new, theta, err)) return false; /* transformers' order, too */
  c->rope[1] = c->rope[0];
  return true;
}

/* The tokens that end an answer, as `file` says. */
static bool read_stops(struct lre_config *c, const cJSON *eos, const char *file, struct lre_err *err) {
  const cJSON *item = cJSON_IsArray(eos) ? eos->child : eos;
  for (c->n_stops = 0; item; item = cJSON_IsArray(eos) ? item->next : NULL) {
    double v = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(v >= 0 && v < (double)c->n_vocab) || v != floor(v))
      return BAD("%s: eos_token_id: expected a token from 0 to %zu", file, c->n_vocab - 1);
    if (c->n_stops == LRE_MAX_STOPS) return BAD("%s: eos_token_id: more than %d tokens", file, LRE_MAX_STOPS);
    c->stops[c->n_stops++] = (uint32_t)v;
  }
  return true;
}

/* A class's own end counts where the file is silent; null is none. */
static bool read_own_stops(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  size_t own = defaults_of(c)->stop;
  if (field(root, "eos_token_id")) return read_stops(c, field(root, "eos_token_id"), "config.json", err);
  if (own && own < c->n_vocab && !is_null(root, "eos_token_id")) c->stops[c->n_stops++] = (uint32_t)own;
  return true;
}

static bool read_config(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  if (!cJSON_IsObject(root)) return BAD("config.json: expected an object");
  return read_arch(c, root, err) && check_fields(root, err) && read_sizes(c, root, err) && read_traits(c, root, err) &&
         read_attention(c, root, err) && read_ropes(c, root, err) && read_windows(c, root, err) &&
         read_own_stops(c, root, err);
}

bool lre_config_parse(struct lre_config *c, const char *text, size_t len, struct lre_err *err) {
  struct lre_json_doc doc;
  struct lre_err json;
  memset(c, 0, sizeof *c);
  if (!lre_json_parse(&doc, text, len, NULL, &json)) return BAD("config.json: %s", json.message);
  bool ok = read_config(c, doc.root, err);
  lre_json_free(&doc);
  return ok;
}

static bool read_file(const char *folder, const char *name, struct lre_buf *text, bool *there, struct lre_err *err) {
  struct lre_buf path;
  struct lre_fs_info info;
  lre_buf_init(&path);
  bool ok = lre_buf_printf(&path, "%s/%s", folder, name) || lre_err_memory(err);
  ok = ok && lre_fs_stat(path.data, &info, err);
  *there = ok && info.type == LRE_FS_FILE;
  if (*there) ok = lre_fs_read(path.data, MAX_CONFIG_BYTES, text, err);
  lre_buf_free(&path);
  return ok;
}

/* Chat models name their end of turn in generation_config.json alone. */
static bool read_generation(struct lre_config *c, const struct lre_buf *text, struct lre_err *err) {
  struct lre_json_doc doc;
  struct lre_err json;
  if (!lre_json_parse(&doc, text->data, text->len, NULL, &json)) return BAD("generation_config.json: %s", json.message);
  const cJSON *eos = field(doc.root, "eos_token_id");
  bool ok = cJSON_IsObject(doc.root) || BAD("generation_config.json: expected an object");
  ok = ok && (!eos || read_stops(c, eos, "generation_config.json", err));
  lre_json_free(&doc);
  return ok;
}

bool lre_config_load(struct lre_config *c, const char *folder, struct lre_err *err) {
  struct lre_buf text;
  bool there = false;
  lre_buf_init(&text);
  bool ok = read_file(folder, "config.json", &text, &there, err);
  if (ok && !there) ok = BAD("%s: config.json is not there: is this the folder of a checkpoint?", folder);
  ok = ok && lre_config_parse(c, text.data, text.len, err);
  lre_buf_clear(&text);
  ok = ok && read_file(folder, "generation_config.json", &text, &there, err);
  if (ok && there) ok = read_generation(c, &text, err);
  lre_buf_free(&text);
  return ok;
}
