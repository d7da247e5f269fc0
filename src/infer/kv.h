/* kv.h: memory for keys and values, in pages of LRE_PAGE_TOKENS positions, and which of them can be used again.
 *
 * A full page can be indexed under the ids it holds and the page before it. Another sequence that begins with the same
 * ids then takes it instead of computing it: a persona's system prompt is computed once. Ids are compared, not hashes
 * trusted. Pages that nobody holds stay until their memory is wanted, the longest unused first. One thread. */
#ifndef LRE_INFER_KV_H
#define LRE_INFER_KV_H

#include "core/err.h"
#include "infer/kernels.h"

struct lre_kv;
struct lre_kv_page {
  float *data;
  uint64_t serial; /* of this content: never used twice */
  /* the pool's: */
  uint64_t parent;
  uint32_t ids[LRE_PAGE_TOKENS];
  size_t n_holders;
  bool indexed;
  struct lre_kv_page *in_bucket, *older, *newer;
};

/* At most max_pages pages of page_floats each; memory is taken as it is wanted. */
struct lre_kv *lre_kv_new(size_t page_floats, size_t max_pages, struct lre_err *err);
void lre_kv_free(struct lre_kv *kv);
size_t lre_kv_max_pages(const struct lre_kv *kv);
size_t lre_kv_peak_pages(const struct lre_kv *kv); /* that had memory */

/* A page of one's own, or NULL where all are held or memory is out. */
struct lre_kv_page *lre_kv_take(struct lre_kv *kv);
/* The page that holds these LRE_PAGE_TOKENS ids after the page with serial `parent` (0: the begin), or NULL. */
struct lre_kv_page *lre_kv_find(struct lre_kv *kv, uint64_t parent, const uint32_t *ids);
/* Makes a full page findable, unless there is one like it already. Its content must not change any more. */
void lre_kv_index(struct lre_kv *kv, struct lre_kv_page *page, uint64_t parent, const uint32_t *ids);
void lre_kv_release(struct lre_kv *kv, struct lre_kv_page *page);

#endif
