/* bpe.h: byte pair encoding as `tokenizers` computes it: the vocabulary, the merges in order of rank, one word at a
 * time.
 *
 * In a byte-level vocabulary tokens are kept as the bytes they stand for, not in the alphabet of printable characters
 * that the file uses for them. */
#ifndef LRE_INFER_BPE_H
#define LRE_INFER_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define LRE_NO_TOKEN UINT32_MAX

struct lre_bpe_text { /* a token's bytes */
  const char *data;   /* NULL: no such id */
  uint32_t len;
};

struct lre_bpe {
  struct lre_bpe_text *texts; /* by id */
  size_t n_texts;
  uint32_t *ids; /* hash table of ids, by text */
  size_t n_slots;
  struct lre_bpe_merge *merges; /* hash table, by pair */
  size_t n_merge_slots, n_merges;
  uint32_t byte_ids[256]; /* byte-level: the byte's token; else <0xXX> where there is a fallback */
  uint32_t unknown;       /* or LRE_NO_TOKEN */
  bool byte_level, byte_fallback, fuse_unknown, ignore_merges;
};

/* Room for n_tokens texts (the caller owns their bytes and sets `texts` by lre_bpe_add) and n_merges merges. */
bool lre_bpe_init(struct lre_bpe *b, size_t n_tokens, size_t n_merges, struct lre_err *err);
void lre_bpe_free(struct lre_bpe *b);
/* Ids under n_tokens, each once. A text that is there already keeps its first id. */
void lre_bpe_add(struct lre_bpe *b, uint32_t id, const char *text, size_t len);
uint32_t lre_bpe_find(const struct lre_bpe *b, const char *text, size_t len); /* or LRE_NO_TOKEN */
/* The next merge in rank. False: the pair or what it gives is not in the vocabulary, or there is no room. */
bool lre_bpe_merge(struct lre_bpe *b, const char *left, size_t left_len, const char *right, size_t right_len);

struct lre_ids { /* a growable list of ids */
  uint32_t *data;
  size_t len, cap;
  bool failed;
};
void lre_ids_put(struct lre_ids *ids, uint32_t id);
void lre_ids_free(struct lre_ids *ids);

/* Working memory of words, kept from one to the next. */
struct lre_bpe_scratch {
  struct lre_bpe_symbol *symbols;
  struct lre_bpe_candidate *heap;
  size_t cap, heap_cap, n_heap;
};
void lre_bpe_scratch_free(struct lre_bpe_scratch *s);
/* Appends the ids of one word (valid UTF-8, or bytes where byte-level). False: no memory. */
bool lre_bpe_word(const struct lre_bpe *b, struct lre_bpe_scratch *s, const char *word, size_t len,
                  struct lre_ids *out);

#endif
