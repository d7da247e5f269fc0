/* fuzz: a record that was read, written and read again is the same record. */
#include "core/csv.h"

#include "fuzz.h"

enum { MAX_FIELDS = 64 };

struct record {
  struct lre_buf fields;
  size_t ends[MAX_FIELDS], n;
};

static int read_record(struct lre_csv *csv, struct record *r) {
  struct lre_err err;
  lre_buf_clear(&r->fields);
  return lre_csv_next(csv, &r->fields, r->ends, MAX_FIELDS, &r->n, &err);
}

static void write_record(const struct record *r, struct lre_buf *out) {
  for (size_t i = 0, start = 0; i < r->n; start = r->ends[i++]) {
    if (i) lre_buf_putc(out, ',');
    FUZZ_HOLDS(lre_csv_put(out, r->fields.data + start, r->ends[i] - start));
  }
  lre_buf_putc(out, '\n');
}

static void same(const struct record *a, const struct record *b) {
  FUZZ_HOLDS(a->n == b->n && a->fields.len == b->fields.len);
  FUZZ_HOLDS(memcmp(a->ends, b->ends, a->n * sizeof *a->ends) == 0);
  FUZZ_HOLDS(a->fields.len == 0 || memcmp(a->fields.data, b->fields.data, a->fields.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct record first, second;
  struct lre_buf written;
  char *text = fuzz_copy(data, size);
  struct lre_csv csv, again;
  lre_csv_init(&csv, text, size);
  lre_buf_init(&written);
  while (read_record(&csv, &first) == 1) {
    if (first.fields.len == 0 && first.n <= 1) continue; /* an empty line is no record when it is read again */
    if (first.fields.len >= 3 && memcmp(first.fields.data, "\xef\xbb\xbf", 3) == 0) continue; /* a mark at the start */
    lre_buf_clear(&written);
    write_record(&first, &written);
    lre_csv_init(&again, written.data, written.len);
    FUZZ_HOLDS(read_record(&again, &second) == 1);
    same(&first, &second);
  }
  lre_buf_free(&written);
  free(text);
  return 0;
}
