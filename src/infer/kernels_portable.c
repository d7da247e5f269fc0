/* Any machine. fmaf rounds once, in hardware or not: the bits are those of the other sets. */
#include <math.h>
#include <string.h>

#include "infer/kernels_list.h"

#define FN static
#if defined(LRE_KERNELS_SLOW)
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif
#define TABLE lre_kernels_portable
#define NAME  "portable"

typedef struct {
  float lane[LRE_LANES];
} v16;

#define TILE_ROWS   3
#define TILE_TOKENS 4
#define MIX_HEADS   1
#define TILE_WIDTH  16
#define tile_vector v16
#define tile_zero   vzero
#define tile_load   vload
#define tile_store  vstore
#define tile_fma    vfma
#define IN_REGISTER(v)

INLINE v16 vset1(float x) {
  v16 v;
  for (int i = 0; i < LRE_LANES; i++) v.lane[i] = x;
  return v;
}

INLINE v16 vzero(void) {
  return vset1(0);
}

INLINE v16 vload(const float *p) {
  v16 v;
  memcpy(v.lane, p, sizeof v.lane);
  return v;
}

INLINE void vstore(float *p, v16 v) {
  memcpy(p, v.lane, sizeof v.lane);
}

INLINE v16 vfma(v16 a, v16 b, v16 c) {
  for (int i = 0; i < LRE_LANES; i++) c.lane[i] = fmaf(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}

INLINE v16 vadd(v16 a, v16 b) {
  for (int i = 0; i < LRE_LANES; i++) a.lane[i] += b.lane[i];
  return a;
}

INLINE v16 vmul(v16 a, v16 b) {
  for (int i = 0; i < LRE_LANES; i++) a.lane[i] *= b.lane[i];
  return a;
}

INLINE void vsum8(const float *sums, float *out) {
  for (int r = 0; r < 8; r++) {
    v16 s = vload(sums + r * LRE_LANES);
    for (int half = LRE_LANES / 2; half; half /= 2)
      for (int i = 0; i < half; i++) s.lane[i] += s.lane[i + half];
    out[r] = s.lane[0];
  }
}

INLINE v16 tile_weight(enum lre_dtype dtype, const char *p, size_t half, size_t lane) {
  v16 v;
  (void)lane;
  for (size_t i = 0; i < LRE_LANES; i++) {
    size_t at = dtype == LRE_DTYPE_BF16 ? 2 * i + half : i + half * LRE_LANES;
    if (dtype == LRE_DTYPE_I8)
      v.lane[i] = (float)((const signed char *)p)[at];
    else
      lre_kernels_to_float(dtype, p + at * lre_dtype_bytes(dtype), 1, &v.lane[i]);
  }
  return v;
}

#include "infer/kernels_body.h"
