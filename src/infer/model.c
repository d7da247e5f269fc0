#include "infer/model.h"

#include <stdlib.h>
#include <string.h>

#include "infer/elementary.h"
#include "infer/model_parts.h"

/* Inverse frequencies, in float32 step by step as transformers' modeling_rope_utils.py computes them. */
static void fill_frequencies(const struct lre_rope *r, size_t dim, float *out) {
  for (size_t i = 0; i < dim / 2; i++) {
    float power = (float)lre_elementary_pow(r->theta, (double)((float)(2 * i) / (float)dim));
    out[i] = 1.0f / (r->kind == LRE_ROPE_LONG ? r->long_factor[i] * power : power);
    if (r->kind == LRE_ROPE_LINEAR) out[i] /= (float)r->factor;
    if (r->kind != LRE_ROPE_LLAMA3) continue;
    float length = 6.28318530717958647692f / out[i];
    if (length > (float)(r->original / r->low_freq)) {
      out[i] /= (float)r->factor;
    } else if (!(length < (float)(r->original / r->high_freq))) {
      float smooth = ((float)r->original / length - (float)r->low_freq) / (float)(r->high_freq - r->low_freq);
      out[i] = (1.0f - smooth) * out[i] / (float)r->factor + smooth * out[i];
    }
  }
}

struct lre_model *lre_model_open(const char *folder, const struct lre_model_options *options, struct lre_err *err) {
  struct lre_model *m = calloc(1, sizeof *m);
  if (!m) {
    lre_err_memory(err);
    return NULL;
  }
  m->kernels = options && options->kernels ? options->kernels : lre_kernels_best();
  bool ok = lre_config_load(&m->config, folder, err);
  ok = ok && (m->tensors = lre_safetensors_open(folder, err)) != NULL;
  ok = ok && lre_weights_find(&m->weights, &m->config, m->tensors, options && options->int8, err);
  if (!ok) {
    lre_model_close(m);
    return NULL;
  }
  for (int i = 0; i < 2; i++) fill_frequencies(&m->config.rope[i], m->config.rotary_dim, m->frequencies[i]);
  m->head_stride = (m->config.head_dim + LRE_LANES - 1) / LRE_LANES * LRE_LANES;
  return m;
}

void lre_model_close(struct lre_model *m) {
  if (!m) return;
  lre_weights_free(&m->weights);
  lre_safetensors_close(m->tensors);
  free(m);
}

const struct lre_config *lre_model_config(const struct lre_model *m) {
  return &m->config;
}

const struct lre_safetensors *lre_model_tensors(const struct lre_model *m) {
  return m->tensors;
}

const char *lre_model_kernels(const struct lre_model *m) {
  return m->kernels->name;
}

enum lre_dtype lre_model_dtype(const struct lre_model *m) {
  return m->weights.embedding.dtype;
}

bool lre_model_int8(const struct lre_model *m) {
  return m->weights.head.dtype == LRE_DTYPE_I8;
}

size_t lre_model_parameters(const struct lre_model *m) {
  size_t n = 0;
  for (size_t i = 0; i < lre_safetensors_count(m->tensors); i++) {
    const struct lre_tensor *t = lre_safetensors_at(m->tensors, i);
    if (t->dtype != LRE_DTYPE_OTHER) n += t->n_bytes / lre_dtype_bytes(t->dtype);
  }
  return n;
}

/* A page: for each layer and kv head, keys then values. */
size_t lre_model_page_floats(const struct lre_model *m) {
  return m->config.n_layers * m->config.n_kv_heads * 2 * lre_model_page_block(m);
}
