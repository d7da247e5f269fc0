/* kernels_body.h: the kernels, written once for 16 lanes. Each kernels_<set>.c defines what it is made of and includes
 * this: FN (static, with the target's attribute), INLINE (the same, always inlined), v16 and
 *   vzero, vset1, vload, vstore, vfma, vadd, vmul: lanes apart;
 *   vsum8(sums, out): eight vectors in memory to eight numbers, in the order of kernels.h;
 * and for products, where registers are scarce: TILE_ROWS (2 or 3) and TILE_TOKENS (at most 8), whose sums fit them
 * beside TILE_ROWS weights and an input, of tile_vector, TILE_WIDTH of the 16 lanes, with tile_zero, tile_load,
 * tile_store, tile_fma; tile_weight(dtype, p, half, lane): TILE_WIDTH weights of the block at p from `lane` on, as
 * kernels.h orders them; IN_REGISTER(v): v is loaded once, not by each operation that uses it (GCC would). */

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

/* One vector's lanes. */
INLINE float vsum(v16 v) {
  float lane[LRE_LANES];
  vstore(lane, v);
  for (size_t half = LRE_LANES / 2; half; half /= 2)
    for (size_t i = 0; i < half; i++) lane[i] += lane[i + half];
  return lane[0];
}

FN void norm(const float *x, const float *weight, size_t n, float eps, float *out) {
  v16 sum = vzero();
  size_t whole = n / LRE_LANES * LRE_LANES;
  for (size_t i = 0; i < whole; i += LRE_LANES) sum = vfma(vload(x + i), vload(x + i), sum);
  if (whole < n) {
    float tail[LRE_LANES] = {0};
    memcpy(tail, x + whole, (n - whole) * sizeof *x);
    sum = vfma(vload(tail), vload(tail), sum);
  }
  float inverse = 1.0f / sqrtf(vsum(sum) / (float)n + eps);
  for (size_t i = 0; i < n; i++) out[i] = x[i] * inverse * weight[i];
}

/* An exponent of all ones is no finite number. In whole numbers, so that it becomes vector code. */
FN bool all_finite(const float *x, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    bad |= (bits & 0x7f800000u) == 0x7f800000u;
  }
  return !bad;
}

/* The largest of each of some lanes first, and later some numbers at once, which compilers turn into vectors, too. */
FN struct lre_top top(const float *x, size_t n) {
  enum { WIDTH = 4 * LRE_LANES };
  float tops[WIDTH];
  size_t whole = n / WIDTH * WIDTH;
  struct lre_top best = {x[0], 0, all_finite(x, n)};
  for (size_t k = 0; k < WIDTH; k++) tops[k] = x[0];
  for (size_t i = 0; i < whole; i += WIDTH)
    for (size_t k = 0; k < WIDTH; k++) tops[k] = x[i + k] > tops[k] ? x[i + k] : tops[k];
  for (size_t k = 0; k < WIDTH; k++) best.value = tops[k] > best.value ? tops[k] : best.value;
  for (size_t i = whole; i < n; i++) best.value = x[i] > best.value ? x[i] : best.value;
  for (int here = 0; best.at < whole; best.at += WIDTH) {
    for (size_t k = 0; k < WIDTH; k++) here |= x[best.at + k] == best.value;
    if (here) break;
  }
  while (best.at < n && x[best.at] != best.value) best.at++;
  if (best.at == n) best.at = 0;
  return best;
}

FN void pack(enum lre_dtype dtype, const float *restrict x, size_t n, float *restrict out) {
  size_t whole = n / LRE_BLOCK * LRE_BLOCK;
  if (dtype != LRE_DTYPE_BF16) {
    memcpy(out, x, n * sizeof *x);
    if (whole < n) memset(out + n, 0, (whole + LRE_BLOCK - n) * sizeof *out);
    return;
  }
  for (size_t b = 0; b < whole; b += LRE_BLOCK)
    for (size_t j = 0; j < LRE_LANES; j++) {
      out[b + j] = x[b + 2 * j];
      out[b + LRE_LANES + j] = x[b + 2 * j + 1];
    }
  for (size_t i = whole; whole < n && i < whole + LRE_BLOCK; i++)
    out[whole + (i - whole) / 2 + (i & 1) * LRE_LANES] = i < n ? x[i] : 0;
}

/* Matrix times vectors ----------------------------------------------------------------------------------------------
 */

