/* http_check.h: what http.c asks of a request before it is sent. Messages name no value: a URL or a header may hold a
 * key. */
#ifndef LRE_CORE_HTTP_CHECK_H
#define LRE_CORE_HTTP_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

/* http or https, with a host and without a user; appends "scheme://host:port". Else err, code "url". */
bool lre_http_check_url(const char *url, struct lre_buf *host, struct lre_err *err);
/* "Name: value" in which nothing can end the line. Else err, code "header". */
bool lre_http_check_header(const char *line, struct lre_err *err);
bool lre_http_is_token(const char *s, size_t len); /* RFC 9110, 5.6.2; not empty */
bool lre_http_has_control(const char *s);

#endif
