/* buf.h: a growable run of bytes.
 *
 * Appending never aborts: a failed allocation (or a length over max_bytes)
 * sets `failed`, later appends do nothing, and the owner checks once at the
 * end. `data` is always NUL-terminated after the first append, so it can be
 * handed to C libraries; `len` does not count that NUL. */
#ifndef LRE_CORE_BUF_H
#define LRE_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct lre_buf {
  char *data;
  size_t len;
  size_t cap;
  size_t max_bytes; /* 0: no bound */
  bool failed;
};

void lre_buf_init(struct lre_buf *b);
void lre_buf_free(struct lre_buf *b);  /* and re-initialises; max_bytes is kept */
void lre_buf_clear(struct lre_buf *b); /* keeps the memory, clears `failed` */
bool lre_buf_reserve(struct lre_buf *b, size_t more_bytes);
bool lre_buf_put(struct lre_buf *b, const void *bytes, size_t n);
static inline bool lre_buf_putc(struct lre_buf *b, char c) {
  bool room = !b->failed && b->cap - b->len > 1 && (!b->max_bytes || b->len < b->max_bytes);
  if (!room) return lre_buf_put(b, &c, 1);
  b->data[b->len++] = c;
  b->data[b->len] = '\0';
  return true;
}
bool lre_buf_puts(struct lre_buf *b, const char *literal); /* our own NUL-terminated text only */
bool lre_buf_printf(struct lre_buf *b, const char *fmt, ...) LRE_PRINTF(2, 3);
/* Moves the bytes out: the caller frees() *data. Returns false when failed. */
bool lre_buf_take(struct lre_buf *b, char **data, size_t *len);

#endif