/* TILE_TOKENS tokens' inputs, BLOCK_COLS of them, stay in the first cache while a band of rows goes by, TILE_ROWS at a
 * time: weights become floats on their way into registers. Sums wait in memory only where a row is longer than that.
 * BLOCK_TOKENS tokens' inputs stay in the second cache, beside the rows. */
enum { SUM_ROWS = 8, BLOCK_COLS = 896, BLOCK_TOKENS = 64 };

/* Weights that are read next are asked for meanwhile, in STREAMS of at least STREAM bytes: a line of each, then the
 * next line of each. A processor has few slots for lines that are on their way; its own prefetcher has more, but
 * follows a stream only within a page. A step of a tile asks for as many lines as keep pace with what is read. */
enum { STREAMS = 8, STREAM = 8192, LINE = 64 };
struct ahead {
  uintptr_t at, column_end, end; /* may lie beyond what there is: nothing is read */
  size_t stride, lines;
};

INLINE void ask(struct ahead *a) {
  __builtin_prefetch((const void *)a->at, 0, 2);
  a->at += a->stride;
  bool wrap = a->at >= a->column_end;
  a->at -= wrap ? STREAMS * a->stride - LINE : 0;
  a->column_end += wrap ? LINE : 0;
}

/* TILE_ROWS rows' blocks, as stored, meet n columns of packed inputs. */
struct tile {
  const char *rows[TILE_ROWS];
  const float *x;
  size_t x_stride, n; /* n is of whole LRE_BLOCKs */
  bool first;         /* there is nothing yet to add to */
  float *sums;        /* [tokens, LRE_BAND, LRE_LANES] */
};

/* Of vectors narrower than 16 lanes, some lanes after the others. */
INLINE void multiply_tile(enum lre_dtype dtype, size_t n_tokens, const struct tile *b, struct ahead *next) {
  size_t size = lre_dtype_bytes(dtype);
  struct ahead ahead = *next;
  if (ahead.column_end >= ahead.end) ahead.stride = 0; /* all is asked for */
  for (size_t lane = 0; lane < LRE_LANES; lane += TILE_WIDTH) {
    tile_vector sums[TILE_TOKENS][TILE_ROWS];
    const float *x = b->x + lane;
    const char *p[TILE_ROWS];
    UNROLL for (size_t r = 0; r < TILE_ROWS; r++) p[r] = b->rows[r];
    UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < TILE_ROWS; r++) sums[t][r] =
        b->first ? tile_zero() : tile_load(b->sums + (t * LRE_BAND + r) * LRE_LANES + lane);
    for (size_t k = 0; k < b->n; k += LRE_BLOCK) {
      for (size_t i = 0; i < ahead.lines; i++) ask(&ahead);
      UNROLL for (size_t half = 0; half < 2; half++, x += LRE_LANES) {
        tile_vector weights[TILE_ROWS];
        UNROLL for (size_t r = 0; r < TILE_ROWS; r++) {
          weights[r] = tile_weight(dtype, p[r], half, lane);
          IN_REGISTER(weights[r]);
        }
        UNROLL for (size_t t = 0; t < n_tokens; t++) {
          tile_vector input = tile_load(x + t * b->x_stride);
          IN_REGISTER(input);
          UNROLL for (size_t r = 0; r < TILE_ROWS; r++) sums[t][r] = tile_fma(weights[r], input, sums[t][r]);
        }
      }
      UNROLL for (size_t r = 0; r < TILE_ROWS; r++) p[r] += LRE_BLOCK * size;
    }
    UNROLL for (size_t t = 0; t < n_tokens; t++) UNROLL for (size_t r = 0; r < TILE_ROWS; r++)
        tile_store(b->sums + (t * LRE_BAND + r) * LRE_LANES + lane, sums[t][r]);
  }
  next->at = ahead.at, next->column_end = ahead.column_end;
}

INLINE void multiply_as(enum lre_dtype dtype, size_t n_tokens, const struct tile *b, struct ahead *next) {
#define TOKENS_CASE(count)                                                                                             \
  case count:                                                                                                          \
    if (count <= TILE_TOKENS) multiply_tile(dtype, count <= TILE_TOKENS ? count : 1, b, next);                         \
    break
  switch (n_tokens) {
    TOKENS_CASE(1);
    TOKENS_CASE(2);
    TOKENS_CASE(3);
    TOKENS_CASE(4);
    TOKENS_CASE(5);
    TOKENS_CASE(6);
    TOKENS_CASE(7);
    TOKENS_CASE(8);
  default:
    break;
  }
}

