#include "infer/kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "infer/kernels_list.h"

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

float lre_kernels_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, e = (h >> 10) & 31u, m = h & 0x3ffu;
  if (e == 31) return from_bits(sign | 0x7f800000u | m << 13);
  if (e) return from_bits(sign | (e + 112) << 23 | m << 13);
  float tiny = (float)m * 0x1p-24f; /* subnormal */
  return sign ? -tiny : tiny;
}

void lre_kernels_to_float(enum lre_dtype dtype, const void *data, size_t n, float *out) {
  const char *p = data;
  for (size_t i = 0; i < n; i++) {
    uint16_t h;
    if (dtype == LRE_DTYPE_F32) {
      memcpy(&out[i], p + 4 * i, 4);
      continue;
    }
    memcpy(&h, p + 2 * i, 2);
    out[i] = dtype == LRE_DTYPE_BF16 ? from_bits((uint32_t)h << 16) : lre_kernels_half(h);
  }
}

const struct lre_kernels *lre_kernels_at(size_t i) {
  const struct lre_kernels *here[4];
  size_t n = 0;
#if defined(__x86_64__)
  if (lre_kernels_has_avx512()) here[n++] = &lre_kernels_avx512;
  if (lre_kernels_has_avx2()) here[n++] = &lre_kernels_avx2;
#elif defined(__aarch64__)
  here[n++] = &lre_kernels_neon;
#endif
  here[n++] = &lre_kernels_portable;
  return i < n ? here[i] : NULL;
}

/* Asked once: a virtual machine takes microseconds to say what its processor has. */
const struct lre_kernels *lre_kernels_best(void) {
  static const struct lre_kernels *_Atomic best;
  const struct lre_kernels *k = atomic_load_explicit(&best, memory_order_relaxed);
  if (!k) atomic_store_explicit(&best, k = lre_kernels_at(0), memory_order_relaxed);
  return k;
}

const struct lre_kernels *lre_kernels_named(const char *name) {
  const struct lre_kernels *k;
  for (size_t i = 0; (k = lre_kernels_at(i)); i++)
    if (strcmp(k->name, name) == 0) return k;
  return NULL;
}
