/* AArch64: 16 lanes are four registers. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "infer/kernels_list.h"

#define FN     static
#define INLINE static inline __attribute__((always_inline))
#define TABLE  lre_kernels_neon
#define NAME   "neon"

typedef struct {
  float32x4_t q[4];
} v16;

#define TILE_ROWS         3 /* 24 sums, 3 weights and an input of 32 registers */
#define TILE_TOKENS       8
#define MIX_HEADS         1
#define TILE_WIDTH        4
#define tile_vector       float32x4_t
#define tile_zero()       vdupq_n_f32(0)
#define tile_load         vld1q_f32
#define tile_store        vst1q_f32
#define tile_fma(a, b, c) vfmaq_f32(c, a, b)
#define IN_REGISTER(v)    __asm__("" : "+w"(v))

INLINE v16 vset1(float x) {
  float32x4_t q = vdupq_n_f32(x);
  return (v16){{q, q, q, q}};
}

INLINE v16 vzero(void) {
  return vset1(0);
}

INLINE v16 vload(const float *p) {
  return (v16){{vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}};
}

INLINE void vstore(float *p, v16 v) {
  for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, v.q[i]);
}

INLINE v16 vfma(v16 a, v16 b, v16 c) {
  for (int i = 0; i < 4; i++) c.q[i] = vfmaq_f32(c.q[i], a.q[i], b.q[i]);
  return c;
}

INLINE v16 vadd(v16 a, v16 b) {
  for (int i = 0; i < 4; i++) a.q[i] = vaddq_f32(a.q[i], b.q[i]);
  return a;
}

INLINE v16 vmul(v16 a, v16 b) {
  for (int i = 0; i < 4; i++) a.q[i] = vmulq_f32(a.q[i], b.q[i]);
  return a;
}

INLINE void vsum8(const float *sums, float *out) {
  for (int r = 0; r < 8; r++) {
    v16 v = vload(sums + r * LRE_LANES);
    float32x4_t low = vaddq_f32(v.q[0], v.q[2]), high = vaddq_f32(v.q[1], v.q[3]);
    float32x4_t four = vaddq_f32(low, high);
    float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    out[r] = vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
}

INLINE float32x4_t tile_weight(enum lre_dtype dtype, const char *p, size_t half, size_t lane) {
  if (dtype == LRE_DTYPE_BF16) {
    uint32x4_t words = vreinterpretq_u32_u8(vld1q_u8((const uint8_t *)p + lane * 4));
    return vreinterpretq_f32_u32(half ? vandq_u32(words, vdupq_n_u32(0xffff0000u)) : vshlq_n_u32(words, 16));
  }
  p += (half * LRE_LANES + lane) * lre_dtype_bytes(dtype);
  if (dtype == LRE_DTYPE_F32) return vreinterpretq_f32_u8(vld1q_u8((const uint8_t *)p));
  if (dtype == LRE_DTYPE_F16) return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8((const uint8_t *)p)));
  int32_t bytes;
  memcpy(&bytes, p, sizeof bytes);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(bytes))))));
}

#include "infer/kernels_body.h"
#else
typedef int lre_kernels_neon_none;
#endif
