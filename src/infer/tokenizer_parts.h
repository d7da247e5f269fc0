/* tokenizer_parts.h: what tokenizer.c and tokenizer_load.c share. Private to src/infer. */
#ifndef LRE_INFER_TOKENIZER_PARTS_H
#define LRE_INFER_TOKENIZER_PARTS_H

#include <pthread.h>

#include "infer/steps.h"
#include "infer/tokenizer.h"

struct lre_added {
  char *text;
  size_t len;
  uint32_t id;
  bool special, normalized, whole_word, strip_left, strip_right;
};

struct lre_tokenizer {
  struct lre_bpe bpe;
  struct lre_buf texts; /* what bpe.texts points into */
  struct lre_steps normalizer, pre, decoder;
  struct lre_added *added; /* longest first */
  size_t n_added;
  bool added_first[256];    /* bytes that an added token begins with */
  uint32_t *before, *after; /* the post-processor's */
  size_t n_before, n_after;
  size_t n_ids;
  uint32_t *added_by_id; /* [n_ids]: index into added, or LRE_NO_TOKEN */
  pthread_mutex_t lock;  /* over these: */
  struct lre_regex_scratch *scratch;
  struct lre_bpe_scratch words;
  struct lre_pieces pieces, spare;
};

#endif
