#include "infer/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finder {
  struct lre_weights *w;
  const struct lre_config *c;
  const struct lre_safetensors *st;
  bool int8;
  struct lre_err *err;
};

#define BAD(...) lre_err_set(f->err, "infer", "weights", __VA_ARGS__)

static void *own(struct finder *f, size_t n_bytes) {
  void **grown = realloc(f->w->owned, (f->w->n_owned + 1) * sizeof *grown);
  void *memory = grown ? malloc(n_bytes ? n_bytes : 1) : NULL;
  if (grown) f->w->owned = grown;
  if (!memory) {
    lre_err_memory(f->err);
    return NULL;
  }
  return f->w->owned[f->w->n_owned++] = memory;
}

static const struct lre_tensor *find(struct finder *f, const char *name, size_t rows, size_t cols) {
  const struct lre_tensor *t = lre_safetensors_find(f->st, name);
  size_t n_dims = cols ? 2 : 1;
  if (!t) {
    const char *file =
        lre_safetensors_files(f->st) == 1 ? lre_safetensors_file(f->st, 0) : "model.safetensors.index.json";
    BAD("%s: tensor %s is missing: config.json asks for it", file, name);
    return NULL;
  }
  if (t->dtype == LRE_DTYPE_OTHER) {
    BAD("%s: tensor %s: its dtype is not supported (F32, F16, BF16 are)", t->file, name);
    return NULL;
  }
  if (t->n_dims != n_dims || t->dims[0] != rows || (cols && t->dims[1] != cols)) {
    BAD("%s: tensor %s: config.json asks for shape [%zu, %zu], found %zu dimensions [%zu, %zu]", t->file, name, rows,
        cols, t->n_dims, t->dims[0], t->n_dims > 1 ? t->dims[1] : 0);
    return NULL;
  }
  return t;
}

static bool find_vector(struct finder *f, const char *name, size_t n, float plus, float **out) {
  const struct lre_tensor *t = find(f, name, n, 0);
  if (!t) return false;
  *out = own(f, n * sizeof **out);
  if (!*out) return false;
  lre_kernels_to_float(t->dtype, t->data, n, *out);
  for (size_t i = 0; i < n; i++) (*out)[i] += plus;
  return true;
}

static bool quantise_row(const float *row, size_t n, signed char *out, float *scale) {
  float top = 0;
  for (size_t i = 0; i < n; i++) top = fabsf(row[i]) > top ? fabsf(row[i]) : top;
  if (!(top < INFINITY)) return false;
  *scale = top / 127.0f;
  for (size_t i = 0; i < n; i++) out[i] = (signed char)(top > 0 ? lrintf(row[i] / *scale) : 0);
  return true;
}

/* The matrix as one of int8, in memory of ours. */
static bool quantise(struct finder *f, const char *name, struct lre_matrix *m) {
  float *scale = own(f, m->rows * sizeof *scale);
  signed char *data = scale ? own(f, m->rows * m->cols) : NULL;
  float *row = data ? malloc(m->cols * sizeof *row) : NULL;
  bool ok = row != NULL || lre_err_memory(f->err);
  size_t row_bytes = m->cols * lre_dtype_bytes(m->dtype);
  for (size_t r = 0; ok && r < m->rows; r++) {
    lre_kernels_to_float(m->dtype, (const char *)m->data + r * row_bytes, m->cols, row);
    ok = quantise_row(row, m->cols, data + r * m->cols, &scale[r]) ||
         BAD("%s: tensor %s: row %zu is not finite", lre_safetensors_find(f->st, name)->file, name, r);
  }
  free(row);
  if (ok) *m = (struct lre_matrix){LRE_DTYPE_I8, m->rows, m->cols, data, scale};
  return ok;
}

static bool find_matrix(struct finder *f, const char *name, size_t rows, size_t cols, bool int8,
                        struct lre_matrix *out) {
  const struct lre_tensor *t = find(f, name, rows, cols);
  if (!t) return false;
  *out = (struct lre_matrix){t->dtype, rows, cols, t->data, NULL};
  return !int8 || quantise(f, name, out);
}

/* "model.layers.<layer>.<part>.<kind>" */
static const char *layer_name(char out[128], size_t layer, const char *part, const char *kind) {
  snprintf(out, 128, "model.layers.%zu.%s.%s", layer, part, kind);
  return out;
}

