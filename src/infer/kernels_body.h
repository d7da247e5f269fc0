/* kernels_body.h: the kernels, written once for 16 lanes. Each kernels_<set>.c defines what it is made of and includes
 * this: FN (static, with the target's attribute), INLINE (the same, always inlined), v16 and
 *   vzero, vset1, vload, vstore, vfma, vadd, vmul: lanes apart; vsum4: four sums in the order of kernels.h;
 *   vweight(dtype, p, half): 16 weights of the block at p, as kernels.h orders them;
 *   TILE_TOKENS, 1 or 5: how many tokens' sums with 4 rows fit the registers. */

#include <math.h>
#include <string.h>

#include "infer/kernels_list.h"

/* Small loops over what is to stay in registers. A sanitizer's build would take minutes to compile them unrolled. */
#if defined(LRE_KERNELS_SLOW)
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Elementwise: plain C, whose operations are IEEE's wherever it is compiled. ----------------------------------------
 */

/* e^x, x clamped to [-87, 88]; relative error under 1.5e-7. x = n ln 2 + r, Taylor's series to r^7. The sum with 1.5 *
 * 2^23 leaves n in the low bits. */
INLINE float exp_lane(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504f + 12582912.0f;
  float n = shifted - 12582912.0f;
  float r = (x - n * 0.693359375f) - n * -2.12194440e-4f; /* ln 2 in two parts; the first product is exact */
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = (p * r) * r + r;
  p = p + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f800000u;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

/* tanh; near zero by its series, where 1 - 2 / (e^2x + 1) would cancel. */
INLINE float tanh_lane(float x) {
  float far = 1.0f - 2.0f / (exp_lane(2.0f * x) + 1.0f);
  float x2 = x * x;
  float p = 2.18694885e-2f;
  p = p * x2 - 5.39682540e-2f;
  p = p * x2 + 1.33333333e-1f;
  p = p * x2 - 3.33333333e-1f;
  float near = x + (x * x2) * p;
  return x2 < 0.0625f ? near : far;
}

FN void silu(float *restrict gate, const float *restrict up, size_t n) {
  for (size_t i = 0; i < n; i++) gate[i] = gate[i] / (1.0f + exp_lane(-gate[i])) * up[i];
}

FN void gelu(float *restrict gate, const float *restrict up, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float x = gate[i];
    float inner = 0.797884561f * (x + 0.044715f * (x * x * x)); /* sqrt(2 / pi) */
    gate[i] = 0.5f * x * (1.0f + tanh_lane(inner)) * up[i];
  }
}

FN void softcap(float *x, size_t n, float cap) {
  for (size_t i = 0; i < n; i++) x[i] = cap * tanh_lane(x[i] / cap);
}

FN void norm(const float *x, const float *weight, size_t n, float eps, float *out) {
  v16 sums[4] = {vzero(), vzero(), vzero(), vzero()};
  size_t whole = n / LRE_LANES * LRE_LANES;
  for (size_t i = 0; i < whole; i += LRE_LANES) sums[0] = vfma(vload(x + i), vload(x + i), sums[0]);
  if (whole < n) {
    float tail[LRE_LANES] = {0};
    memcpy(tail, x + whole, (n - whole) * sizeof *x);
    sums[0] = vfma(vload(tail), vload(tail), sums[0]);
  }
  float total[4];
  vsum4(sums, total);
  float inverse = 1.0f / sqrtf(total[0] / (float)n + eps);
  for (size_t i = 0; i < n; i++) out[i] = x[i] * inverse * weight[i];
}

/* Matrix times vectors ----------------------------------------------------------------------------------------------
 */

/* Weights of 4 rows, or 1. */
struct weights {
  const char *data;
  size_t row_bytes, size;
};

/* Adds [k0, k1) of rows to the sums of some tokens, which stay in registers meanwhile. */
INLINE void accumulate(enum lre_dtype dtype, size_t n_rows, size_t n_tokens, struct weights w, const float *x,
                       size_t x_stride, size_t n, float *kept) {
  v16 sums[TILE_TOKENS][4];
  UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < n_rows; r++) sums[t][r] =
      vload(kept + (t * 4 + r) * LRE_LANES);
  for (size_t k = 0; k < n; k += LRE_BLOCK) UNROLL for (size_t half = 0; half < 2; half++) {
      v16 in[TILE_TOKENS];
      UNROLL for (size_t t = 0; t < n_tokens; t++) in[t] = vload(x + t * x_stride + k + half * LRE_LANES);
      UNROLL for (size_t r = 0; r < n_rows; r++) {
        v16 weight = vweight(dtype, w.data + r * w.row_bytes + k * w.size, half);
        UNROLL for (size_t t = 0; t < n_tokens; t++) sums[t][r] = vfma(weight, in[t], sums[t][r]);
      }
    }
  UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < n_rows; r++)
      vstore(kept + (t * 4 + r) * LRE_LANES, sums[t][r]);
}

