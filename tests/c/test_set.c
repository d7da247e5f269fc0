#include "core/set.h"

#include "core/mt19937.h"
#include "oom.h"
#include "test.h"

static uint64_t random_key(struct lre_mt19937 *mt) {
  uint64_t high = lre_mt19937_u32(mt);
  return high << 32 | lre_mt19937_u32(mt);
}

/* Adds `count` keys of the sequence, then asks for all of them and for as many others. */
static void check_random(size_t expected, size_t count) {
  struct lre_mt19937 mt;
  struct lre_set *s = lre_set_new(expected);
  lre_mt19937_seed(&mt, 1);
  for (size_t i = 0; i < count; i++) assert_int_equal(lre_set_add(s, random_key(&mt)), 1);
  assert_int_equal(lre_set_count(s), count);
  lre_mt19937_seed(&mt, 1);
  for (size_t i = 0; i < count; i++) {
    uint64_t key = random_key(&mt);
    assert_true(lre_set_has(s, key));
    assert_int_equal(lre_set_add(s, key), 0);
  }
  for (size_t i = 0; i < count; i++) assert_false(lre_set_has(s, random_key(&mt)));
  assert_int_equal(lre_set_count(s), count);
  lre_set_free(s);
}

static void what_was_added_is_there_and_nothing_else(void **state) {
  (void)state;
  check_random(0, 0);
  check_random(0, 1);
  check_random(0, 200000);
  check_random(200000, 200000);
  check_random(10, 5000);
}

static void the_edges_of_the_key_space_are_keys(void **state) {
  (void)state;
  const uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
  struct lre_set *s = lre_set_new(0);
  for (size_t i = 0; i < 5; i++) {
    assert_false(lre_set_has(s, keys[i]));
    assert_int_equal(lre_set_add(s, keys[i]), 1);
    assert_int_equal(lre_set_add(s, keys[i]), 0);
    assert_true(lre_set_has(s, keys[i]));
    assert_int_equal(lre_set_count(s), i + 1);
  }
  lre_set_free(s);
}

static void small_numbers_are_keys_too(void **state) {
  (void)state;
  struct lre_set *s = lre_set_new(0);
  for (uint64_t i = 0; i < 100000; i++) assert_int_equal(lre_set_add(s, i), 1);
  for (uint64_t i = 0; i < 100000; i++) assert_true(lre_set_has(s, i));
  for (uint64_t i = 100000; i < 200000; i++) assert_false(lre_set_has(s, i));
  lre_set_free(s);
}

/* The inverse of the odd factor puts every key's home at the very end, so all of them pile up in the tail. */
static void keys_that_share_one_home_only_cost_time(void **state) {
  (void)state;
  const uint64_t inverse = UINT64_C(0xF1DE83E19937733D); /* 0x9E3779B97F4A7C15^-1 mod 2^64 */
  struct lre_set *s = lre_set_new(0);
  for (uint64_t i = 0; i < 2000; i++) assert_int_equal(lre_set_add(s, (UINT64_MAX - i) * inverse), 1);
  for (uint64_t i = 0; i < 2000; i++) assert_true(lre_set_has(s, (UINT64_MAX - i) * inverse));
  assert_false(lre_set_has(s, (UINT64_MAX - 2000) * inverse));
  assert_int_equal(lre_set_count(s), 2000);
  lre_set_free(s);
}

static void a_key_without_memory_is_not_lost_silently(void **state) {
  (void)state;
  long n = 0;
  for (;; n++) {
    oom_arm(n);
    struct lre_set *s = lre_set_new(0);
    uint64_t added = 0, refused = 0;
    for (uint64_t i = 1; s && i <= 3000; i++) {
      int r = lre_set_add(s, i);
      added += r == 1;
      refused += r == -1;
    }
    bool failed = oom_disarm();
    if (s) assert_int_equal(lre_set_count(s), added);
    if (s) assert_int_equal(added + refused, 3000);
    assert_int_equal(!s || refused > 0, failed);
    lre_set_free(s);
    if (!failed) break;
  }
  assert_true(n > 5);
  lre_set_free(NULL);
}

static void a_size_that_cannot_be_is_no_memory(void **state) {
  (void)state;
  assert_null(lre_set_new(SIZE_MAX));
  assert_null(lre_set_new(SIZE_MAX / 16));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_added_is_there_and_nothing_else),
      cmocka_unit_test(the_edges_of_the_key_space_are_keys),
      cmocka_unit_test(small_numbers_are_keys_too),
      cmocka_unit_test(keys_that_share_one_home_only_cost_time),
      cmocka_unit_test(a_key_without_memory_is_not_lost_silently),
      cmocka_unit_test(a_size_that_cannot_be_is_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
