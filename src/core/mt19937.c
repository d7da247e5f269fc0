#include "core/mt19937.h"

#include <stdlib.h>

#include "core/set.h"

enum { N = 624, M = 397 };

static void init_by_word(struct lre_mt19937 *mt, uint32_t seed) {
  mt->state[0] = seed;
  for (uint32_t i = 1; i < N; i++) {
    uint32_t previous = mt->state[i - 1];
    mt->state[i] = UINT32_C(1812433253) * (previous ^ (previous >> 30)) + i;
  }
  mt->index = N;
}

/* One step of init_by_array's two passes: the state word i is mixed with its neighbour. */
static size_t stir(uint32_t *state, size_t i, uint32_t factor, uint32_t addend, bool subtract) {
  uint32_t mixed = state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * factor);
  state[i] = subtract ? mixed - addend : mixed + addend;
  if (++i < N) return i;
  state[0] = state[N - 1];
  return 1;
}

/* CPython: the key is |seed| in 32-bit words, least significant first, one word for 0. */
void lre_mt19937_seed(struct lre_mt19937 *mt, uint64_t seed) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t words = key[1] ? 2 : 1;
  size_t i = 1;
  init_by_word(mt, UINT32_C(19650218));
  for (uint32_t k = 0; k < N; k++) {
    i = stir(mt->state, i, UINT32_C(1664525), key[k % words] + k % words, false);
  }
  for (uint32_t k = 0; k < N - 1; k++) i = stir(mt->state, i, UINT32_C(1566083941), (uint32_t)i, true);
  mt->state[0] = UINT32_C(0x80000000);
}

static void regenerate(struct lre_mt19937 *mt) {
  for (int i = 0; i < N; i++) {
    uint32_t y = (mt->state[i] & UINT32_C(0x80000000)) | (mt->state[(i + 1) % N] & UINT32_C(0x7FFFFFFF));
    mt->state[i] = mt->state[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? UINT32_C(0x9908B0DF) : 0);
  }
  mt->index = 0;
}

uint32_t lre_mt19937_u32(struct lre_mt19937 *mt) {
  if (mt->index >= N) regenerate(mt);
  uint32_t y = mt->state[mt->index++];
  y ^= y >> 11;
  y ^= (y << 7) & UINT32_C(0x9D2C5680);
  y ^= (y << 15) & UINT32_C(0xEFC60000);
  return y ^ (y >> 18);
}

/* 27 and 26 bits: (a * 2^26 + b) / 2^53. */
double lre_mt19937_double(struct lre_mt19937 *mt) {
  uint32_t a = lre_mt19937_u32(mt) >> 5, b = lre_mt19937_u32(mt) >> 6;
  return ((double)a * 67108864.0 + (double)b) / 9007199254740992.0;
}

/* getrandbits(k), 1 <= k <= 64: words least significant first, the last one keeps its high bits. */
static uint64_t bits(struct lre_mt19937 *mt, unsigned k) {
  if (k <= 32) return lre_mt19937_u32(mt) >> (32 - k);
  uint64_t low = lre_mt19937_u32(mt);
  return low | (uint64_t)(lre_mt19937_u32(mt) >> (64 - k)) << 32;
}

static unsigned bit_length(uint64_t n) {
  unsigned k = 0;
  for (; n; n >>= 1) k++;
  return k;
}

uint64_t lre_mt19937_below(struct lre_mt19937 *mt, uint64_t n) {
  if (n == 0) return 0;
  unsigned k = bit_length(n);
  uint64_t r = bits(mt, k);
  while (r >= n) r = bits(mt, k);
  return r;
}

/* CPython takes the pool where a list of the population is smaller than a set of n: 21 + 4^ceil(log4(3n)).
 * 3n is never a power of four, so whole numbers give what its logarithms give. */
static bool pool_is_smaller(size_t population, size_t n) {
  uint64_t size = 21, power = 1;
  if (n > 5) {
    while (power < 3 * (uint64_t)n) power *= 4;
    size += power;
  }
  return population <= size;
}

static bool sample_by_pool(struct lre_mt19937 *mt, size_t population, size_t n, size_t *out, struct lre_err *err) {
  size_t *pool = malloc((population ? population : 1) * sizeof *pool);
  if (!pool) return lre_err_memory(err);
  for (size_t i = 0; i < population; i++) pool[i] = i;
  for (size_t i = 0; i < n; i++) {
    size_t j = (size_t)lre_mt19937_below(mt, population - i);
    out[i] = pool[j];
    pool[j] = pool[population - i - 1];
  }
  free(pool);
  return true;
}

static bool sample_by_set(struct lre_mt19937 *mt, size_t population, size_t n, size_t *out, struct lre_err *err) {
  struct lre_set *drawn = lre_set_new(n);
  if (!drawn) return lre_err_memory(err);
  int added = 1;
  for (size_t i = 0; i < n && added >= 0; i += added == 1) {
    out[i] = (size_t)lre_mt19937_below(mt, population);
    added = lre_set_add(drawn, out[i]);
  }
  lre_set_free(drawn);
  return added >= 0 || lre_err_memory(err);
}

bool lre_mt19937_sample(struct lre_mt19937 *mt, size_t population, size_t n, size_t *out, struct lre_err *err) {
  if (n > population) {
    return lre_err_set(err, "argument", "sample_size", "a sample of %zu from a population of %zu: at most %zu", n,
                       population, population);
  }
  if (n > SIZE_MAX / 64) return lre_err_memory(err);
  return pool_is_smaller(population, n) ? sample_by_pool(mt, population, n, out, err)
                                        : sample_by_set(mt, population, n, out, err);
}