static bool linear(struct finder *f, size_t layer, const char *part, size_t rows, size_t cols, bool bias,
                   struct lre_matrix *m, float **b) {
  char name[128];
  if (!find_matrix(f, layer_name(name, layer, part, "weight"), rows, cols, f->int8, m)) return false;
  return !bias || find_vector(f, layer_name(name, layer, part, "bias"), rows, 0, b);
}

static bool norm(struct finder *f, size_t layer, const char *part, size_t n, float **out) {
  char name[128];
  return find_vector(f, layer_name(name, layer, part, "weight"), n, f->c->norm_plus_one ? 1 : 0, out);
}

static bool find_norms(struct finder *f, size_t i, struct lre_layer *l) {
  const struct lre_config *c = f->c;
  size_t d = c->d_model;
  if (!c->only_post && !norm(f, i, "input_layernorm", d, &l->norm_before)) return false;
  bool after = c->post_norms || c->only_post;
  if (!norm(f, i, "post_attention_layernorm", d, after ? &l->norm_after_attention : &l->norm_before_mlp)) return false;
  if (c->post_norms && !norm(f, i, "pre_feedforward_layernorm", d, &l->norm_before_mlp)) return false;
  if (after && !norm(f, i, "post_feedforward_layernorm", d, &l->norm_after_mlp)) return false;
  if (!c->qk_norm && !c->qk_norm_whole) return true;
  size_t n_q = c->qk_norm_whole ? c->n_heads * c->head_dim : c->head_dim;
  size_t n_k = c->qk_norm_whole ? c->n_kv_heads * c->head_dim : c->head_dim;
  return norm(f, i, "self_attn.q_norm", n_q, &l->q_norm) && norm(f, i, "self_attn.k_norm", n_k, &l->k_norm);
}

static bool find_layer(struct finder *f, size_t i, struct lre_layer *l) {
  const struct lre_config *c = f->c;
  size_t d = c->d_model, q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
  bool ok = find_norms(f, i, l) && linear(f, i, "self_attn.o_proj", d, q, c->o_bias, &l->o, &l->o_bias) &&
            linear(f, i, "mlp.down_proj", d, c->d_ffn, c->mlp_bias, &l->down, &l->down_bias);
  if (c->fused)
    return ok && linear(f, i, "self_attn.qkv_proj", q + 2 * kv, d, false, &l->q, NULL) &&
           linear(f, i, "mlp.gate_up_proj", 2 * c->d_ffn, d, false, &l->gate, NULL);
  return ok && linear(f, i, "self_attn.q_proj", q, d, c->qkv_bias, &l->q, &l->q_bias) &&
         linear(f, i, "self_attn.k_proj", kv, d, c->qkv_bias, &l->k, &l->k_bias) &&
         linear(f, i, "self_attn.v_proj", kv, d, c->qkv_bias, &l->v, &l->v_bias) &&
         linear(f, i, "mlp.gate_proj", c->d_ffn, d, c->mlp_bias, &l->gate, &l->gate_bias) &&
         linear(f, i, "mlp.up_proj", c->d_ffn, d, c->mlp_bias, &l->up, &l->up_bias);
}

bool lre_weights_find(struct lre_weights *w, const struct lre_config *c, const struct lre_safetensors *st, bool int8,
                      struct lre_err *err) {
  struct finder f = {w, c, st, int8, err};
  const char *head = c->tied ? "model.embed_tokens.weight" : "lm_head.weight";
  memset(w, 0, sizeof *w);
  w->layers = calloc(c->n_layers, sizeof *w->layers);
  if (!w->layers) return lre_err_memory(err);
  w->n_layers = c->n_layers;
  if (!find_matrix(&f, "model.embed_tokens.weight", c->n_vocab, c->d_model, false, &w->embedding) ||
      !find_matrix(&f, head, c->n_vocab, c->d_model, int8, &w->head) ||
      !find_vector(&f, "model.norm.weight", c->d_model, c->norm_plus_one ? 1 : 0, &w->norm_last))
    return false;
  for (size_t i = 0; i < c->n_layers; i++)
    if (!find_layer(&f, i, &w->layers[i])) return false;
  return true;
}

void lre_weights_free(struct lre_weights *w) {
  for (size_t i = 0; i < w->n_owned; i++) free(w->owned[i]);
  free(w->owned);
  free(w->layers);
  memset(w, 0, sizeof *w);
}
