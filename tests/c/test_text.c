/* test_text.c: text for people. */
#include "core/text.h"
#include "test.h"

static void expect(const char *got_what, struct lre_buf *b, const char *want) {
  assert_false(b->failed);
  if (strcmp(b->data ? b->data : "", want) != 0) fail_msg("%s: got %s, want %s", got_what, b->data, want);
  lre_buf_free(b);
}

static void check_terminal(const char *s, size_t len, bool multiline, const char *want) {
  struct lre_buf b;
  lre_buf_init(&b);
  lre_text_terminal(s, len, multiline, &b);
  expect("terminal", &b, want);
}

static void nothing_reaches_a_terminal_that_moves_it(void **state) {
  (void)state;
  check_terminal("a\x1b[2J", 5, false, "a\\x1b[2J");
  check_terminal("a\0b", 3, false, "a\\x00b");
  check_terminal("\xe2\x80\xae", 3, true, "\\u{202e}");
  check_terminal("\xc2\x9b", 2, true, "\\u{9b}");
  check_terminal("x\n\t", 3, true, "x\n\t");
  check_terminal("x\n", 2, false, "x\\x0a");
  check_terminal("", 0, false, "");
}

static void bad_utf8_is_shown_byte_by_byte(void **state) {
  (void)state;
  check_terminal("\xc0\xaf", 2, false, "\\xc0\\xaf");          /* overlong */
  check_terminal("\xed\xa0\x80", 3, false, "\\xed\\xa0\\x80"); /* surrogate */
  check_terminal("\xf4\x90\x80\x80", 4, false, "\\xf4\\x90\\x80\\x80");
  check_terminal("\xe2\x82", 2, false, "\\xe2\\x82"); /* cut */
}

static void html_has_no_markup_left(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  lre_text_html("<&>\"'x", 6, &b);
  expect("html", &b, "&lt;&amp;&gt;&quot;&#39;x");
}

static void distance_counts_edits_both_ways(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    size_t edits;
  } cases[] = {{"", "", 0},      {"", "abc", 3},     {"abc", "acb", 1}, {"kitten", "sitting", 3},
               {"ca", "abc", 3}, {"same", "same", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = strlen(cases[i].a), m = strlen(cases[i].b);
    assert_int_equal(lre_text_distance(cases[i].a, n, cases[i].b, m), cases[i].edits);
    assert_int_equal(lre_text_distance(cases[i].b, m, cases[i].a, n), cases[i].edits);
  }
}

static void a_long_text_is_cut_not_overrun(void **state) {
  (void)state;
  static char a[5000], b[5000];
  memset(a, 'a', sizeof a);
  memset(b, 'b', sizeof b);
  assert_int_equal(lre_text_distance(a, sizeof a, b, sizeof b), LRE_TEXT_DISTANCE_BYTES);
}

static void columns_count_what_a_terminal_shows(void **state) {
  (void)state;
  assert_int_equal(lre_text_columns("abc", 3), 3);
  assert_int_equal(lre_text_columns("\xe6\x97\xa5\xe6\x9c\xac", 6), 4); /* two ideographs */
  assert_int_equal(lre_text_columns("e\xcc\x81", 3), 1);                /* e, combining acute */
  assert_int_equal(lre_text_columns("\xf0\x9f\x91\x8d", 4), 2);         /* thumbs up */
  assert_int_equal(lre_text_columns("\xff", 1), 1);
  assert_int_equal(lre_text_columns("", 0), 0);
}

static void trim_takes_ascii_white_space_at_both_ends(void **state) {
  (void)state;
  size_t len;
  const char *s = lre_text_trim(" \t a b \r\n", 9, &len);
  assert_int_equal(len, 3);
  assert_memory_equal(s, "a b", 3);
  lre_text_trim(" \n", 2, &len);
  assert_int_equal(len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_reaches_a_terminal_that_moves_it),
      cmocka_unit_test(bad_utf8_is_shown_byte_by_byte),
      cmocka_unit_test(html_has_no_markup_left),
      cmocka_unit_test(distance_counts_edits_both_ways),
      cmocka_unit_test(a_long_text_is_cut_not_overrun),
      cmocka_unit_test(columns_count_what_a_terminal_shows),
      cmocka_unit_test(trim_takes_ascii_white_space_at_both_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
