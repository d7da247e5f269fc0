/* x86-64 with AVX2, FMA and F16C (Haswell, Zen and later): 16 lanes are two registers. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "infer/kernels_list.h"

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define FN     static TARGET
#define INLINE static inline __attribute__((always_inline)) TARGET
#define TABLE  lre_kernels_avx2
#define NAME   "avx2"

bool lre_kernels_has_avx2(void) {
  unsigned a, b, c, d; /* older clang cannot be asked for F16C */
  bool f16c = __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
  return f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

typedef struct {
  __m256 low, high;
} v16;

#define TILE_ROWS      2 /* 12 sums, 2 weights, an input and a mask are 16 registers */
#define TILE_TOKENS    6
#define MIX_HEADS      2
#define TILE_WIDTH     8
#define tile_vector    __m256
#define tile_zero      _mm256_setzero_ps
#define tile_load      _mm256_loadu_ps
#define tile_store     _mm256_storeu_ps
#define tile_fma       _mm256_fmadd_ps
#define IN_REGISTER(v) __asm__("" : "+x"(v))

INLINE v16 vset1(float x) {
  return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

INLINE v16 vzero(void) {
  return (v16){_mm256_setzero_ps(), _mm256_setzero_ps()};
}

INLINE v16 vload(const float *p) {
  return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

INLINE void vstore(float *p, v16 v) {
  _mm256_storeu_ps(p, v.low);
  _mm256_storeu_ps(p + 8, v.high);
}

INLINE v16 vfma(v16 a, v16 b, v16 c) {
  return (v16){_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}

INLINE v16 vadd(v16 a, v16 b) {
  return (v16){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}

INLINE v16 vmul(v16 a, v16 b) {
  return (v16){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}

/* Lanes j + (j+8), then + (j+4), two sums to a register. */
INLINE __m256 fold(v16 a, v16 b) {
  __m256 x = _mm256_add_ps(a.low, a.high), y = _mm256_add_ps(b.low, b.high);
  return _mm256_add_ps(_mm256_permute2f128_ps(x, y, 0x20), _mm256_permute2f128_ps(x, y, 0x31));
}

/* Lanes j + (j+2), four sums to a register, in the order a c (low half) b d (high half). */
INLINE __m256 fold2(__m256 ab, __m256 cd) {
  return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
}

INLINE void vsum8(const float *sums, float *out) {
  v16 s[8];
  for (int i = 0; i < 8; i++) s[i] = vload(sums + i * LRE_LANES);
  __m256 two0145 = fold2(fold(s[0], s[4]), fold(s[1], s[5])), two2367 = fold2(fold(s[2], s[6]), fold(s[3], s[7]));
  _mm256_storeu_ps(out,
                   _mm256_add_ps(_mm256_shuffle_ps(two0145, two2367, 0x88), _mm256_shuffle_ps(two0145, two2367, 0xdd)));
}

INLINE __m256i load32(const char *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE __m128i load16(const char *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

INLINE __m256 bf16_half(const char *p, size_t half) {
  __m256i words = load32(p);
  __m256i bits = half ? _mm256_and_si256(words, _mm256_set1_epi32((int)0xffff0000)) : _mm256_slli_epi32(words, 16);
  return _mm256_castsi256_ps(bits);
}

INLINE __m256 i8_to_float(const char *p) {
  long long bytes;
  memcpy(&bytes, p, sizeof bytes);
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(bytes)));
}

INLINE __m256 tile_weight(enum lre_dtype dtype, const char *p, size_t half, size_t lane) {
  if (dtype == LRE_DTYPE_BF16) return bf16_half(p + lane * 4, half);
  p += (half * LRE_LANES + lane) * lre_dtype_bytes(dtype);
  if (dtype == LRE_DTYPE_F32) return _mm256_castsi256_ps(load32(p));
  if (dtype == LRE_DTYPE_F16) return _mm256_cvtph_ps(load16(p));
  return i8_to_float(p);
}

#include "infer/kernels_body.h"
#else
typedef int lre_kernels_avx2_none;
#endif
