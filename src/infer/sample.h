/* sample.h: from logits to a token.
 *
 * In the order of transformers' generate: repetition penalty, temperature, top-k, top-p, min-p. The random number is a
 * function of the request's key and the token's position alone (Philox 4x32-10, Salmon et al. 2011), so that neither
 * batching nor an order of completion changes it. */
#ifndef LRE_INFER_SAMPLE_H
#define LRE_INFER_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lre_sampling {
  double temperature;        /* 0: the largest logit, the lowest id among equals */
  double top_p, min_p;       /* 1 and 0: off */
  double repetition_penalty; /* 1: off */
  uint32_t top_k;            /* 0: off */
  uint8_t key[16];           /* of the request's hash */
};

struct lre_candidate {
  double weight; /* a logit, later its exponential */
  uint32_t id;
};

/* The token after `position` tokens. logits: [n], changed by the penalty; history: the ids before (those under n
 * count). scratch: [n]. */
uint32_t lre_sample(float *logits, size_t n, const struct lre_sampling *s, const uint32_t *history, size_t n_history,
                    uint64_t position, struct lre_candidate *scratch);

/* log of the sum of e^logit. */
double lre_sample_log_sum(const float *logits, size_t n);
/* The k largest, largest first, lower ids first among equals. */
void lre_sample_top(const float *logits, size_t n, size_t k, uint32_t *ids);

/* A number in [0, 1) with 53 bits. */
double lre_sample_uniform(const uint8_t key[16], uint64_t position);

#endif
