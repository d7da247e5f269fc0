/* table.h: a run as a table: a row a trial, nested fields flattened with dots, typed, in the order of the keys. */
#ifndef LRE_CORE_TABLE_H
#define LRE_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/store.h"

struct lre_table_judge {
  const char *name, *hash; /* its verdicts under this hash are shown; of judges of one name the newest */
};

struct lre_table_spec {
  const char *const *left_out; /* dotted names of a trial's fields that are not shown */
  size_t n_left_out;
  const char *const *left_out_verdict; /* the same within a verdict */
  size_t n_left_out_verdict;
  const struct lre_table_judge *judges;
  size_t n_judges;
};

/* Writes both files, each under a temporary name first. `s` must be up to date with the journal. A column is "key", a
 * field of the trial ("response.text"), or of a judge's verdict ("verdicts.NAME.label"; "verdicts.NAME#2.label" of its
 * second); the order is that of the names' bytes, "key" first. Its type is that of its values: all booleans, all
 * integers, all numbers, else text (a list is JSON text). A verdict is shown where it is about the answer that counts.
 * The journal is read once where its first rows have all columns, else twice; memory is for some thousand cells, a
 * window of the journal and a group of Parquet rows. */
bool lre_table_write(struct lre_store *s, const char *journal, const struct lre_table_spec *spec, const char *csv,
                     const char *parquet, struct lre_err *err);

#endif
