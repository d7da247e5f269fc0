/* tokenizer_parts.h: what tokenizer.c and tokenizer_load.c share. Private to src/infer. */
#ifndef LRE_INFER_TOKENIZER_PARTS_H
#define LRE_INFER_TOKENIZER_PARTS_H

#include <pthread.h>

#include "infer/steps.h"
#include "infer/tokenizer.h"

struct lre_added {
  char *text;
  size_t len;
  struct lre_buf pattern; /* what is looked for: the text, or what the normalizer makes of it */
  struct lre_buf core;    /* special and normalized: what it makes of it among other text */
  uint32_t id;
  bool special, normalized, whole_word, strip_left, strip_right;
};

struct lre_tokenizer {
  struct lre_bpe bpe;
  struct lre_buf texts; /* what bpe.texts points into */
  struct lre_steps normalizer, pre, decoder;
  struct lre_added *added; /* longest pattern first */
  size_t n_added;
  bool added_first[256];    /* bytes that a pattern begins with */
  bool special_first[256];  /* bytes that a special token's text begins with */
  bool late_specials;       /* a special token is looked for in normalized text */
  uint32_t *before, *after; /* the post-processor's */
  size_t n_before, n_after;
  size_t n_ids;
  uint32_t *added_by_id; /* [n_ids]: index into added, or LRE_NO_TOKEN */
  pthread_mutex_t lock;  /* over these: */
  struct lre_regex_scratch *scratch;
  struct lre_bpe_scratch words;
  struct lre_pieces pieces, spare;
};

/* Breaks: a byte for each of a text's and one more, 1 where no special token may go over this place. */

/* Appends a text with its breaks as marks. */
bool lre_guard_mark(const char *text, size_t len, const char *breaks, struct lre_buf *out);
/* Takes the marks out of a text, in place; where they were becomes `breaks`. False: out of memory. */
bool lre_guard_unmark(struct lre_buf *text, struct lre_buf *breaks);
/* Whether a token is a user's: a break is in it, or one at each end. */
bool lre_guard_broken(const char *breaks, size_t at, size_t len);

#endif