INLINE void finish(const float *kept, size_t n_rows, size_t n_tokens, const struct lre_matrix *w, size_t row, float *y,
                   size_t y_stride) {
  for (size_t t = 0; t < n_tokens; t++) {
    v16 sums[4];
    float out[4];
    for (size_t r = 0; r < 4; r++) sums[r] = vload(kept + (t * 4 + r) * LRE_LANES);
    vsum4(sums, out);
    for (size_t r = 0; r < n_rows; r++) y[t * y_stride + row + r] = w->scale ? out[r] * w->scale[row + r] : out[r];
  }
}

/* Weights are converted as they are used. The last row's end may be the map's, so a short block is copied.
 */
INLINE void tile_with(enum lre_dtype dtype, size_t n_rows, size_t n_tokens, const struct lre_matrix *m, size_t row,
                      const float *x, size_t x_stride, float *y, size_t y_stride) {
  size_t size = lre_dtype_bytes(dtype), whole = m->cols / LRE_BLOCK * LRE_BLOCK, rest = m->cols - whole;
  struct weights w = {(const char *)m->data + row * m->cols * size, m->cols * size, size};
  _Alignas(64) float sums[TILE_TOKENS * 4 * LRE_LANES] = {0};
  accumulate(dtype, n_rows, n_tokens, w, x, x_stride, whole, sums);
  if (rest) {
    char tail[4][LRE_BLOCK * 4] = {{0}};
    for (size_t r = 0; r < n_rows; r++) memcpy(tail[r], w.data + r * w.row_bytes + whole * size, rest * size);
    accumulate(dtype, n_rows, n_tokens, (struct weights){tail[0], sizeof tail[0], size}, x + whole, x_stride, LRE_BLOCK,
               sums);
  }
  finish(sums, n_rows, n_tokens, m, row, y, y_stride);
}

#define TILE_CASE(n)                                                                                                   \
  case n:                                                                                                              \
    tile_with(dtype, n_rows, n, m, row, x, x_stride, y, y_stride);                                                     \
    break

INLINE void tile_as(enum lre_dtype dtype, size_t n_rows, size_t n, const struct lre_matrix *m, size_t row,
                    const float *x, size_t x_stride, float *y, size_t y_stride) {
  switch (n) {
    TILE_CASE(1);
#if TILE_TOKENS >= 5
    TILE_CASE(2);
    TILE_CASE(3);
    TILE_CASE(4);
    TILE_CASE(5);
#endif
  default:
    break;
  }
}

FN void tile(enum lre_dtype dtype, size_t n_rows, size_t n, const struct lre_matrix *m, size_t row, const float *x,
             size_t x_stride, float *y, size_t y_stride) {
#define TILE_TYPE(type)                                                                                                \
  case type:                                                                                                           \
    if (n_rows == 4)                                                                                                   \
      tile_as(type, 4, n, m, row, x, x_stride, y, y_stride);                                                           \
    else                                                                                                               \
      tile_with(type, 1, 1, m, row, x, x_stride, y, y_stride);                                                         \
    break
  switch (dtype) {
    TILE_TYPE(LRE_DTYPE_BF16);
    TILE_TYPE(LRE_DTYPE_F16);
    TILE_TYPE(LRE_DTYPE_F32);
    TILE_TYPE(LRE_DTYPE_I8);
  case LRE_DTYPE_OTHER:
    break;
  }
}

/* The next tile of n tokens, so that all are about as wide. */
INLINE size_t tile_of(size_t n) {
  size_t n_tiles = (n + TILE_TOKENS - 1) / TILE_TOKENS;
  return (n + n_tiles - 1) / n_tiles;
}

/* All tokens meet 4 rows while these are in the first cache. Rows that are left over are few: a token at a time. */
FN void matmul(const struct lre_matrix *m, size_t r0, size_t r1, const float *x, size_t n, size_t x_stride, float *y,
               size_t y_stride) {
  for (size_t row = r0, step; row < r1; row += step) {
    step = row + 4 <= r1 ? 4 : 1;
    for (size_t t = 0, take; t < n; t += take) {
      take = step == 1 ? 1 : tile_of(n - t);
      tile(m->dtype, step, take, m, row, x + t * x_stride, x_stride, y + t * y_stride, y_stride);
    }
  }
}

