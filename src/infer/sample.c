#include "infer/sample.h"

#include <math.h>
#include <stdlib.h>

#include "infer/elementary.h"
#include "infer/kernels.h"

/* A token this far below the best (in nats) has less than 5e-18 of its weight: it is never drawn. */
#define OUT_OF_REACH 40.0

static uint32_t word_of(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

double lre_sample_uniform(const uint8_t key[16], uint64_t position) {
  uint32_t k0 = word_of(key), k1 = word_of(key + 4);
  uint32_t c[4] = {(uint32_t)position, (uint32_t)(position >> 32), word_of(key + 8), word_of(key + 12)};
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)c[0] * 0xd2511f53u, b = (uint64_t)c[2] * 0xcd9e8d57u;
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
    for (int i = 0; i < 4; i++) c[i] = next[i];
    k0 += 0x9e3779b9u, k1 += 0xbb67ae85u;
  }
  return (double)(((uint64_t)c[0] << 32 | c[1]) >> 11) * 0x1p-53;
}

static size_t best(const float *logits, size_t n) {
  return lre_kernels_best()->top(logits, n).at;
}

/* Each id of the history counts once, however often it occurs: what it was is kept in scratch. */
static void penalise(float *logits, size_t n, float penalty, const uint32_t *history, size_t n_history,
                     struct lre_candidate *scratch) {
  for (size_t i = 0; i < n_history; i++)
    if (history[i] < n) scratch[history[i]].weight = logits[history[i]];
  for (size_t i = 0; i < n_history; i++) {
    if (history[i] >= n) continue;
    float x = (float)scratch[history[i]].weight;
    logits[history[i]] = x < 0 ? x * penalty : x / penalty;
  }
}

static int heavier(const void *a, const void *b) {
  const struct lre_candidate *x = a, *y = b;
  if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

/* Candidates within reach, with their exponentials relative to the best; how many. */
static size_t gather(const float *logits, size_t n, double temperature, struct lre_candidate *out) {
  double top = logits[best(logits, n)] / temperature;
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    double x = logits[i] / temperature - top;
    if (x > -OUT_OF_REACH) out[kept++] = (struct lre_candidate){lre_elementary_exp(x), (uint32_t)i};
  }
  return kept;
}

static double sum_of(const struct lre_candidate *c, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += c[i].weight;
  return sum;
}

/* The shortest run of the heaviest that has the share top_p. */
static size_t nucleus(const struct lre_candidate *c, size_t n, double top_p) {
  double wanted = sum_of(c, n) * top_p, sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += c[i].weight;
    if (sum >= wanted) return i + 1;
  }
  return n;
}

uint32_t lre_sample(float *logits, size_t n, const struct lre_sampling *s, const uint32_t *history, size_t n_history,
                    uint64_t position, struct lre_candidate *c) {
  if (s->repetition_penalty != 1) penalise(logits, n, (float)s->repetition_penalty, history, n_history, c);
  if (!(s->temperature > 0)) return (uint32_t)best(logits, n);
  size_t kept = gather(logits, n, s->temperature, c);
  if (s->top_k || s->top_p < 1 || s->min_p > 0) qsort(c, kept, sizeof *c, heavier);
  if (s->top_k && kept > s->top_k) kept = s->top_k;
  if (s->top_p < 1) kept = nucleus(c, kept, s->top_p);
  for (size_t i = 1; s->min_p > 0 && i < kept; i++)
    if (c[i].weight < s->min_p * c[0].weight) kept = i;
  double at = lre_sample_uniform(s->key, position) * sum_of(c, kept);
  for (size_t i = 0; i + 1 < kept; i++) {
    if (at < c[i].weight) return c[i].id;
    at -= c[i].weight;
  }
  return c[kept ? kept - 1 : 0].id;
}

double lre_sample_log_sum(const float *logits, size_t n) {
  double top = logits[best(logits, n)], sum = 0;
  for (size_t i = 0; i < n; i++) sum += lre_elementary_exp(logits[i] - top);
  return top + lre_elementary_log(sum);
}

static bool above(const float *logits, uint32_t a, uint32_t b) {
  return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
}

void lre_sample_top(const float *logits, size_t n, size_t k, uint32_t *ids) {
  size_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    size_t at = kept < k ? kept++ : k;
    if (at == k && !(k && above(logits, i, ids[k - 1]))) continue;
    if (at == k) at--;
    for (; at && above(logits, i, ids[at - 1]); at--) ids[at] = ids[at - 1];
    ids[at] = i;
  }
}
