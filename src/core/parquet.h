/* parquet.h: a writer of Apache Parquet files (format 2, github.com/apache/parquet-format) of flat, optional columns.
 *
 * Own code, since no Debian package of 2022 has a Parquet library in C (Arrow's is C++ and not in Debian at all), and
 * since a run's table must have the same bytes every time: pages are PLAIN and not compressed, for a compressor's bytes
 * change with its version; there are no statistics and no clock. A group of rows is held in memory, then written. */
#ifndef LRE_CORE_PARQUET_H
#define LRE_CORE_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum lre_cell_type { LRE_CELL_NONE, LRE_CELL_BOOL, LRE_CELL_INT, LRE_CELL_FLOAT, LRE_CELL_TEXT };

struct lre_cell {
  enum lre_cell_type type; /* NONE: null */
  union {
    bool yes;
    int64_t integer;
    double number;
    struct {
      const char *s; /* UTF-8 */
      size_t len;
    } text;
  } as;
};

struct lre_parquet_column {
  const char *name;
  enum lre_cell_type type; /* not NONE */
};

struct lre_parquet;

/* Writes under a temporary name. `columns` (at least one) and their names are copied. */
struct lre_parquet *lre_parquet_open(const char *path, const struct lre_parquet_column *columns, size_t n,
                                     struct lre_err *err);
/* One row: n cells, each of its column's type or NONE. */
bool lre_parquet_row(struct lre_parquet *p, const struct lre_cell *cells, struct lre_err *err);
/* The footer; then the file takes its name. Frees p, whatever comes of it. */
bool lre_parquet_commit(struct lre_parquet *p, struct lre_err *err);
void lre_parquet_abort(struct lre_parquet *p); /* p may be NULL */

#endif
