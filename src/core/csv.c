#include "core/csv.h"

#include <string.h>

void lre_csv_init(struct lre_csv *csv, const char *text, size_t len) {
  size_t bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* spreadsheets write one */
  *csv = (struct lre_csv){.text = text, .len = len, .pos = bom, .line = 1, .next_line = 1};
}

static bool at_end_of_line(const struct lre_csv *csv) {
  const char *p = csv->text + csv->pos;
  size_t left = csv->len - csv->pos;
  return left == 0 || p[0] == '\n' || (left > 1 && p[0] == '\r' && p[1] == '\n');
}

static void skip_end_of_line(struct lre_csv *csv) {
  if (csv->pos == csv->len) return;
  csv->pos += csv->text[csv->pos] == '\r' ? 2 : 1;
  csv->next_line++;
}

static bool read_bare(struct lre_csv *csv, struct lre_buf *fields, struct lre_err *err) {
  size_t start = csv->pos;
  while (!at_end_of_line(csv) && csv->text[csv->pos] != ',') {
    if (csv->text[csv->pos++] != '"') continue;
    return lre_err_set(err, "csv", "quote",
                       "line %zu: a '\"' inside an unquoted field; quote the field and double its quotes",
                       csv->next_line);
  }
  lre_buf_put(fields, csv->text + start, csv->pos - start);
  return true;
}

/* From after the opening quote to after the closing one. */
static bool read_quoted(struct lre_csv *csv, struct lre_buf *fields, struct lre_err *err) {
  size_t opened = csv->next_line;
  for (size_t start = csv->pos; csv->pos < csv->len;) {
    char c = csv->text[csv->pos++];
    if (c == '\n') csv->next_line++;
    if (c != '"') continue;
    lre_buf_put(fields, csv->text + start, csv->pos - 1 - start);
    if (csv->pos == csv->len || csv->text[csv->pos] != '"') return true;
    start = csv->pos++; /* the second of two quotes is the text */
  }
  return lre_err_set(err, "csv", "quote", "line %zu: the quoted field that begins here is never closed", opened);
}

static bool read_field(struct lre_csv *csv, struct lre_buf *fields, struct lre_err *err) {
  if (csv->pos == csv->len || csv->text[csv->pos] != '"') return read_bare(csv, fields, err);
  csv->pos++;
  if (!read_quoted(csv, fields, err)) return false;
  if (at_end_of_line(csv) || csv->text[csv->pos] == ',') return true;
  return lre_err_set(err, "csv", "quote", "line %zu: text after a closing quote; expected a comma or a new line",
                     csv->next_line);
}

int lre_csv_next(struct lre_csv *csv, struct lre_buf *fields, size_t *ends, size_t max_fields, size_t *n,
                 struct lre_err *err) {
  csv->line = csv->next_line;
  *n = 0;
  if (csv->pos == csv->len) return 0;
  for (;;) {
    if (*n == max_fields) {
      lre_err_set(err, "csv", "too_many_fields", "line %zu: more than %zu fields", csv->line, max_fields);
      return -1;
    }
    if (!read_field(csv, fields, err)) return -1;
    ends[(*n)++] = fields->len;
    if (at_end_of_line(csv)) break;
    csv->pos++; /* the comma */
  }
  skip_end_of_line(csv);
  if (!fields->failed) return 1;
  lre_err_set(err, "csv", "memory", "line %zu: no memory for this record, or it is over the limit", csv->line);
  return -1;
}

bool lre_csv_put(struct lre_buf *b, const char *s, size_t len) {
  bool bare = true;
  for (size_t i = 0; i < len && bare; i++) bare = !(s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r');
  if (bare) return lre_buf_put(b, s, len);
  size_t start = 0;
  lre_buf_putc(b, '"');
  for (size_t i = 0; i < len; i++) {
    if (s[i] != '"') continue;
    lre_buf_put(b, s + start, i + 1 - start);
    start = i; /* the quote is written again with what follows it */
  }
  lre_buf_put(b, s + start, len - start);
  return lre_buf_putc(b, '"');
}
