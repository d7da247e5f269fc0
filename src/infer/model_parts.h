/* model_parts.h: what model.c and stepper.c share. Private to src/infer. */
#ifndef LRE_INFER_MODEL_PARTS_H
#define LRE_INFER_MODEL_PARTS_H

#include "infer/model.h"
#include "infer/weights.h"

struct lre_model {
  struct lre_config config;
  struct lre_safetensors *tensors;
  struct lre_weights weights;
  const struct lre_kernels *kernels;
  float frequencies[2][LRE_MAX_HEAD_DIM / 2]; /* of full layers, of sliding ones */
  size_t head_stride;
};

/* Floats of one head's keys (or values) in a page. */
static inline size_t lre_model_page_block(const struct lre_model *m) {
  return LRE_PAGE_TOKENS * m->head_stride;
}

/* Where the keys of a layer's kv head begin in a page; its values follow them. */
static inline size_t lre_model_page_offset(const struct lre_model *m, size_t layer, size_t kv_head) {
  return (layer * m->config.n_kv_heads + kv_head) * 2 * lre_model_page_block(m);
}

#endif