FN void multiply_bf16(size_t n_tokens, const struct tile *b, struct ahead *next) {
  multiply_as(LRE_DTYPE_BF16, n_tokens, b, next);
}

FN void multiply_f16(size_t n_tokens, const struct tile *b, struct ahead *next) {
  multiply_as(LRE_DTYPE_F16, n_tokens, b, next);
}

FN void multiply_f32(size_t n_tokens, const struct tile *b, struct ahead *next) {
  multiply_as(LRE_DTYPE_F32, n_tokens, b, next);
}

FN void multiply_i8(size_t n_tokens, const struct tile *b, struct ahead *next) {
  multiply_as(LRE_DTYPE_I8, n_tokens, b, next);
}

typedef void multiply_fn(size_t n_tokens, const struct tile *b, struct ahead *next);
static multiply_fn *const multiply_of[] = {[LRE_DTYPE_BF16] = multiply_bf16,
                                           [LRE_DTYPE_F16] = multiply_f16,
                                           [LRE_DTYPE_F32] = multiply_f32,
                                           [LRE_DTYPE_I8] = multiply_i8};

/* A tile of the band's columns from k on. A row that is not there is the last one again. The last row's end may be the
 * map's, so a short block is copied. */
INLINE void aim(const struct lre_matrix *m, size_t row, size_t k, char tail[TILE_ROWS][LRE_BLOCK * sizeof(float)],
                struct tile *b) {
  size_t size = lre_dtype_bytes(m->dtype), left = m->cols - k;
  b->n = left > BLOCK_COLS ? BLOCK_COLS : left > LRE_BLOCK ? left / LRE_BLOCK * LRE_BLOCK : LRE_BLOCK;
  for (size_t r = 0; r < TILE_ROWS; r++) {
    b->rows[r] = (const char *)m->data + ((row + r < m->rows ? row + r : m->rows - 1) * m->cols + k) * size;
    if (left < LRE_BLOCK) b->rows[r] = memcpy(tail[r], b->rows[r], left * size);
  }
  b->first = k == 0;
}

/* Sums of lanes to numbers. */
FN void finish(const float *sums, const struct lre_matrix *m, size_t row, size_t n_rows, float *y) {
  float few[SUM_ROWS];
  for (size_t r = 0; r < n_rows; r += SUM_ROWS, sums += SUM_ROWS * LRE_LANES) {
    bool whole = n_rows - r >= SUM_ROWS;
    vsum8(sums, whole ? y + r : few);
    if (!whole) memcpy(y + r, few, (n_rows - r) * sizeof *y);
  }
  for (size_t r = 0; m->scale && r < n_rows; r++) y[r] *= m->scale[row + r];
}

/* n_rows (at most LRE_BAND) rows for n (at most TILE_TOKENS) tokens. */
FN void multiply_band(const struct lre_matrix *m, size_t row, size_t n_rows, const float *x, size_t n, size_t x_stride,
                      struct ahead *ahead, float *y, size_t y_stride) {
  _Alignas(64) float sums[TILE_TOKENS * LRE_BAND * LRE_LANES];
  char tail[TILE_ROWS][LRE_BLOCK * sizeof(float)] = {{0}};
  struct tile b = {.x_stride = x_stride};
  if (n_rows < LRE_BAND) memset(sums, 0, sizeof sums);
  for (size_t k = 0; k < m->cols; k += b.n)
    for (size_t r = 0; r < n_rows; r += TILE_ROWS) {
      aim(m, row + r, k, tail, &b);
      b.x = x + k, b.sums = sums + r * LRE_LANES;
      multiply_of[m->dtype](n, &b, ahead);
    }
  for (size_t t = 0; t < n; t++) finish(sums + t * LRE_BAND * LRE_LANES, m, row, n_rows, y + t * y_stride);
}

static size_t parts(size_t n, size_t most) {
  return (n + most - 1) / most;
}

/* About as large as each other, at most `most`. */
static size_t part_of(size_t n, size_t most) {
  return n ? parts(n, parts(n, most)) : 0;
}

