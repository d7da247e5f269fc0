/* csv.h: RFC 4180 records. Own code: Debian packages no small C CSV reader
 * with byte and line positions that works on a buffer. */
#ifndef LRE_CORE_CSV_H
#define LRE_CORE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

struct lre_csv {
  const char *text;
  size_t len;
  size_t pos;
  size_t line; /* 1-based line on which the record just read began */
  size_t next_line;
};

void lre_csv_init(struct lre_csv *csv, const char *text, size_t len);
/* Reads one record: fields are appended to `fields` and their ends to
 * ends[] (up to max_fields). 1: a record, *n fields; 0: end of text; -1: an
 * error (code "quote", "too_many_fields", "memory") with the line in its message.
 * Quoted fields may hold commas, quotes ("") and newlines; CRLF and LF end records. */
int lre_csv_next(struct lre_csv *csv, struct lre_buf *fields, size_t *ends, size_t max_fields, size_t *n,
                 struct lre_err *err);
/* Appends one field, quoted where it must be. */
bool lre_csv_put(struct lre_buf *b, const char *s, size_t len);

#endif
