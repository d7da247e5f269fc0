#include "core/buf.h"

#include "oom.h"
#include "test.h"

static void appends_are_kept_in_order_and_end_in_a_nul(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  assert_true(lre_buf_puts(&b, "ab"));
  assert_true(lre_buf_putc(&b, '\0'));
  assert_true(lre_buf_printf(&b, "%d-%s", 42, "x"));
  assert_int_equal(b.len, 7);
  assert_memory_equal(b.data,
                      "ab\0"
                      "42-x",
                      8);
  lre_buf_free(&b);
}

static void even_an_empty_append_gives_a_string(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  assert_true(lre_buf_put(&b, NULL, 0));
  assert_string_equal(b.data, "");
  lre_buf_free(&b);
}

static void printf_grows_to_what_it_writes(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  for (int width = 1; width < 300; width++) assert_true(lre_buf_printf(&b, "%*d", width, 7));
  assert_int_equal(b.len, 299 * 300 / 2);
  assert_int_equal(strlen(b.data), b.len);
  lre_buf_free(&b);
}

static void a_bound_is_kept_and_nothing_is_half_written(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  b.max_bytes = 5;
  assert_true(lre_buf_puts(&b, "abc"));
  assert_false(lre_buf_printf(&b, "%s", "def"));
  assert_true(b.failed);
  assert_string_equal(b.data, "abc");
  assert_false(lre_buf_putc(&b, 'd')); /* would fit, but something before it is missing */
  lre_buf_clear(&b);
  assert_true(lre_buf_puts(&b, "12345"));
  assert_false(lre_buf_putc(&b, '6'));
  lre_buf_free(&b);
  assert_int_equal(b.max_bytes, 5);
}

static void lengths_near_the_end_of_size_t_fail(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  lre_buf_puts(&b, "x");
  const size_t huge[] = {SIZE_MAX, SIZE_MAX - 1, PTRDIFF_MAX};
  for (size_t i = 0; i < 3; i++) {
    b.failed = false;
    assert_false(lre_buf_reserve(&b, huge[i]));
    assert_true(b.failed);
  }
  assert_string_equal(b.data, "x");
  lre_buf_free(&b);
}

static void taken_bytes_belong_to_the_taker(void **state) {
  (void)state;
  struct lre_buf b;
  char *data;
  size_t len;
  lre_buf_init(&b);
  lre_buf_puts(&b, "abc");
  assert_true(lre_buf_take(&b, &data, &len));
  assert_int_equal(len, 3);
  assert_string_equal(data, "abc");
  assert_null(b.data);
  free(data);
  assert_true(lre_buf_take(&b, &data, &len));
  assert_int_equal(len, 0);
  assert_string_equal(data, "");
  free(data);
}

static bool write_much(struct lre_buf *b) {
  for (int i = 0; i < 100; i++) {
    lre_buf_puts(b, "0123456789");
    lre_buf_printf(b, "%0100d", i);
  }
  return !b->failed;
}

static void a_failed_allocation_is_remembered_until_the_end(void **state) {
  (void)state;
  long n = 0;
  for (;; n++) {
    struct lre_buf b;
    char *data = NULL;
    size_t len = 0;
    lre_buf_init(&b);
    oom_arm(n);
    bool ok = write_much(&b) && lre_buf_take(&b, &data, &len);
    bool failed = oom_disarm();
    assert_int_equal(ok, !failed);
    if (failed) assert_false(lre_buf_take(&b, &data, &len));
    free(data);
    lre_buf_free(&b);
    if (!failed) break;
  }
  assert_true(n > 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(appends_are_kept_in_order_and_end_in_a_nul),
      cmocka_unit_test(even_an_empty_append_gives_a_string),
      cmocka_unit_test(printf_grows_to_what_it_writes),
      cmocka_unit_test(a_bound_is_kept_and_nothing_is_half_written),
      cmocka_unit_test(lengths_near_the_end_of_size_t_fail),
      cmocka_unit_test(taken_bytes_belong_to_the_taker),
      cmocka_unit_test(a_failed_allocation_is_remembered_until_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
