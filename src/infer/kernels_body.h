/* kernels_body.h: the kernels, written once for 16 lanes. Each kernels_<set>.c defines what it is made of and includes
 * this: FN (static, with the target's attribute), INLINE (the same, always inlined), v16 and
 *   vzero, vset1, vload, vstore, vfma, vadd, vmul: lanes apart; vsum4: four sums in the order of kernels.h;
 *   vweight(dtype, p, half): 16 weights of the block at p, as kernels.h orders them;
 * and for products, where registers are scarce: TILE_ROWS (4 or 8) and TILE_TOKENS (1 or 3), whose sums fit them, of
 *   tile_vector, TILE_WIDTH of the 16 lanes, with tile_zero, tile_load, tile_store, tile_fma;
 *   IN_REGISTER(v): v is loaded once, not by each operation that uses it (GCC would). */

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

/* BLOCK_COLS columns of TILE_ROWS rows become floats in the first cache, where all tokens meet them, TILE_TOKENS at a
 * time. Of more tokens than BLOCK_TOKENS the sums would not stay near. */
enum { BLOCK_COLS = 448, BLOCK_TOKENS = 22 * TILE_TOKENS, TILE_LANES = TILE_ROWS * LRE_LANES, LINE = 64 };

/* Weights that are read next are asked for meanwhile, in TILE_ROWS streams of at least STREAM bytes: a line of each,
 * then the next line of each. A processor has few slots for lines that are on their way; its own prefetcher has more,
 * but follows a stream only within a page. Where few tokens give little to do, it is done as weights are read; with
 * MANY_TILES of them that would be too much at once, and it is done a line a step. */
enum { MANY_TILES = 4, STREAM = 8192 };
struct ahead {
  const char *at, *column_end, *end;
  size_t stride;
};

INLINE void ask(struct ahead *a) {
  __builtin_prefetch(a->at, 0, 2);
  a->at += a->stride;
  bool wrap = a->at >= a->column_end;
  a->at -= wrap ? TILE_ROWS * a->stride - LINE : 0;
  a->column_end += wrap ? LINE : 0;
}

/* A block of TILE_ROWS rows, as stored: n columns. */
struct block {
  const char *rows[TILE_ROWS];
  size_t n;
};

/* out: [n / LRE_LANES, TILE_ROWS, LRE_LANES]; n is of whole LRE_BLOCKs. */
INLINE void widen_as(enum lre_dtype dtype, const struct block *b, struct ahead *next, float *out) {
  size_t size = lre_dtype_bytes(dtype);
  struct ahead ahead = next ? *next : (struct ahead){0};
  const char *p[TILE_ROWS];
  UNROLL for (size_t r = 0; r < TILE_ROWS; r++) p[r] = b->rows[r];
  for (size_t i = 0; i < b->n * size; i += LRE_BLOCK * size, out += LRE_BLOCK * TILE_ROWS)
    UNROLL for (size_t r = 0; r < TILE_ROWS; r++) {
      if (next) ask(&ahead);
      v16 low = vweight(dtype, p[r] + i, 0), high = vweight(dtype, p[r] + i, 1);
      vstore(out + r * LRE_LANES, low);
      vstore(out + r * LRE_LANES + TILE_LANES, high);
    }
  if (next) *next = ahead;
}

FN void widen(enum lre_dtype dtype, const struct block *b, struct ahead *next, float *out) {
#define WIDEN_CASE(type)                                                                                               \
  case type:                                                                                                           \
    if (next)                                                                                                          \
      widen_as(type, b, next, out);                                                                                    \
    else                                                                                                               \
      widen_as(type, b, NULL, out);                                                                                    \
    break
  switch (dtype) {
    WIDEN_CASE(LRE_DTYPE_BF16);
    WIDEN_CASE(LRE_DTYPE_F16);
    WIDEN_CASE(LRE_DTYPE_F32);
    WIDEN_CASE(LRE_DTYPE_I8);
  case LRE_DTYPE_OTHER:
    break;
  }
}

/* Adds n columns to the sums, [n_tokens, TILE_ROWS, LRE_LANES], which stay in registers meanwhile: where all lanes do
 * not fit, some after the others. `first`: there is nothing yet to add to. */
INLINE void accumulate(size_t n_tokens, const float *weights, const float *x, size_t x_stride, size_t n,
                       struct ahead *next, bool first, float *kept) {
  struct ahead ahead = *next;
  if (ahead.column_end >= ahead.end) ahead.stride = 0; /* all is asked for */
  for (size_t lane = 0; lane < LRE_LANES; lane += TILE_WIDTH, kept += TILE_WIDTH) {
    tile_vector sums[TILE_TOKENS][TILE_ROWS];
    const float *w = weights + lane, *in = x + lane;
    UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < TILE_ROWS; r++) sums[t][r] =
        first ? tile_zero() : tile_load(kept + t * TILE_LANES + r * LRE_LANES);
    for (size_t k = 0; k < n; k += LRE_LANES, w += TILE_LANES, in += LRE_LANES) {
      tile_vector inputs[TILE_TOKENS];
      ask(&ahead);
      UNROLL for (size_t t = 0; t < n_tokens; t++) inputs[t] = tile_load(in + t * x_stride);
      UNROLL for (size_t r = 0; r < TILE_ROWS; r++) {
        tile_vector weight = tile_load(w + r * LRE_LANES);
        IN_REGISTER(weight);
        UNROLL for (size_t t = 0; t < n_tokens; t++) sums[t][r] = tile_fma(weight, inputs[t], sums[t][r]);
      }
    }
    UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < TILE_ROWS; r++)
        tile_store(kept + t * TILE_LANES + r * LRE_LANES, sums[t][r]);
  }
  next->at = ahead.at, next->column_end = ahead.column_end;
}

