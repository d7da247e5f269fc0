#include "core/err.h"

#include <errno.h>

#include "test.h"

static void a_failing_function_can_end_with_the_call(void **state) {
  (void)state;
  struct lre_err err;
  assert_false(lre_err_set(&err, "csv", "quote", "line %d: %s", 7, "never closed"));
  assert_string_equal(err.kind, "csv");
  assert_string_equal(err.code, "quote");
  assert_string_equal(err.message, "line 7: never closed");
}

static void an_owner_may_not_care(void **state) {
  (void)state;
  assert_false(lre_err_set(NULL, "csv", "quote", "x"));
  assert_false(lre_err_errno(NULL, ENOSPC, "x"));
  assert_false(lre_err_memory(NULL));
}

static void an_error_can_wrap_its_own_message(void **state) {
  (void)state;
  struct lre_err err;
  lre_err_set(&err, "json", "syntax", "inner");
  lre_err_set(&err, "io", "outer", "file.jsonl:3: %s", err.message);
  assert_string_equal(err.message, "file.jsonl:3: inner");
}

/* Text of 1- to 4-byte characters, at every distance from the end of the message. */
static void long_text_is_cut_between_characters(void **state) {
  (void)state;
  static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  for (size_t c = 0; c < 4; c++) {
    for (size_t pad = 0; pad < 4; pad++) {
      char text[600] = "";
      struct lre_err err;
      memset(text, 'x', pad);
      text[pad] = '\0';
      while (strlen(text) < 400) strcat(text, characters[c]);
      lre_err_set(&err, "io", "x", "%s", text);
      size_t len = strlen(err.message);
      assert_true(len <= 255 && len > 255 - strlen(characters[c]));
      assert_int_equal((len - pad) % strlen(characters[c]), 0);
      assert_memory_equal(err.message, text, len);
    }
  }
}

static void text_that_fits_is_kept_whole(void **state) {
  (void)state;
  char text[256];
  struct lre_err err;
  memset(text, 'x', 253);
  strcpy(text + 253, "\xC3\xA9");
  lre_err_set(&err, "io", "x", "%s", text);
  assert_string_equal(err.message, text);
}

static void an_errno_gives_its_name_and_reason(void **state) {
  (void)state;
  struct lre_err err;
  assert_false(lre_err_errno(&err, ENOSPC, "write %s", "a/partials.jsonl"));
  assert_string_equal(err.kind, "io");
  assert_string_equal(err.code, "enospc");
  assert_non_null(strstr(err.message, "write a/partials.jsonl: "));
  assert_non_null(strstr(err.message, strerror(ENOSPC)));
  lre_err_errno(&err, EACCES, "x");
  assert_string_equal(err.code, "eacces");
  lre_err_errno(&err, 99999, "x");
  assert_string_equal(err.code, "errno");
}

static void a_long_path_does_not_push_the_reason_out(void **state) {
  (void)state;
  for (size_t pad = 0; pad < 3; pad++) {
    char path[400] = "";
    struct lre_err err;
    memset(path, 'p', pad);
    while (strlen(path) < sizeof path - 4) strcat(path, "\xE2\x82\xAC");
    lre_err_errno(&err, ENOSPC, "%s", path);
    const char *reason = strstr(err.message, strerror(ENOSPC));
    assert_non_null(reason);
    assert_string_equal(reason, strerror(ENOSPC));
    size_t kept = (size_t)(reason - err.message) - strlen(": ");
    assert_memory_equal(err.message + kept, ": ", 2);
    assert_int_equal((kept - pad) % 3, 0);
    assert_memory_equal(err.message, path, kept);
  }
}

static void out_of_memory_needs_none(void **state) {
  (void)state;
  struct lre_err err;
  assert_false(lre_err_memory(&err));
  assert_string_equal(err.kind, "memory");
  assert_string_equal(err.code, "no_memory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failing_function_can_end_with_the_call),
      cmocka_unit_test(an_owner_may_not_care),
      cmocka_unit_test(an_error_can_wrap_its_own_message),
      cmocka_unit_test(long_text_is_cut_between_characters),
      cmocka_unit_test(text_that_fits_is_kept_whole),
      cmocka_unit_test(an_errno_gives_its_name_and_reason),
      cmocka_unit_test(a_long_path_does_not_push_the_reason_out),
      cmocka_unit_test(out_of_memory_needs_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
