#include "core/csv.h"

#include "oom.h"
#include "test.h"

enum { MAX_FIELDS = 8 };

struct reader {
  struct lre_csv csv;
  struct lre_buf fields;
  size_t ends[MAX_FIELDS], n;
  struct lre_err err;
};

static void open_text(struct reader *r, const char *text) {
  lre_csv_init(&r->csv, text, strlen(text));
  lre_buf_init(&r->fields);
}

static int next(struct reader *r) {
  lre_buf_clear(&r->fields);
  return lre_csv_next(&r->csv, &r->fields, r->ends, MAX_FIELDS, &r->n, &r->err);
}

/* The record just read, its fields joined by '|'. */
static void assert_record(struct reader *r, const char *want) {
  char got[256] = "";
  assert_int_equal(next(r), 1);
  for (size_t i = 0, start = 0; i < r->n; start = r->ends[i++]) {
    if (i) strcat(got, "|");
    strncat(got, r->fields.data + start, r->ends[i] - start);
  }
  assert_string_equal(got, want);
}

static void assert_end(struct reader *r) {
  assert_int_equal(next(r), 0);
  assert_int_equal(r->n, 0);
  lre_buf_free(&r->fields);
}

static void records_end_in_lf_or_crlf(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "id,text\r\n1,one\n2,two\r\n");
  assert_record(&r, "id|text");
  assert_record(&r, "1|one");
  assert_record(&r, "2|two");
  assert_end(&r);
}

static void the_last_line_needs_no_newline(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "a,b\nc,");
  assert_record(&r, "a|b");
  assert_record(&r, "c|");
  assert_end(&r);
  open_text(&r, "");
  assert_end(&r);
}

static void empty_fields_and_lines_are_kept(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, ",\n\n,,\"\"\n");
  assert_record(&r, "|");
  assert_record(&r, "");
  assert_int_equal(r.n, 1);
  assert_record(&r, "||");
  assert_end(&r);
}

static void quoted_fields_hold_anything(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\"\n\"\"\"\",\"\"\"\"\"\"\n");
  assert_record(&r, "a,b|say \"hi\"|two\r\nlines");
  assert_record(&r, "\"|\"\"");
  assert_end(&r);
}

static void a_lone_carriage_return_is_text(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "a\rb,c\r");
  assert_record(&r, "a\rb|c\r");
  assert_end(&r);
}

static void a_byte_order_mark_is_not_part_of_the_first_name(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "\xEF\xBB\xBFid,text\n\xEF\xBB\xBF,x");
  assert_record(&r, "id|text");
  assert_record(&r, "\xEF\xBB\xBF|x");
  assert_end(&r);
  open_text(&r, "\xEF\xBB\xBF\"id\"");
  assert_record(&r, "id");
  assert_end(&r);
}

static void a_record_knows_the_line_it_began_on(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "h\n\"two\nlines\"\nlast");
  assert_record(&r, "h");
  assert_int_equal(r.csv.line, 1);
  assert_record(&r, "two\nlines");
  assert_int_equal(r.csv.line, 2);
  assert_record(&r, "last");
  assert_int_equal(r.csv.line, 4);
  assert_end(&r);
}

static void assert_error(const char *text, const char *code, const char *line) {
  struct reader r;
  int status;
  open_text(&r, text);
  do status = next(&r);
  while (status == 1);
  assert_int_equal(status, -1);
  assert_string_equal(r.err.kind, "csv");
  assert_string_equal(r.err.code, code);
  if (!strstr(r.err.message, line)) fail_msg("no \"%s\" in: %s", line, r.err.message);
  lre_buf_free(&r.fields);
}

static void stray_quotes_are_errors_with_their_line(void **state) {
  (void)state;
  assert_error("a,b\n1,\"never\nclosed\n\n", "quote", "line 2:");
  assert_error("a\n\"x\ny\",\"", "quote", "line 3:");
  assert_error("a\nb\"c\n", "quote", "line 2:");
  assert_error("a\n\n\"b\"c\n", "quote", "line 3:");
  assert_error("\"a\" ,b\n", "quote", "line 1:");
}

static void too_many_fields_are_an_error_with_their_line(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "1,2,3,4,5,6,7,8");
  assert_record(&r, "1|2|3|4|5|6|7|8");
  assert_end(&r);
  assert_error("a\n1,2,3,4,5,6,7,8,9\n", "too_many_fields", "line 2:");
}

static void what_is_written_reads_back(void **state) {
  (void)state;
  static const char *const fields[] = {"plain", "", "a,b", "\"", "say \"hi\"", "two\nlines", "\r", "caf\xC3\xA9"};
  struct lre_buf b;
  struct reader r;
  lre_buf_init(&b);
  for (size_t i = 0; i < 8; i++) {
    if (i) lre_buf_putc(&b, ',');
    assert_true(lre_csv_put(&b, fields[i], strlen(fields[i])));
  }
  assert_string_equal(b.data, "plain,,\"a,b\",\"\"\"\",\"say \"\"hi\"\"\",\"two\nlines\",\"\r\",caf\xC3\xA9");
  open_text(&r, b.data);
  assert_record(&r, "plain||a,b|\"|say \"hi\"|two\nlines|\r|caf\xC3\xA9");
  assert_end(&r);
  lre_buf_free(&b);
}

/* Of a text that fails at the N-th allocation, some records may be read, but the end is never reported. */
static void without_memory_the_text_does_not_end_early(void **state) {
  (void)state;
  static char text[3000];
  struct reader r;
  long n = 0;
  memset(text, 'x', sizeof text - 1);
  text[10] = '\n';
  text[500] = ',';
  for (;; n++) {
    int status;
    open_text(&r, text);
    oom_arm(n);
    do status = lre_csv_next(&r.csv, &r.fields, r.ends, MAX_FIELDS, &r.n, &r.err);
    while (status == 1);
    bool failed = oom_disarm();
    lre_buf_free(&r.fields);
    assert_int_equal(status, failed ? -1 : 0);
    if (!failed) break;
    assert_string_equal(r.err.code, "memory");
  }
  assert_true(n > 2);
}

static void a_record_over_the_limit_is_an_error(void **state) {
  (void)state;
  struct reader r;
  open_text(&r, "abc\nabcdef\n");
  r.fields.max_bytes = 5;
  assert_record(&r, "abc");
  assert_int_equal(next(&r), -1);
  assert_string_equal(r.err.code, "memory");
  assert_non_null(strstr(r.err.message, "line 2:"));
  lre_buf_free(&r.fields);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_end_in_lf_or_crlf),
      cmocka_unit_test(the_last_line_needs_no_newline),
      cmocka_unit_test(empty_fields_and_lines_are_kept),
      cmocka_unit_test(quoted_fields_hold_anything),
      cmocka_unit_test(a_lone_carriage_return_is_text),
      cmocka_unit_test(a_byte_order_mark_is_not_part_of_the_first_name),
      cmocka_unit_test(a_record_knows_the_line_it_began_on),
      cmocka_unit_test(stray_quotes_are_errors_with_their_line),
      cmocka_unit_test(too_many_fields_are_an_error_with_their_line),
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(without_memory_the_text_does_not_end_early),
      cmocka_unit_test(a_record_over_the_limit_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