FN void tile(size_t n_tokens, const float *weights, const float *x, size_t x_stride, size_t n, struct ahead *ahead,
             bool first, float *kept) {
#define TILE_CASE(count)                                                                                               \
  case count:                                                                                                          \
    accumulate(count, weights, x, x_stride, n, ahead, first, kept);                                                    \
    break
  switch (n_tokens) {
    TILE_CASE(1);
#if TILE_TOKENS == 3
    TILE_CASE(2);
    TILE_CASE(3);
#endif
  default:
    break;
  }
}

/* Sums of lanes to numbers. */
FN void finish(const float *kept, const struct lre_matrix *m, size_t row, size_t n_rows, size_t n, float *y,
               size_t y_stride) {
  for (size_t t = 0; t < n; t++, kept += TILE_LANES) {
    float *out = y + t * y_stride + row, few[TILE_ROWS];
    for (size_t r = 0; r < TILE_ROWS; r += 4) {
      v16 sums[4];
      for (size_t i = 0; i < 4; i++) sums[i] = vload(kept + (r + i) * LRE_LANES);
      vsum4(sums, (n_rows < TILE_ROWS ? few : out) + r);
    }
    if (n_rows < TILE_ROWS) memcpy(out, few, n_rows * sizeof *out);
    for (size_t r = 0; m->scale && r < n_rows; r++) out[r] *= m->scale[row + r];
  }
}

/* A row that is not there is the last one again. The last row's end may be the map's, so a short block is copied. */
FN void multiply_rows(const struct lre_matrix *m, size_t row, size_t n_rows, const float *x, size_t n, size_t x_stride,
                      struct ahead *next, float *y, size_t y_stride) {
  _Alignas(64) float weights[BLOCK_COLS * TILE_ROWS], sums[BLOCK_TOKENS * TILE_LANES];
  char tail[TILE_ROWS][LRE_BLOCK * sizeof(float)] = {{0}};
  size_t size = lre_dtype_bytes(m->dtype);
  bool many = n > (MANY_TILES - 1) * TILE_TOKENS;
  struct ahead nothing = {next->at, next->at + 1, next->at + 1, 0};
  struct block b;
  for (size_t k = 0; k < m->cols; k += b.n) {
    size_t left = m->cols - k;
    b.n = left > BLOCK_COLS ? BLOCK_COLS : left > LRE_BLOCK ? left / LRE_BLOCK * LRE_BLOCK : LRE_BLOCK;
    for (size_t r = 0; r < TILE_ROWS; r++) {
      b.rows[r] = (const char *)m->data + ((row + (r < n_rows ? r : n_rows - 1)) * m->cols + k) * size;
      if (left < LRE_BLOCK) b.rows[r] = memcpy(tail[r], b.rows[r], left * size);
    }
    widen(m->dtype, &b, many ? NULL : next, weights);
    for (size_t t = 0; t < n; t += TILE_TOKENS)
      tile(n - t < TILE_TOKENS ? n - t : TILE_TOKENS, weights, x + t * x_stride + k, x_stride, b.n,
           many ? next : &nothing, k == 0, sums + t * TILE_LANES);
  }
  finish(sums, m, row, n_rows, n, y, y_stride);
}

FN void matmul(const struct lre_matrix *m, size_t r0, size_t r1, const float *x, size_t n, size_t x_stride, float *y,
               size_t y_stride, const void *next) {
  size_t row_bytes = m->cols * lre_dtype_bytes(m->dtype), chunk = (STREAM / row_bytes + 1) * TILE_ROWS;
  size_t n_blocks = (n + BLOCK_TOKENS - 1) / BLOCK_TOKENS; /* about as large as each other, of whole tiles */
  size_t block = n ? ((n + n_blocks - 1) / n_blocks + TILE_TOKENS - 1) / TILE_TOKENS * TILE_TOKENS : 0;
  for (size_t t = 0; t < n; t += block) {
    struct ahead ahead = {0};
    for (size_t row = r0; row < r1; row += TILE_ROWS) {
      size_t n_rows = r1 - row < TILE_ROWS ? r1 - row : TILE_ROWS;
      if ((row - r0) % chunk == 0) {
        size_t end = r1 - row < chunk ? r1 : row + chunk, stride = (end - row + TILE_ROWS - 1) / TILE_ROWS * row_bytes;
        const char *at = end < r1 || !next ? (const char *)m->data + end * row_bytes : next;
        ahead = (struct ahead){at, at + TILE_ROWS * stride, at + (TILE_ROWS + 1) * stride, stride};
      }
      multiply_rows(m, row, n_rows, x + t * x_stride, n - t < block ? n - t : block, x_stride, &ahead, y + t * y_stride,
                    y_stride);
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
