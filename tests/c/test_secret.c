#include "core/secret.h"

#include "test.h"

static struct lre_secrets *load(const char *value) {
  struct lre_err err = {0};
  struct lre_secrets *s = lre_secrets_new();
  assert_non_null(s);
  setenv("LRE_TEST_KEY", value, 1);
  if (!lre_secrets_load(s, "LRE_TEST_KEY", &err)) fail_msg("%s", err.message);
  return s;
}

static void expect_redacted(const struct lre_secrets *s, const char *before, const char *after) {
  struct lre_buf b;
  lre_buf_init(&b);
  assert_true(lre_buf_puts(&b, before));
  assert_int_equal(lre_secrets_redact(s, &b), strcmp(before, after) != 0);
  assert_string_equal(b.data, after);
  assert_int_equal(b.len, strlen(after));
  assert_false(b.failed);
  lre_buf_free(&b);
}

static void every_occurrence_is_redacted(void **state) {
  (void)state;
  struct lre_secrets *s = load("sk-0123456789");
  expect_redacted(s, "sk-0123456789", "[redacted]");
  expect_redacted(s, "a sk-0123456789sk-0123456789, sk-0123456789 b", "a [redacted][redacted], [redacted] b");
  expect_redacted(s, "sk-012345678 sk-012345678X", "sk-012345678 sk-012345678X");
  expect_redacted(s, "", "");
  lre_secrets_free(s);
}

static void a_value_is_found_in_each_of_its_spellings(void **state) {
  (void)state;
  struct lre_secrets *s = load("a\"b\\c/d+e f");
  expect_redacted(s, "<a\"b\\c/d+e f>", "<[redacted]>");
  expect_redacted(s, "{\"k\":\"a\\\"b\\\\c/d+e f\"}", "{\"k\":\"[redacted]\"}");
  expect_redacted(s, "{\"k\":\"a\\\"b\\\\c\\/d+e f\"}", "{\"k\":\"[redacted]\"}");
  expect_redacted(s, "?k=a%22b%5Cc%2Fd%2Be%20f&", "?k=[redacted]&");
  expect_redacted(s, "?k=a%22b%5cc%2fd%2be%20f&", "?k=[redacted]&");
  expect_redacted(s, "Basic YSJiXGMvZCtlIGY=", "Basic [redacted]=");
  lre_secrets_free(s);
  s = load("\xfb\xff\xbfkey\xfb\xff\xbe");
  expect_redacted(s, "+/+/a2V5+/++", "[redacted]");
  expect_redacted(s, "-_-_a2V5-_--", "[redacted]");
  lre_secrets_free(s);
}

static void bytes_after_a_nul_are_redacted_too(void **state) {
  (void)state;
  struct lre_secrets *s = load("sk-0123456789");
  struct lre_buf b;
  lre_buf_init(&b);
  lre_buf_put(&b, "x\0sk-0123456789\0y", 17);
  assert_true(lre_secrets_redact(s, &b));
  assert_int_equal(b.len, 14);
  assert_memory_equal(b.data, "x\0[redacted]\0y", 14);
  lre_buf_free(&b);
  lre_secrets_free(s);
}

static void a_short_value_is_sent_but_not_redacted(void **state) {
  (void)state;
  struct lre_secrets *s = load("abcde");
  expect_redacted(s, "abcde", "abcde");
  lre_secrets_free(s);
  s = load("abcdef");
  expect_redacted(s, "abcdef", "[redacted]");
  lre_secrets_free(s);
}

static void a_value_comes_back_without_trailing_space(void **state) {
  (void)state;
  struct lre_secrets *s = load("sk-0123 456 \r\n\t ");
  struct lre_buf b;
  lre_buf_init(&b);
  assert_true(lre_secrets_append(s, "LRE_TEST_KEY", &b));
  assert_string_equal(b.data, "sk-0123 456");
  assert_false(lre_secrets_append(s, "LRE_TEST_OTHER", &b));
  lre_buf_free(&b);
  lre_secrets_free(s);
}

static void a_missing_or_harmful_value_is_refused_without_being_shown(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_secrets *s = lre_secrets_new();
  unsetenv("LRE_TEST_KEY");
  assert_false(lre_secrets_load(s, "LRE_TEST_KEY", &err));
  assert_string_equal(err.code, "unset");
  assert_non_null(strstr(err.message, "LRE_TEST_KEY"));
  setenv("LRE_TEST_KEY", " \n", 1);
  assert_false(lre_secrets_load(s, "LRE_TEST_KEY", &err));
  assert_string_equal(err.code, "unset");
  setenv("LRE_TEST_KEY", "sk-012345\r\nX-Other: 1", 1);
  assert_false(lre_secrets_load(s, "LRE_TEST_KEY", &err));
  assert_string_equal(err.code, "control_byte");
  assert_null(strstr(err.message, "sk-0"));
  lre_secrets_free(s);
}

static void a_changed_value_is_used_and_the_old_one_stays_secret(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_buf b;
  struct lre_secrets *s = load("first-value");
  setenv("LRE_TEST_KEY", "second-value-first-value", 1);
  assert_true(lre_secrets_load(s, "LRE_TEST_KEY", &err));
  assert_true(lre_secrets_load(s, "LRE_TEST_KEY", &err));
  lre_buf_init(&b);
  assert_true(lre_secrets_append(s, "LRE_TEST_KEY", &b));
  assert_string_equal(b.data, "second-value-first-value");
  lre_buf_free(&b);
  expect_redacted(s, "first-value second-value-first-value", "[redacted] [redacted]"); /* the longer one first */
  lre_secrets_free(s);
}

static void a_loaded_value_is_in_the_environment_no_more(void **state) {
  (void)state;
  struct lre_err err;
  static char entry[] =
      "LRE_TEST_ENTRY=sk-abcdefgh"; /* as the kernel lays it out: the bytes themselves are the environment */
  struct lre_secrets *s = lre_secrets_new();
  assert_int_equal(putenv(entry), 0);
  assert_true(lre_secrets_load(s, "LRE_TEST_ENTRY", &err));
  assert_null(getenv("LRE_TEST_ENTRY"));
  assert_null(memmem(entry, sizeof entry, "abc", 3));
  assert_true(lre_secrets_load(s, "LRE_TEST_ENTRY", &err)); /* it is still known */
  expect_redacted(s, "sk-abcdefgh", "[redacted]");
  lre_secrets_free(s);
}

static void no_secrets_is_a_quick_no(void **state) {
  (void)state;
  struct lre_secrets *s = lre_secrets_new();
  expect_redacted(NULL, "text", "text");
  expect_redacted(s, "text", "text");
  lre_secrets_free(s);
  lre_secrets_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_occurrence_is_redacted),
      cmocka_unit_test(a_value_is_found_in_each_of_its_spellings),
      cmocka_unit_test(bytes_after_a_nul_are_redacted_too),
      cmocka_unit_test(a_short_value_is_sent_but_not_redacted),
      cmocka_unit_test(a_value_comes_back_without_trailing_space),
      cmocka_unit_test(a_missing_or_harmful_value_is_refused_without_being_shown),
      cmocka_unit_test(a_changed_value_is_used_and_the_old_one_stays_secret),
      cmocka_unit_test(a_loaded_value_is_in_the_environment_no_more),
      cmocka_unit_test(no_secrets_is_a_quick_no),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
