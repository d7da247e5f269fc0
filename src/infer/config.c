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
    "_sliding_window_pattern",
    "query_pre_attn_scalar",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "eos_token_id",
    /* and those that say nothing about the numbers of a forward pass */
    "bos_token_id",
    "_name_or_path",
    "_from_model_config",
    "_attn_implementation",
    "_attn_implementation_autoset",
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
    "num_beams",
    "temperature",
    "top_k",
    "top_p",
    "do_sample",
    "repetition_penalty",
    "length_penalty",
    "is_llama_config",
    "rope_interleaved",
    "transformers.js_config",
    "use_bidirectional_attention",
    "mlp_only_layers",
};

/* Fields that would change the numbers, but not with the one value that is taken. */
static bool harmless(const cJSON *item) {
  if (cJSON_IsNull(item) || cJSON_IsFalse(item)) return true;
  if (item->string[0] == '_') return true; /* transformers' own notes: where a model came from, how it was saved */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(item->string, known[i]) == 0) {
      if (strcmp(item->string, "rope_interleaved") == 0 || strcmp(item->string, "use_bidirectional_attention") == 0)
        return false;
      return true;
    }
  return false;
}

static bool check_fields(const cJSON *root, struct lre_err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, root) {
    if (!harmless(item))
      return BAD("config.json: field %s is not known to this engine: what it changes would be missing", item->string);
  }
  return true;
}

static const cJSON *field(const cJSON *root, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, name);
  return cJSON_IsNull(item) ? NULL : item;
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

static const struct {
  const char *name;
  enum lre_arch arch;
} archs[] = {
    {"llama", LRE_ARCH_LLAMA},     {"qwen2", LRE_ARCH_QWEN2},   {"qwen3", LRE_ARCH_QWEN3},
    {"mistral", LRE_ARCH_MISTRAL}, {"gemma2", LRE_ARCH_GEMMA2}, {"gemma3_text", LRE_ARCH_GEMMA3},
    {"phi3", LRE_ARCH_PHI3},       {"olmo2", LRE_ARCH_OLMO2},
};

