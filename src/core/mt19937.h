/* mt19937.h: the Mersenne Twister as CPython's random.Random uses it, so that
 * `--sample N --seed K` draws what random.Random(K).sample draws.
 * Source: Matsumoto & Nishimura 1998 (init_by_array); CPython Lib/random.py,
 * Modules/_randommodule.c for the seeding, randbelow and the two branches of sample. */
#ifndef LRE_CORE_MT19937_H
#define LRE_CORE_MT19937_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct lre_mt19937 {
  uint32_t state[624];
  int index;
};

void lre_mt19937_seed(struct lre_mt19937 *mt, uint64_t seed); /* |seed| of random.Random(seed) */
uint32_t lre_mt19937_u32(struct lre_mt19937 *mt);
double lre_mt19937_double(struct lre_mt19937 *mt);              /* random(): [0,1), 53 bits */
uint64_t lre_mt19937_below(struct lre_mt19937 *mt, uint64_t n); /* randrange(n); n > 0 */
/* sample(range(population), n) in draw order into out[n]. n <= population, else an error. */
bool lre_mt19937_sample(struct lre_mt19937 *mt, size_t population, size_t n, size_t *out, struct lre_err *err);

#endif
