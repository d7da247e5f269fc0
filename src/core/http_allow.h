/* http_allow.h: which hosts may be asked at all. Off until it is set; the caller's thread alone looks at it. */
#ifndef LRE_CORE_HTTP_ALLOW_H
#define LRE_CORE_HTTP_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

struct lre_http_allow {
  bool on;
  struct lre_buf names; /* "scheme://host:port\n" lines */
  unsigned version;     /* another one with each change: what was looked up before is worth nothing */
};

/* From now on only hosts that are added. */
void lre_http_allow_none(struct lre_http_allow *a);
/* Of the URL only scheme, host and port count. False: err (a bad URL, no memory). */
bool lre_http_allow_add(struct lre_http_allow *a, const char *url, struct lre_err *err);
/* From now on every host; also gives the memory back. */
void lre_http_allow_all(struct lre_http_allow *a);
/* name: "scheme://host:port", NUL-terminated. */
bool lre_http_allows(const struct lre_http_allow *a, const char *name);

#endif
