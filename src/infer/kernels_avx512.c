/* x86-64 with AVX-512 F, BW, DQ and VL (Skylake-SP, Zen 4 and later): 16 lanes are one register. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "infer/kernels_list.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")))
#define FN     static TARGET
#define INLINE static inline __attribute__((always_inline)) TARGET
#define TABLE  lre_kernels_avx512
#define NAME   "avx512"

bool lre_kernels_has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

typedef __m512 v16;

#define TILE_ROWS      3 /* 24 sums, 3 weights and an input of 32 registers */
#define TILE_TOKENS    8
#define MIX_HEADS      4
#define TILE_WIDTH     16
#define tile_vector    v16
#define tile_zero      vzero
#define tile_load      vload
#define tile_store     vstore
#define tile_fma       vfma
#define IN_REGISTER(v) __asm__("" : "+v"(v))

INLINE v16 vset1(float x) {
  return _mm512_set1_ps(x);
}

INLINE v16 vzero(void) {
  return _mm512_setzero_ps();
}

INLINE v16 vload(const float *p) {
  return _mm512_loadu_ps(p);
}

INLINE void vstore(float *p, v16 v) {
  _mm512_storeu_ps(p, v);
}

INLINE v16 vfma(v16 a, v16 b, v16 c) {
  return _mm512_fmadd_ps(a, b, c);
}

INLINE v16 vadd(v16 a, v16 b) {
  return _mm512_add_ps(a, b);
}

INLINE v16 vmul(v16 a, v16 b) {
  return _mm512_mul_ps(a, b);
}

/* Two vectors of sums become one of half as many lanes of each: j + (j+8), then + (j+4), + (j+2), + (j+1). */
INLINE v16 fold8(v16 a, v16 b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, 0x4e));
}

INLINE v16 fold4(v16 a, v16 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

INLINE v16 fold2(v16 a, v16 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
}

INLINE void vsum8(const float *sums, float *out) {
  v16 s[8];
  for (int i = 0; i < 8; i++) s[i] = vload(sums + i * LRE_LANES);
  v16 even = fold4(fold8(s[0], s[2]), fold8(s[4], s[6])), odd = fold4(fold8(s[1], s[3]), fold8(s[5], s[7]));
  v16 two = fold2(even, odd); /* of 0, 1, 2, ...: two lanes of each */
  v16 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
  const __m512i firsts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm256_storeu_ps(out, _mm512_castps512_ps256(_mm512_permutexvar_ps(firsts, one)));
}

INLINE v16 tile_weight(enum lre_dtype dtype, const char *p, size_t half, size_t lane) {
  (void)lane;
  if (dtype == LRE_DTYPE_BF16) {
    __m512i words = _mm512_loadu_si512(p);
    if (half) return _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
  }
  p += half * LRE_LANES * lre_dtype_bytes(dtype);
  if (dtype == LRE_DTYPE_F32) return _mm512_loadu_ps(p);
  if (dtype == LRE_DTYPE_F16) return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

#include "infer/kernels_body.h"
#else
typedef int lre_kernels_avx512_none;
#endif
