/* json_span.h: a walk over JSON that lre_json_check has passed, without a tree: a tenth of a parse's time. On any other
 * text its results are undefined. */
#ifndef LRE_CORE_JSON_SPAN_H
#define LRE_CORE_JSON_SPAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* A part of the text: a value as it is written, or a name between its quotes. */
struct lre_json_span {
  const char *s; /* NULL: none */
  size_t len;
};

/* The value that a whole text is: what stands around it (space, a byte order mark before) left out. */
struct lre_json_span lre_json_span_of(const char *text, size_t len);
/* The next member of an object. *p stands behind its '{', or where the last call left it. False at the end. */
bool lre_json_span_member(const char **p, const char *end, struct lre_json_span *name, struct lre_json_span *value);
/* The same for the elements of a list: *p stands behind its '['. */
bool lre_json_span_element(const char **p, const char *end, struct lre_json_span *value);
/* Is it these bytes? */
bool lre_json_span_is(struct lre_json_span span, const char *literal);
/* Appends what a string says (with its quotes) to b. False where it is no string, or there is no memory. */
bool lre_json_span_string(struct lre_json_span value, struct lre_buf *b);
/* A number with '.', 'e' or 'E' in it; the value is that of lre_json_parse. */
bool lre_json_span_is_float(struct lre_json_span value);
double lre_json_span_double(struct lre_json_span value);

#endif
