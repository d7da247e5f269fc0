/* set.h: a set of 64-bit keys in 8 bytes a key and little more.
 *
 * Made for passes over millions of rows ("was this key seen?"). Keys are
 * hashes: equal means *probably* seen, so a caller that needs certainty keeps
 * the few suspects exactly and compares them in a second pass. */
#ifndef LRE_CORE_SET_H
#define LRE_CORE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lre_set; /* opaque */

/* `expected` keys are held without growing (0: unknown). NULL: no memory. */
struct lre_set *lre_set_new(size_t expected);
void lre_set_free(struct lre_set *s);
/* 1: was not there and is now; 0: was there; -1: no memory. */
int lre_set_add(struct lre_set *s, uint64_t key);
bool lre_set_has(const struct lre_set *s, uint64_t key);
size_t lre_set_count(const struct lre_set *s);
void lre_set_clear(struct lre_set *s); /* keeps the memory */

#endif