/* Attention ---------------------------------------------------------------------------------------------------------
 */

/* A page's 16 scores for n_heads (at most 4): a lane is a position, so that there is nothing to add up at the end. */
INLINE void score_page(size_t n_heads, const float *q, size_t head_dim, const float *keys, float *scores,
                       size_t stride) {
  v16 sums[4];
  for (size_t h = 0; h < n_heads; h++) sums[h] = vzero();
  for (size_t d = 0; d < head_dim; d++) {
    v16 key = vload(keys + d * LRE_LANES);
    for (size_t h = 0; h < n_heads; h++) sums[h] = vfma(vset1(q[h * head_dim + d]), key, sums[h]);
  }
  for (size_t h = 0; h < n_heads; h++) vstore(scores + h * stride, sums[h]);
}

FN void score_heads(size_t n_heads, const float *q, size_t head_dim, const float *keys, float *scores, size_t stride) {
  switch (n_heads) {
  case 1:
    score_page(1, q, head_dim, keys, scores, stride);
    break;
  case 2:
    score_page(2, q, head_dim, keys, scores, stride);
    break;
  case 3:
    score_page(3, q, head_dim, keys, scores, stride);
    break;
  default:
    score_page(4, q, head_dim, keys, scores, stride);
    break;
  }
}

/* 64 (or 16) numbers of the output: weighted values, added in the order of positions. */
INLINE void mix(size_t n_vectors, const struct lre_attend *a, const float *weights, float inverse, size_t at,
                float *out) {
  v16 sums[4];
  for (size_t i = 0; i < n_vectors; i++) sums[i] = vzero();
  size_t page = a->first / LRE_PAGE_TOKENS, begin = page * LRE_PAGE_TOKENS;
  for (size_t position = a->first; position <= a->last; position++) {
    const float *value =
        a->pages[position / LRE_PAGE_TOKENS] + a->values + position % LRE_PAGE_TOKENS * a->head_stride + at;
    v16 weight = vset1(weights[position - begin]);
    for (size_t i = 0; i < n_vectors; i++) sums[i] = vfma(weight, vload(value + i * LRE_LANES), sums[i]);
  }
  for (size_t i = 0; i < n_vectors; i++) vstore(out + at + i * LRE_LANES, vmul(sums[i], vset1(inverse)));
}

/* Scores to weights that are not yet divided by their sum; positions out of sight get 0. Returns 1 / sum. */
FN float soften(const struct lre_attend *a, float *s, size_t n, size_t begin) {
  for (size_t i = 0; i < n; i++) s[i] *= a->scale;
  if (a->cap > 0) softcap(s, n, a->cap);
  float top = s[a->first - begin];
  for (size_t i = a->first - begin; i <= a->last - begin; i++) top = s[i] > top ? s[i] : top;
  for (size_t i = 0; i < n; i++) s[i] = exp_lane(s[i] - top);
  for (size_t i = 0; i < a->first - begin; i++) s[i] = 0;
  for (size_t i = a->last - begin + 1; i < n; i++) s[i] = 0;
  v16 sums[4] = {vzero(), vzero(), vzero(), vzero()};
  for (size_t i = 0; i < n; i += LRE_LANES) sums[0] = vadd(sums[0], vload(s + i));
  float total[4];
  vsum4(sums, total);
  return 1.0f / total[0];
}

FN void attend(const struct lre_attend *a) {
  size_t page0 = a->first / LRE_PAGE_TOKENS, page1 = a->last / LRE_PAGE_TOKENS;
  size_t n = (page1 - page0 + 1) * LRE_PAGE_TOKENS;
  for (size_t page = page0; page <= page1; page++)
    for (size_t h = 0; h < a->n_heads; h += 4)
      score_heads(a->n_heads - h, a->q + h * a->head_dim, a->head_dim, a->pages[page] + a->keys,
                  a->scores + h * n + (page - page0) * LRE_PAGE_TOKENS, n);
  for (size_t h = 0; h < a->n_heads; h++) {
    float *scores = a->scores + h * n, *out = a->out + h * a->head_stride;
    float inverse = soften(a, scores, n, page0 * LRE_PAGE_TOKENS);
    size_t at = 0;
    for (; at + 4 * LRE_LANES <= a->head_stride; at += 4 * LRE_LANES) mix(4, a, scores, inverse, at, out);
    for (; at < a->head_stride; at += LRE_LANES) mix(1, a, scores, inverse, at, out);
  }
}

const struct lre_kernels TABLE = {NAME, matmul, attend, norm, silu, gelu, softcap};
