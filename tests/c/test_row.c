/* What a journal's line is, told without a tree. */
#include "core/row.h"

#include "test.h"

static const char TRIAL[] =
    "{\"attempts\":1,\"key\":\"s/a|none|m\",\"response\":{\"text\":\"\\\"key\\\":\\\"no\\\" {[\\\\\","
    "\"usage\":{\"n\":[1,{\"key\":\"inner\"}]}},\"type\":\"trial\",\"v\":1}";

static bool read_line(const char *line, size_t len, struct lre_row *row, char code[32], char key[64]) {
  struct lre_row_reader reader = {0};
  struct lre_err err = {.code = ""};
  char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a read beyond the line */
  assert_non_null(exact);
  memcpy(exact, line, len);
  bool ok = lre_row_read(&reader, exact, len, row, &err);
  snprintf(code, 32, "%s", ok ? "" : err.code);
  if (ok) snprintf(key, 64, "%.*s", (int)row->key.len, row->key.s);
  free(exact);
  lre_row_reader_free(&reader);
  return ok;
}

static void expect(const char *line, const char *want_code, const char *want_key, bool is_verdict, bool failed) {
  struct lre_row row;
  char code[32], key[64] = "";
  bool ok = read_line(line, strlen(line), &row, code, key);
  assert_string_equal(code, want_code);
  if (!ok) return;
  assert_string_equal(key, want_key);
  assert_int_equal(row.is_verdict, is_verdict);
  assert_int_equal(row.failed, failed);
}

static void a_trial_is_told_from_an_error_and_from_a_verdict(void **state) {
  (void)state;
  expect(TRIAL, "", "s/a|none|m", false, false);
  expect(
      " { \"key\" : \"k\" , \"v\" : 1 , \"type\" : \"trial\" , \"response\" : { \"error\" : { \"code\" : \"x\" } } } ",
      "", "k", false, true);
  expect("{\"key\":\"k\",\"type\":\"trial\",\"v\":1,\"response\":{\"error\":null,\"text\":\"\"}}", "", "k", false,
         false);
  expect("{\"key\":\"k\",\"type\":\"trial\",\"v\":1}", "", "k", false, true);
  expect("{\"judge\":\"j\",\"judge_hash\":\"h\",\"key\":\"k\",\"n\":2,\"type\":\"verdict\",\"v\":1}", "", "k", true,
         false);
}

static void a_key_with_escapes_is_what_it_says(void **state) {
  (void)state;
  expect("{\"key\":\"s\\/\\\"\\u00e9|none|m\",\"type\":\"trial\",\"v\":1}", "", "s/\"\xC3\xA9|none|m", false, true);
}

static void what_is_no_row_has_its_name(void **state) {
  (void)state;
  expect("{\"key\":\"k\",\"type\":\"trial\",\"v\":2}", "future", "", false, false);
  expect("{\"key\":\"k\",\"type\":\"gossip\",\"v\":1}", "foreign", "", false, false);
  expect("{\"key\":\"\",\"type\":\"trial\",\"v\":1}", "foreign", "", false, false);
  expect("{\"key\":7,\"type\":\"trial\",\"v\":1}", "foreign", "", false, false);
  expect("{\"key\":\"k\",\"type\":\"verdict\",\"v\":1}", "foreign", "", false, false);
  expect("[{\"key\":\"k\",\"type\":\"trial\",\"v\":1}]", "foreign", "", false, false);
  expect("\"{\"", "foreign", "", false, false);
  expect("7", "foreign", "", false, false);
  expect("", "empty", "", false, false);
  expect("{\"key\":\"k\",\"key\":\"l\",\"type\":\"trial\",\"v\":1}", "duplicate_key", "", false, false);
}

static void every_torn_line_is_an_error(void **state) {
  (void)state;
  struct lre_row row;
  char code[32], key[64];
  for (size_t len = 0; len < sizeof TRIAL - 1; len++) assert_false(read_line(TRIAL, len, &row, code, key));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_trial_is_told_from_an_error_and_from_a_verdict),
      cmocka_unit_test(a_key_with_escapes_is_what_it_says),
      cmocka_unit_test(what_is_no_row_has_its_name),
      cmocka_unit_test(every_torn_line_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
