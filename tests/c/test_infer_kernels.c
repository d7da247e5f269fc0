/* The kernels of each instruction set that this processor has, and own elementary functions: the same bits as portable
 * C, and as every other machine. Of the project it needs src/infer/kernels*.c and elementary.c alone, and no library:
 * `./dev check` compiles it for AArch64 with nothing but a compiler, and runs it under qemu. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/elementary.h"
#include "infer/kernels.h"

/* FNV-1a of a text of bits. */
struct sum {
  uint32_t h;
};

static void add(struct sum *s, const void *data, size_t n_bytes) {
  for (size_t i = 0; i < n_bytes; i++) s->h = (s->h ^ ((const unsigned char *)data)[i]) * 0x01000193u;
}

/* Exactly n bytes, so that AddressSanitizer sees a kernel that reads past them. */
static void *room(size_t n) {
  void *p = malloc(n);
  if (!p) abort();
  return p;
}

/* PCG's mixer over a counter: the same numbers everywhere. */
static uint32_t bits_of(uint32_t *at) {
  uint32_t x = (*at)++ * 747796405u + 2891336453u;
  x = (x >> ((x >> 28) + 4) ^ x) * 277803737u;
  return x >> 22 ^ x;
}

/* In [-2, 2), a quarter of them small. */
static float number(uint32_t *at) {
  uint32_t bits = bits_of(at);
  float x = (float)(int32_t)bits * 0x1p-30f;
  return bits % 4 ? x : x * 0x1p-12f;
}

