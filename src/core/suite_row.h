/* suite_row.h: the common row of a suite's file, a question with an id, as its sample: a suite may have millions, and
 * its first reading makes nobody wait longer than it must. Every other row is lua/lre/row.lua's, wrong ones too. */
#ifndef LRE_CORE_SUITE_ROW_H
#define LRE_CORE_SUITE_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

struct lre_suite_row {
  struct lre_json_string id, text, category, subcategory; /* s NULL: it has none; none is blank */
};

/* A line { id, text or prompt, category?, subcategory? }, all of them strings. They lie in `line` or in `room` (of at
 * least len bytes). False: another row. */
bool lre_suite_row_read(const char *line, size_t len, struct lre_suite_row *row, char *room);
/* Appends the sample's canonical JSON. */
bool lre_suite_row_put(const struct lre_suite_row *row, struct lre_buf *out, struct lre_err *err);

#endif
