/* weights.h: which tensor is what in a checkpoint. Private to src/infer. */
#ifndef LRE_INFER_WEIGHTS_H
#define LRE_INFER_WEIGHTS_H

#include "infer/config.h"
#include "infer/kernels.h"

/* Norms and biases are floats of our own; matrices point into the map, or to int8 of our own. NULL: not in this model.
 */
struct lre_layer {
  float *norm_before, *norm_after_attention, *norm_before_mlp, *norm_after_mlp;
  float *q_norm, *k_norm;
  struct lre_matrix q, k, v, o, gate, up, down; /* q alone where qkv is one, gate alone where gate and up are */
  float *q_bias, *k_bias, *v_bias, *o_bias, *gate_bias, *up_bias, *down_bias;
};

struct lre_weights {
  struct lre_layer *layers;
  size_t n_layers;
  struct lre_matrix embedding, head;
  float *norm_last;
  void **owned; /* what is ours to free */
  size_t n_owned;
};

/* Every tensor that the configuration needs, its shape and type checked; where `int8`, matrices quantised: a row's
 * scale is its largest magnitude / 127. False: err names the tensor. Free in any case. */
bool lre_weights_find(struct lre_weights *w, const struct lre_config *c, const struct lre_safetensors *st, bool int8,
                      struct lre_err *err);
void lre_weights_free(struct lre_weights *w);

#endif
