/* serve_parse.h: one HTTP/1.1 request out of bytes from the wire (RFC 9112). It knows what `lre mock` needs and refuses
 * the rest: bodies with a Content-Length, no chunked ones, no folded header lines. */
#ifndef LRE_CORE_SERVE_PARSE_H
#define LRE_CORE_SERVE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

enum { LRE_SERVE_MAX_HEAD = 64 << 10 };

enum lre_serve_parsed {
  LRE_SERVE_MORE,  /* not all of it is there */
  LRE_SERVE_WHOLE, /* `used` bytes are one request */
  LRE_SERVE_BAD    /* what is there is no request; `status` is what to answer before closing */
};

struct lre_serve_head {
  struct lre_buf method, target; /* NUL-terminated */
  struct lre_buf headers;        /* "name: value\n" lines, names in lower case */
  const char *body;              /* inside the given bytes */
  size_t body_len, used;
  bool keep_alive;
  int status;
};

/* Never reads beyond len. `head`'s buffers are cleared first, and freed by the caller. */
enum lre_serve_parsed lre_serve_parse(const char *bytes, size_t len, size_t max_body_bytes,
                                      struct lre_serve_head *head);
void lre_serve_head_free(struct lre_serve_head *head);

#endif