/* What is read after rows [row, end): the next chunk, or `next`, in step with n_groups' tiles. */
FN struct ahead look_ahead(const struct lre_matrix *m, size_t row, size_t end, size_t r1, size_t chunk, size_t n_groups,
                           const void *next) {
  size_t row_bytes = m->cols * lre_dtype_bytes(m->dtype);
  size_t rows = end < r1 && r1 - end < chunk ? r1 - end : chunk, stride = parts(rows, STREAMS) * row_bytes;
  size_t steps = parts(end - row, TILE_ROWS) * parts(m->cols, LRE_BLOCK) * (LRE_LANES / TILE_WIDTH) * n_groups;
  uintptr_t at = end < r1 ? (uintptr_t)m->data + end * row_bytes : (uintptr_t)next;
  if (!at) return (struct ahead){0};
  return (struct ahead){at, at + STREAMS * stride, at + (STREAMS + 1) * stride, stride,
                        parts(STREAMS * stride, LINE * steps)};
}

FN void matmul(const struct lre_matrix *m, size_t r0, size_t r1, const float *x, size_t n, size_t x_stride, float *y,
               size_t y_stride, const void *next) {
  size_t row_bytes = m->cols * lre_dtype_bytes(m->dtype);
  size_t chunk = (STREAMS * STREAM / (LRE_BAND * row_bytes) + 1) * LRE_BAND;
  size_t block = part_of(n, BLOCK_TOKENS), group = part_of(block, TILE_TOKENS), last;
  for (size_t t0 = 0; t0 < n; t0 += block)
    for (size_t row = r0; row < r1; row = last) {
      size_t t1 = n - t0 < block ? n : t0 + block;
      last = r1 - row < chunk ? r1 : row + chunk;
      struct ahead ahead = look_ahead(m, row, last, r1, chunk, parts(t1 - t0, group), next);
      for (size_t t = t0; t < t1; t += group)
        for (size_t r = row; r < last; r += LRE_BAND)
          multiply_band(m, r, last - r < LRE_BAND ? last - r : LRE_BAND, x + t * x_stride,
                        t1 - t < group ? t1 - t : group, x_stride, &ahead, y + t * y_stride + r, y_stride);
    }
}

/* Attention ---------------------------------------------------------------------------------------------------------
 */

/* A page's 16 scores for n_heads (at most 4): a lane is a position, so that there is nothing to add up at the end. A
 * line of `later` is asked for with each line of keys. */
INLINE void score_page(size_t n_heads, const float *q, size_t head_dim, const float *keys, const float *later,
                       float *scores, size_t stride) {
  v16 sums[4];
  for (size_t h = 0; h < n_heads; h++) sums[h] = vzero();
  for (size_t d = 0; d < head_dim; d++) {
    v16 key = vload(keys + d * LRE_LANES);
    __builtin_prefetch(later + d * LRE_LANES);
    for (size_t h = 0; h < n_heads; h++) sums[h] = vfma(vset1(q[h * head_dim + d]), key, sums[h]);
  }
  for (size_t h = 0; h < n_heads; h++) vstore(scores + h * stride, sums[h]);
}

FN void score_heads(size_t n_heads, const float *q, size_t head_dim, const float *keys, const float *later,
                    float *scores, size_t stride) {
  switch (n_heads) {
  case 1:
    score_page(1, q, head_dim, keys, later, scores, stride);
    break;
  case 2:
    score_page(2, q, head_dim, keys, later, scores, stride);
    break;
  case 3:
    score_page(3, q, head_dim, keys, later, scores, stride);
    break;
  default:
    score_page(4, q, head_dim, keys, later, scores, stride);
    break;
  }
}

/* 64 (or 16) numbers of the output of some heads: weighted values, added in the order of positions. `weights` of a head
 * are n after those of the head before; inverse: a number a head. */
INLINE void mix(size_t n_heads, size_t n_vectors, const struct lre_attend *a, const float *weights, size_t n,
                const float *inverse, size_t at, float *out) {
  v16 sums[MIX_HEADS][4];
  size_t page = a->first / LRE_PAGE_TOKENS, begin = page * LRE_PAGE_TOKENS;
  UNROLL for (size_t h = 0; h < n_heads; h++) UNROLL for (size_t i = 0; i < n_vectors; i++) sums[h][i] = vzero();
  for (size_t position = a->first; position <= a->last; position++) {
    const float *values =
        a->pages[position / LRE_PAGE_TOKENS] + a->values + position % LRE_PAGE_TOKENS * a->head_stride + at;
    v16 weight[MIX_HEADS];
    UNROLL for (size_t h = 0; h < n_heads; h++) weight[h] = vset1(weights[h * n + position - begin]);
    UNROLL for (size_t i = 0; i < n_vectors; i++) {
      v16 value = vload(values + i * LRE_LANES);
      UNROLL for (size_t h = 0; h < n_heads; h++) sums[h][i] = vfma(weight[h], value, sums[h][i]);
    }
  }
  UNROLL for (size_t h = 0; h < n_heads; h++) UNROLL for (size_t i = 0; i < n_vectors; i++)
      vstore(out + h * a->head_stride + i * LRE_LANES, vmul(sums[h][i], vset1(inverse[h])));
}