static bool read_arch(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const char *type = cJSON_GetStringValue(field(root, "model_type"));
  for (size_t i = 0; type && i < sizeof archs / sizeof *archs; i++) {
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
  bool ok = whole(root, "hidden_size", 1, 1 << 20, 0, &c->d_model, err) &&
            whole(root, "intermediate_size", 1, 1 << 22, 0, &c->d_ffn, err) &&
            whole(root, "num_hidden_layers", 1, LRE_MAX_LAYERS, 0, &c->n_layers, err) &&
            whole(root, "num_attention_heads", 1, 4096, 0, &c->n_heads, err) &&
            whole(root, "num_key_value_heads", 1, 4096, c->n_heads, &c->n_kv_heads, err) &&
            whole(root, "vocab_size", 1, 1 << 24, 0, &c->n_vocab, err) &&
            whole(root, "max_position_embeddings", 1, 1 << 28, 2048, &c->max_positions, err);
  size_t own = ok ? c->d_model / c->n_heads : 0;
  if (c->arch == LRE_ARCH_GEMMA2 || c->arch == LRE_ARCH_GEMMA3) own = 256;
  if (c->arch == LRE_ARCH_QWEN3) own = 128;
  ok = ok && whole(root, "head_dim", 2, LRE_MAX_HEAD_DIM, own, &c->head_dim, err);
  if (!ok) return false;
  if (c->n_heads % c->n_kv_heads)
    return BAD("config.json: num_attention_heads %zu is no multiple of num_key_value_heads %zu", c->n_heads,
               c->n_kv_heads);
  if (c->head_dim % 2 || !c->head_dim || c->head_dim > LRE_MAX_HEAD_DIM)
    return BAD("config.json: head_dim: expected an even number from 2 to %d, found %zu", LRE_MAX_HEAD_DIM, c->head_dim);
  return true;
}

/* What an architecture has that no field says; defaults are those of transformers' configuration classes. */
static bool read_traits(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  enum lre_arch a = c->arch;
  bool gemma = a == LRE_ARCH_GEMMA2 || a == LRE_ARCH_GEMMA3;
  double eps;
  bool bias;
  if (!real(root, "rms_norm_eps", 0, 1, a == LRE_ARCH_PHI3 || a == LRE_ARCH_OLMO2 ? 1e-5 : 1e-6, &eps, err) ||
      !flag(root, "tie_word_embeddings", gemma, &c->tied, err) || !flag(root, "attention_bias", false, &bias, err) ||
      !flag(root, "mlp_bias", false, &c->mlp_bias, err))
    return false;
  c->norm_eps = (float)eps;
  c->qkv_bias = bias || a == LRE_ARCH_QWEN2;
  c->o_bias = bias;
  c->qk_norm = a == LRE_ARCH_QWEN3 || a == LRE_ARCH_GEMMA3;
  c->qk_norm_whole = c->only_post = a == LRE_ARCH_OLMO2;
  c->norm_plus_one = c->post_norms = gemma;
  c->fused = a == LRE_ARCH_PHI3;
  c->embedding_scale = gemma ? (float)sqrt((double)c->d_model) : 1.0f;
  const char *act = cJSON_GetStringValue(field(root, gemma ? "hidden_activation" : "hidden_act"));
  if (!act) act = gemma ? "gelu_pytorch_tanh" : "silu";
  c->gelu = strcmp(act, "gelu_pytorch_tanh") == 0;
  if (!c->gelu && strcmp(act, "silu") != 0)
    return BAD("config.json: hidden_act: %.60s is not supported (silu, gelu_pytorch_tanh are)", act);
  return true;
}

static bool read_attention(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  bool gemma = c->arch == LRE_ARCH_GEMMA2 || c->arch == LRE_ARCH_GEMMA3;
  double scalar, attention_cap, final_cap;
  if (!real(root, "query_pre_attn_scalar", 1e-3, 1e9, gemma ? 256 : (double)c->head_dim, &scalar, err) ||
      !real(root, "attn_logit_softcapping", 0, 1e9, 0, &attention_cap, err) ||
      !real(root, "final_logit_softcapping", 0, 1e9, 0, &final_cap, err))
    return false;
  c->attention_scale = (float)(1.0 / sqrt(scalar));
  c->attention_cap = (float)attention_cap;
  c->final_cap = (float)final_cap;
  return true;
}

/* The list, where there is one; else what the architecture's code makes of its older fields. */
static bool read_windows(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const cJSON *window = field(root, "sliding_window"), *types = field(root, "layer_types"), *item;
  size_t i = 0, pattern, full_below;
  bool asked;
  if (window && !whole(root, "sliding_window", 1, 1 << 28, 0, &c->window, err)) return false;
  if (!flag(root, "use_sliding_window", false, &asked, err)) return false;
  bool may = c->arch != LRE_ARCH_LLAMA && c->arch != LRE_ARCH_OLMO2;
  bool qwen = c->arch == LRE_ARCH_QWEN2 || c->arch == LRE_ARCH_QWEN3;
  if (!window || !may || (qwen && !asked)) c->window = 0;
  if (types) {
    cJSON_ArrayForEach(item, types) {
      const char *type = cJSON_GetStringValue(item);
      bool slides = type && strcmp(type, "sliding_attention") == 0;
      if (i == c->n_layers || !type || (!slides && strcmp(type, "full_attention") != 0))
        return BAD("config.json: layer_types[%zu]: expected sliding_attention or full_attention, one a layer", i);
      c->sliding[i++] = slides && c->window;
    }
    if (i != c->n_layers) return BAD("config.json: layer_types: %zu of %zu layers are there", i, c->n_layers);
    return true;
  }
  const char *key = field(root, "_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern";
  if (!whole(root, key, 1, LRE_MAX_LAYERS, c->arch == LRE_ARCH_GEMMA2 ? 2 : 6, &pattern, err) ||
      !whole(root, "max_window_layers", 0, 1 << 20, 28, &full_below, err))
    return false;
  bool gemma = c->arch == LRE_ARCH_GEMMA2 || c->arch == LRE_ARCH_GEMMA3;
  for (i = 0; i < c->n_layers && c->window; i++) {
    bool slides = gemma ? (i + 1) % pattern != 0 : !qwen || i >= full_below;
    c->sliding[i] = slides ? 1 : 0;
  }
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

/* Beyond the original length transformers takes other factors for the whole sequence, also for what was computed
 * already; no cached key could stay. So the context ends there. */
static bool read_longrope(struct lre_config *c, struct lre_rope *r, const cJSON *root, const cJSON *scaling,
                          struct lre_err *err) {
  size_t original;
  double factor, attention;
  const cJSON *owner = field(scaling, "original_max_position_embeddings") ? scaling : root;
  if (!whole(owner, "original_max_position_embeddings", 2, 1 << 28, 0, &original, err)) return false;
  if (!real(scaling, "factor", 1, 1e6, (double)c->max_positions / (double)original, &factor, err)) return false;
  double own = factor <= 1 ? 1 : sqrt(1 + log(factor) / log((double)original));
  if (!real(scaling, "attention_factor", 0, 1e3, own, &attention, err)) return false;
  r->attention_factor = (float)attention;
  if (c->max_positions > original) c->max_positions = original;
  return read_long_factors(r, scaling, c, err);
}

static bool read_llama3(struct lre_rope *r, const cJSON *scaling, struct lre_err *err) {
  size_t original;
  if (!whole(scaling, "original_max_position_embeddings", 1, 1 << 28, 0, &original, err)) return false;
  r->original = (double)original;
  if (!real(scaling, "low_freq_factor", 1e-6, 1e6, 1, &r->low_freq, err) ||
      !real(scaling, "high_freq_factor", 1e-6, 1e6, 4, &r->high_freq, err))
    return false;
  return r->high_freq > r->low_freq || BAD("config.json: rope_scaling: high_freq_factor must be over low_freq_factor");
}

/* One scaling: `scaling` may be NULL (none). */
static bool read_rope(struct lre_config *c, struct lre_rope *r, const cJSON *root, const cJSON *scaling, double theta,
                      struct lre_err *err) {
  const char *type = cJSON_GetStringValue(field(scaling, "rope_type"));
  if (!type) type = cJSON_GetStringValue(field(scaling, "type"));
  if (!type) type = "default";
  r->attention_factor = 1;
  if (!real(scaling, "rope_theta", 1e-3, 1e15, theta, &r->theta, err)) return false;
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
  return r->factor > 0 ? read_llama3(r, scaling, err) : BAD("config.json: rope_scaling.factor is missing");
}

static bool read_ropes(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  const cJSON *scaling = field(root, "rope_parameters");
  if (!scaling) scaling = field(root, "rope_scaling");
  if (scaling && !cJSON_IsObject(scaling)) return BAD("config.json: rope_scaling: expected an object");
  const cJSON *full = field(scaling, "full_attention"), *local = field(scaling, "sliding_attention");
  double theta, local_theta, partial;
  if (!real(root, "rope_theta", 1e-3, 1e15, c->arch == LRE_ARCH_GEMMA3 ? 1e6 : 1e4, &theta, err) ||
      !real(root, "rope_local_base_freq", 1e-3, 1e15, 1e4, &local_theta, err))
    return false;
  const cJSON *owner = field(scaling, "partial_rotary_factor") ? scaling : root;
  if (!real(owner, "partial_rotary_factor", 0.01, 1, 1, &partial, err)) return false;
  c->rotary_dim = (size_t)((double)c->head_dim * partial) & ~(size_t)1;
  if (!c->rotary_dim) return BAD("config.json: partial_rotary_factor leaves nothing to rotate");
  if (!read_rope(c, &c->rope[0], root, full ? full : scaling, theta, err)) return false;
  if (c->arch != LRE_ARCH_GEMMA3) {
    c->rope[1] = c->rope[0];
    return true;
  }
  return read_rope(c, &c->rope[1], root, local, local_theta, err);
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

static bool read_config(struct lre_config *c, const cJSON *root, struct lre_err *err) {
  if (!cJSON_IsObject(root)) return BAD("config.json: expected an object");
  return read_arch(c, root, err) && check_fields(root, err) && read_sizes(c, root, err) && read_traits(c, root, err) &&
         read_attention(c, root, err) && read_ropes(c, root, err) && read_windows(c, root, err) &&
         read_stops(c, field(root, "eos_token_id"), "config.json", err);
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
