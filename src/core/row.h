/* row.h: what a line of a run's journal is, read without a tree for each: a pass over a million lines takes seconds
 * with one and less than one without. */
#ifndef LRE_CORE_ROW_H
#define LRE_CORE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

/* A row holds a response of at most 16 MiB, JSON-escaped at worst sixfold. */
#define LRE_ROW_MAX_BYTES (128u << 20)
/* The schema of the rows that this version writes, and the newest that it reads. */
#define LRE_ROW_VERSION 1

struct lre_row_text {
  const char *s; /* NULL: the row has no such field, or null */
  size_t len;
};

struct lre_row {
  bool is_verdict, failed; /* failed: of a trial, its response is an error */
  struct lre_row_text key, judge, judge_hash, response_hash;
  int64_t n; /* of a verdict */
};

/* What reading takes from line to line. All zero at first. */
struct lre_row_reader {
  struct lre_json_text checked;
  struct lre_buf memory;
};

/* Reads a line (without its newline). The row's texts point into `line` or into the reader, and hold until the next
 * line. False: err is that of lre_json_parse, or kind "journal" with code "foreign" (no row of a run) or "future" (of a
 * newer version). */
bool lre_row_read(struct lre_row_reader *r, const char *line, size_t len, struct lre_row *row, struct lre_err *err);
void lre_row_reader_free(struct lre_row_reader *r);

#endif