INLINE void mix_wide(size_t n_heads, const struct lre_attend *a, const float *weights, size_t n, const float *inverse,
                     float *out) {
  size_t at = 0;
  for (; at + 4 * LRE_LANES <= a->head_stride; at += 4 * LRE_LANES)
    mix(n_heads, 4, a, weights, n, inverse, at, out + at);
  for (; at < a->head_stride; at += LRE_LANES) mix(n_heads, 1, a, weights, n, inverse, at, out + at);
}

/* At most MIX_HEADS heads. */
FN void mix_heads(size_t n_heads, const struct lre_attend *a, const float *weights, size_t n, const float *inverse,
                  float *out) {
#define MIX_CASE(count)                                                                                                \
  case count:                                                                                                          \
    if (count <= MIX_HEADS) mix_wide(count <= MIX_HEADS ? count : 1, a, weights, n, inverse, out);                     \
    break
  switch (n_heads) {
    MIX_CASE(1);
    MIX_CASE(2);
    MIX_CASE(3);
    MIX_CASE(4);
  default:
    break;
  }
}

/* Scores to weights that are not yet divided by their sum; positions out of sight get 0. Returns 1 / sum. */
FN float soften(const struct lre_attend *a, float *s, size_t n, size_t begin) {
  for (size_t i = 0; i < n; i++) s[i] *= a->scale;
  if (a->cap > 0) softcap(s, n, a->cap);
  for (size_t i = 0; i < a->first - begin; i++) s[i] = -INFINITY;
  for (size_t i = a->last - begin + 1; i < n; i++) s[i] = -INFINITY;
  float tops[LRE_LANES], best = s[a->first - begin];
  for (size_t k = 0; k < LRE_LANES; k++) tops[k] = best;
  for (size_t i = 0; i < n; i += LRE_LANES)
    for (size_t k = 0; k < LRE_LANES; k++) tops[k] = s[i + k] > tops[k] ? s[i + k] : tops[k];
  for (size_t k = 0; k < LRE_LANES; k++) best = tops[k] > best ? tops[k] : best;
  for (size_t i = 0; i < n; i++) s[i] = exp_lane(s[i] - best);
  for (size_t i = 0; i < a->first - begin; i++) s[i] = 0;
  for (size_t i = a->last - begin + 1; i < n; i++) s[i] = 0;
  v16 sum = vzero();
  for (size_t i = 0; i < n; i += LRE_LANES) sum = vadd(sum, vload(s + i));
  return 1.0f / vsum(sum);
}

FN void attend(const struct lre_attend *a) {
  size_t page0 = a->first / LRE_PAGE_TOKENS, page1 = a->last / LRE_PAGE_TOKENS;
  size_t n = (page1 - page0 + 1) * LRE_PAGE_TOKENS;
  for (size_t page = page0; page <= page1; page++) {
    const float *keys = a->pages[page] + a->keys, *next = a->pages[page < page1 ? page + 1 : page] + a->keys;
    for (size_t h = 0; h < a->n_heads; h += 4)
      score_heads(a->n_heads - h, a->q + h * a->head_dim, a->head_dim, keys, h ? next : a->pages[page] + a->values,
                  a->scores + h * n + (page - page0) * LRE_PAGE_TOKENS, n);
  }
  for (size_t h = 0, take; h < a->n_heads; h += take) {
    float inverse[MIX_HEADS];
    take = a->n_heads - h < MIX_HEADS ? a->n_heads - h : MIX_HEADS;
    for (size_t i = 0; i < take; i++) inverse[i] = soften(a, a->scores + (h + i) * n, n, page0 * LRE_PAGE_TOKENS);
    mix_heads(take, a, a->scores + h * n, n, inverse, a->out + h * a->head_stride);
  }
}

const struct lre_kernels TABLE = {NAME, pack, matmul, attend, norm, silu, gelu, softcap, top};
