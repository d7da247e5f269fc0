/* http_allow.c: see http_allow.h. */
#include "core/http_allow.h"

#include <string.h>

#include "core/http_check.h"

void lre_http_allow_all(struct lre_http_allow *a) {
  lre_buf_free(&a->names);
  a->on = false;
  a->version++;
}

void lre_http_allow_none(struct lre_http_allow *a) {
  lre_http_allow_all(a);
  a->on = true;
}

bool lre_http_allow_add(struct lre_http_allow *a, const char *url, struct lre_err *err) {
  a->version++;
  if (!lre_http_check_url(url, &a->names, err)) return false;
  return lre_buf_putc(&a->names, '\n') || lre_err_memory(err);
}

bool lre_http_allows(const struct lre_http_allow *a, const char *name) {
  if (!a->on) return true;
  size_t len = strlen(name);
  const char *line = a->names.data, *end = line ? line + a->names.len : NULL;
  while (line && line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if ((size_t)(stop - line) == len && memcmp(line, name, len) == 0) return true;
    line = stop + 1;
  }
  return false;
}
