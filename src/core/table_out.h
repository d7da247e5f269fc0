/* table_out.h: the files of a table (table.h), written by a thread of their own while the next rows are read: quoting,
 * packing and writing take a third of the time. */
#ifndef LRE_CORE_TABLE_OUT_H
#define LRE_CORE_TABLE_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/parquet.h"

struct lre_table_out;

/* Room for a row. */
struct lre_table_row {
  struct lre_cell *cells; /* [n], all NONE */
  size_t *text_at;        /* [n]: where in `texts` a text cell's bytes begin; its length is in the cell */
  struct lre_buf *texts;
};

/* Both under temporary names; the columns' names are copied. */
struct lre_table_out *lre_table_out_open(const char *csv, const char *parquet, const struct lre_parquet_column *columns,
                                         size_t n, struct lre_err *err);
/* Where the next row goes. The one before is in the table only where it was added. False: what the thread met. */
bool lre_table_out_next(struct lre_table_out *out, struct lre_table_row *row, struct lre_err *err);
void lre_table_out_add(struct lre_table_out *out);
/* Waits until all rows are written; then the files take their names. Both free `out` (NULL: nothing to do). */
bool lre_table_out_commit(struct lre_table_out *out, struct lre_err *err);
void lre_table_out_abort(struct lre_table_out *out);

#endif
