#include "core/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

void lre_buf_init(struct lre_buf *b) {
  *b = (struct lre_buf){0};
}

void lre_buf_free(struct lre_buf *b) {
  free(b->data);
  *b = (struct lre_buf){.max_bytes = b->max_bytes};
}

void lre_buf_clear(struct lre_buf *b) {
  b->len = 0;
  b->failed = false;
  if (b->data) b->data[0] = '\0';
}

static bool fail(struct lre_buf *b) {
  b->failed = true;
  return false;
}

/* Twice the old size, so that n appends copy O(n) bytes. It cannot wrap: cap is at most PTRDIFF_MAX. */
static bool grow(struct lre_buf *b, size_t need) {
  size_t cap = b->cap * 2;
  if (cap < FIRST_CAP) cap = FIRST_CAP;
  if (cap < need) cap = need;
  char *data = realloc(b->data, cap);
  if (!data) return fail(b);
  if (!b->data) data[0] = '\0';
  b->data = data;
  b->cap = cap;
  return true;
}

bool lre_buf_reserve(struct lre_buf *b, size_t more_bytes) {
  if (b->failed) return false;
  if (more_bytes >= PTRDIFF_MAX - b->len) return fail(b); /* no object of C is larger */
  if (b->max_bytes && (b->len > b->max_bytes || more_bytes > b->max_bytes - b->len)) return fail(b);
  size_t need = b->len + more_bytes + 1;
  return need <= b->cap || grow(b, need);
}

bool lre_buf_put(struct lre_buf *b, const void *bytes, size_t n) {
  if (!lre_buf_reserve(b, n)) return false;
  if (n) memcpy(b->data + b->len, bytes, n);
  b->len += n;
  b->data[b->len] = '\0';
  return true;
}

bool lre_buf_puts(struct lre_buf *b, const char *literal) {
  return lre_buf_put(b, literal, strlen(literal));
}

bool lre_buf_printf(struct lre_buf *b, const char *fmt, ...) {
  if (!lre_buf_reserve(b, 0)) return false;
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, args);
  va_end(args);
  bool fits = n >= 0 && (size_t)n < b->cap - b->len;
  if (n < 0 || !lre_buf_reserve(b, (size_t)n)) {
    b->data[b->len] = '\0'; /* nothing of a failed append stays */
    return fail(b);
  }
  if (!fits) {
    va_start(args, fmt);
    vsnprintf(b->data + b->len, b->cap - b->len, fmt, args);
    va_end(args);
  }
  b->len += (size_t)n;
  return true;
}

bool lre_buf_take(struct lre_buf *b, char **data, size_t *len) {
  if (!lre_buf_reserve(b, 0)) return false; /* also gives an empty buffer its NUL */
  *data = b->data;
  *len = b->len;
  *b = (struct lre_buf){.max_bytes = b->max_bytes};
  return true;
}
