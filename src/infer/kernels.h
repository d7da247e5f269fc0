/* kernels.h: the loops that take the time, one table of them for each instruction set, all with the same bits.
 *
 * How that is kept: a dot product has 16 lanes. Numbers come in blocks of 32; lane j takes two of each block, first in
 * order, by fused multiply-add; a short last block is filled with zeros. Then lanes j and j+8 are added, j and j+4, j
 * and j+2, j and j+1. An instruction set with narrower registers keeps several of them; one without a fused
 * multiply-add calls C's fmaf, which rounds once, too. No instruction that rounds in a way of its own is used
 * (AVX512-BF16's dot products, reciprocal estimates). Everything else is +, -, *, / and square roots of IEEE floats.
 *
 * Which two of a block a lane takes depends on the weights' type: for bfloat16 2j and 2j+1 (a 32-bit word holds both),
 * else j and j+16. `pack` puts activations into that order once. */
#ifndef LRE_INFER_KERNELS_H
#define LRE_INFER_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/safetensors.h"

enum { LRE_LANES = 16, LRE_BLOCK = 32, LRE_PAGE_TOKENS = LRE_LANES };
enum { LRE_BAND = 24 }; /* rows that matmul works on at once: whole bands are no waste */

/* A weight matrix as stored: y = W x. */
struct lre_matrix {
  enum lre_dtype dtype;
  size_t rows, cols;  /* [rows, cols], row-major */
  const void *data;   /* may be unaligned */
  const float *scale; /* LRE_DTYPE_I8: one a row; else NULL */
};

/* Attention of some heads that share keys and values, for one token. */
struct lre_attend {
  const float *q;           /* [n_heads, head_dim] */
  size_t n_heads, head_dim; /* head_stride: head_dim rounded up to LRE_LANES */
  size_t head_stride;
  float *const *pages; /* a page holds, at these offsets, */
  size_t keys, values; /* [head_dim, LRE_PAGE_TOKENS] and [LRE_PAGE_TOKENS, head_stride] */
  size_t first, last;  /* positions seen, both included; a position's page is position / LRE_PAGE_TOKENS */
  float scale, cap;    /* cap 0: none */
  float *scores;       /* scratch: n_heads * (pages seen) * LRE_PAGE_TOKENS */
  float *out;          /* [n_heads, head_stride] */
};

struct lre_top { /* where not all are finite, the others have no meaning */
  float value;
  size_t at;
  bool finite;
};

struct lre_kernels {
  const char *name;
  /* x: [n] to out: [lre_kernels_packed(n)] in the order of `dtype`. */
  void (*pack)(enum lre_dtype dtype, const float *x, size_t n, float *out);
  /* y[t * y_stride + r] = W[r] . x[t] for r in [r0, r1), t in [0, n). x: packed, [n, x_stride]. `next`: weights that
   * this thread is likely to read after these, asked for from memory meanwhile; or NULL. */
  void (*matmul)(const struct lre_matrix *w, size_t r0, size_t r1, const float *x, size_t n, size_t x_stride, float *y,
                 size_t y_stride, const void *next);
  void (*attend)(const struct lre_attend *a);
  /* out = x / sqrt(mean(x^2) + eps) * weight; out may be x */
  void (*norm)(const float *x, const float *weight, size_t n, float eps, float *out);
  void (*silu)(float *gate, const float *up, size_t n); /* gate = silu(gate) * up */
  void (*gelu)(float *gate, const float *up, size_t n); /* gate = gelu(gate) * up, tanh form */
  void (*softcap)(float *x, size_t n, float cap);       /* x = cap * tanh(x / cap) */
  struct lre_top (*top)(const float *x, size_t n);      /* the largest, the first among equals; n > 0 */
};

/* The fastest that this processor has, or by name: "portable", "avx2", "avx512", "neon". NULL: not here. */
const struct lre_kernels *lre_kernels_best(void);
const struct lre_kernels *lre_kernels_named(const char *name);
/* The i-th that this processor can run, the best first; NULL after the last. */
const struct lre_kernels *lre_kernels_at(size_t i);

/* How many floats a packed row of n has. */
static inline size_t lre_kernels_packed(size_t n) {
  return (n + LRE_BLOCK - 1) / LRE_BLOCK * LRE_BLOCK;
}
/* n numbers of a stored type as floats: exact. Not for LRE_DTYPE_I8. */
void lre_kernels_to_float(enum lre_dtype dtype, const void *data, size_t n, float *out);

#endif