static float *numbers(size_t n, uint32_t seed) {
  float *x = room(n * sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = number(&seed);
  return x;
}

/* n weights of a stored type; float16 with subnormal ones among them. */
static void *weights(enum lre_dtype dtype, size_t n, uint32_t seed) {
  size_t size = lre_dtype_bytes(dtype);
  char *out = room(n * size);
  for (size_t i = 0; i < n; i++) {
    float x = number(&seed);
    uint32_t word;
    memcpy(&word, &x, sizeof word);
    uint16_t half = (uint16_t)(dtype == LRE_DTYPE_BF16 ? word >> 16 : (word & 0x83ffu) | (word >> 12 & 15u) << 10);
    int8_t byte = (int8_t)(word >> 24);
    memcpy(out + i * size, size == 4 ? (void *)&word : size == 2 ? (void *)&half : (void *)&byte, size);
  }
  return out;
}

/* W: [rows, cols], x: [n, cols]; all rows but the first, so that the weights begin anywhere. */
static void one_matmul(const struct lre_kernels *k, struct sum *s, enum lre_dtype dtype, size_t rows, size_t cols,
                       size_t n) {
  size_t packed = lre_kernels_packed(cols);
  float *in = numbers(n * cols, 7), *x = room(n * packed * sizeof *x), *y = numbers(n * rows, 9);
  float *scale = numbers(rows, 11);
  void *data = weights(dtype, rows * cols, 13);
  struct lre_matrix w = {dtype, rows, cols, data, dtype == LRE_DTYPE_I8 ? scale : NULL};
  for (size_t t = 0; t < n; t++) k->pack(dtype, in + t * cols, cols, x + t * packed);
  k->matmul(&w, 1, rows, x, n, packed, y, rows, n % 2 ? data : NULL);
  add(s, y, n * rows * sizeof *y);
  free(in), free(x), free(y), free(scale), free(data);
}

static void matmuls(const struct lre_kernels *k, struct sum *s) {
  static const enum lre_dtype types[] = {LRE_DTYPE_F32, LRE_DTYPE_F16, LRE_DTYPE_BF16, LRE_DTYPE_I8};
  static const size_t cols[] = {1, 15, 31, 32, 33, 64, 100, 224};
  for (size_t d = 0; d < 4; d++)
    for (size_t c = 0; c < sizeof cols / sizeof *cols; c++)
      for (size_t rows = 2; rows < 14; rows += 3)
        for (size_t n = 1; n < 14; n++) one_matmul(k, s, types[d], rows, cols[c], n);
}

/* Wider, of more rows, and for more tokens than the blocks that kernels work in. */
static void blocks(const struct lre_kernels *k, struct sum *s) {
  static const enum lre_dtype types[] = {LRE_DTYPE_F32, LRE_DTYPE_F16, LRE_DTYPE_BF16, LRE_DTYPE_I8};
  static const size_t cols[] = {895, 897, 1000, 1824};
  for (size_t d = 0; d < 4; d++)
    for (size_t c = 0; c < sizeof cols / sizeof *cols; c++)
      for (size_t n = 1; n < 135; n += 33) one_matmul(k, s, types[d], 51, cols[c], n);
}

/* More rows than a band has, and more tokens than a tile. */
static void bands(const struct lre_kernels *k, struct sum *s) {
  static const enum lre_dtype types[] = {LRE_DTYPE_F32, LRE_DTYPE_F16, LRE_DTYPE_BF16, LRE_DTYPE_I8};
  static const size_t rows[] = {24, 25, 26, 33, 49, 74, 150};
  for (size_t d = 0; d < 4; d++)
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
      for (size_t n = 1; n < 20; n++) one_matmul(k, s, types[d], rows[r], 64 + r, n);
}

static void one_attend(const struct lre_kernels *k, struct sum *s, size_t heads, size_t dim, size_t first, size_t last,
                       float cap) {
  enum { PAGES = 5 };
  size_t stride = (dim + LRE_LANES - 1) / LRE_LANES * LRE_LANES;
  size_t keys = dim * LRE_PAGE_TOKENS, page = keys + stride * LRE_PAGE_TOKENS;
  float *q = numbers(heads * dim, 17), *scores = room(heads * PAGES * LRE_PAGE_TOKENS * sizeof *scores);
  float *out = numbers(heads * stride, 19), *pages[PAGES];
  for (uint32_t i = 0; i < PAGES; i++) pages[i] = numbers(page, 1000 * i + 23);
  struct lre_attend a = {.q = q, .n_heads = heads, .head_dim = dim, .head_stride = stride, .pages = pages};
  a.keys = 0, a.values = keys, a.first = first, a.last = last;
  a.scale = 0.25f, a.cap = cap, a.scores = scores, a.out = out;
  k->attend(&a);
  for (size_t h = 0; h < heads; h++) add(s, out + h * stride, dim * sizeof *out);
  for (size_t i = 0; i < PAGES; i++) free(pages[i]);
  free(q), free(scores), free(out);
}

static void attends(const struct lre_kernels *k, struct sum *s) {
  static const size_t dims[] = {2, 16, 20, 64, 80, 128};
  static const size_t seen[][2] = {{0, 0}, {0, 15}, {0, 16}, {3, 40}, {31, 31}, {17, 79}};
  for (size_t heads = 1; heads < 10; heads++)
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
      for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        one_attend(k, s, heads, dims[d], seen[i][0], seen[i][1], i % 2 ? 30.0f : 0);
}

/* Around zero, and far out where they saturate. */
static void elementwise(const struct lre_kernels *k, struct sum *s) {
  for (size_t n = 1; n < 70; n += 4) {
    float *x = numbers(n, 29), *up = numbers(n, 31), *out = room(n * sizeof *out);
    for (size_t i = 0; i < n; i++) x[i] *= i % 5 == 4 ? 60.0f : 2.0f;
    for (int what = 0; what < 4; what++) {
      memcpy(out, x, n * sizeof *x);
      if (what == 0) k->silu(out, up, n);
      if (what == 1) k->gelu(out, up, n);
      if (what == 2) k->softcap(out, n, 30.0f);
      if (what == 3) k->norm(x, up, n, 1e-6f, out);
      add(s, out, n * sizeof *out);
    }
    free(x), free(up), free(out);
  }
}

/* The first among equals, which are negative, zeros of either sign, or positive; what is no finite number is told. */
static void tops(const struct lre_kernels *k, struct sum *s) {
  static const float largest[] = {-0.25f, 0.0f, 2.0f}, not_finite[] = {NAN, INFINITY, -INFINITY};
  for (size_t n = 1; n < 300; n += 13)
    for (size_t at = 0; at < n; at++) {
      float *x = numbers(n, 37);
      for (size_t i = 0; i < n; i++) x[i] = -1.0f - x[i] * x[i];
      x[at] = x[(at + n) / 2] = largest[at % 3];
      if (at % 3 == 1) x[at] = -x[at];
      struct lre_top top = k->top(x, n);
      x[n - 1 - at] = not_finite[at % 3];
      bool right = top.at == at && top.value == largest[at % 3] && top.finite && !k->top(x, n).finite;
      if (!right) printf("top: of %zu numbers the first largest is %zu, not %zu\n", n, at, top.at);
      add(s, &right, sizeof right);
      free(x);
    }
}

static void add_double(struct sum *s, double x) {
  add(s, &x, sizeof x);
}

static void elementary(const struct lre_kernels *k, struct sum *s) {
  (void)k;
  for (double x = -700; x < 700; x += 0.4375) add_double(s, lre_elementary_exp(x));
  for (double x = 1e-9; x < 1e9; x *= 1.125) add_double(s, lre_elementary_log(x));
  for (double y = 0; y < 1; y += 0.0078125) add_double(s, lre_elementary_pow(1e6, y));
  for (double x = -1e6; x < 1e6; x += 777.75) {
    double sine, cosine;
    lre_elementary_sincos(x, &sine, &cosine);
    add_double(s, sine);
    add_double(s, cosine);
  }
}

/* What every machine, compiler and instruction set must come to. */
static const struct {
  const char *name;
  void (*run)(const struct lre_kernels *k, struct sum *s);
  uint32_t golden;
} tests[] = {
    {"matmul", matmuls, 0xaeffcd88},        {"blocks", blocks, 0x503ed805}, {"bands", bands, 0x2046bc0f},
    {"attend", attends, 0xd04755fb},        {"top", tops, 0x1fa56c75},      {"elementwise", elementwise, 0x911e4229},
    {"elementary", elementary, 0x7d61a9de},
};

int main(void) {
  int failed = 0;
  const struct lre_kernels *k;
  for (size_t i = 0; (k = lre_kernels_at(i)); i++)
    for (size_t t = 0; t < sizeof tests / sizeof *tests; t++) {
      struct sum s = {0x811c9dc5u};
      tests[t].run(k, &s);
      bool same = s.h == tests[t].golden;
      printf("%s %s: %s0x%08x\n", k->name, tests[t].name, same ? "" : "NOT THE SAME BITS: ", (unsigned)s.h);
      failed += !same;
    }
  return failed ? 1 : 0;
}
