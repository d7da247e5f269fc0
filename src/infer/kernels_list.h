/* kernels_list.h: the tables behind kernels.h. Private to src/infer. */
#ifndef LRE_INFER_KERNELS_LIST_H
#define LRE_INFER_KERNELS_LIST_H

#include "infer/kernels.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LRE_KERNELS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LRE_KERNELS_SLOW 1
#endif
#endif

extern const struct lre_kernels lre_kernels_portable;
#if defined(__x86_64__)
extern const struct lre_kernels lre_kernels_avx2, lre_kernels_avx512;
bool lre_kernels_has_avx2(void);
bool lre_kernels_has_avx512(void);
#elif defined(__aarch64__)
extern const struct lre_kernels lre_kernels_neon;
#endif

float lre_kernels_half(uint16_t h); /* IEEE binary16 to float, exact */

#endif
