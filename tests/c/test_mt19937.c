#include "core/mt19937.h"

#include "oom.h"
#include "test.h"

/* The numbers below were drawn by CPython 3.11's random.Random. */

static void the_first_words_are_those_of_cpython(void **state) {
  (void)state;
  static const struct {
    uint64_t seed;
    uint32_t words[4];
  } known[] = {
      {42, {2746317213u, 478163327u, 107420369u, 3184935163u}},
      {UINT64_C(1099511627781), {2166296868u, 2220160828u, 1153647273u, 0}},
      {0, {3626764237u, 0, 0, 0}},
      {UINT64_MAX, {93740670u, 0, 0, 0}},
  };
  struct lre_mt19937 mt;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    lre_mt19937_seed(&mt, known[i].seed);
    for (size_t j = 0; j < 4 && known[i].words[j]; j++) {
      assert_int_equal(lre_mt19937_u32(&mt), known[i].words[j]);
    }
  }
}

static void doubles_have_53_bits(void **state) {
  (void)state;
  struct lre_mt19937 mt;
  lre_mt19937_seed(&mt, 42);
  assert_true(lre_mt19937_double(&mt) == 0.6394267984578837);
  assert_true(lre_mt19937_double(&mt) == 0.025010755222666936);
}

static void whole_numbers_below_a_bound_may_be_wider_than_a_word(void **state) {
  (void)state;
  struct lre_mt19937 mt;
  lre_mt19937_seed(&mt, 42);
  assert_true(lre_mt19937_below(&mt, UINT64_C(1) << 40) == UINT64_C(247559453085));
  assert_true(lre_mt19937_below(&mt, UINT64_C(1) << 40) == UINT64_C(538052153943));
  assert_true(lre_mt19937_below(&mt, UINT64_C(1) << 40) == UINT64_C(305901360862));
  assert_true(lre_mt19937_below(&mt, (UINT64_C(1) << 63) + 5) == UINT64_C(1890702223848595625));
  assert_int_equal(lre_mt19937_below(&mt, 1), 0);
}

static void assert_sample(uint64_t seed, size_t population, size_t n, const size_t *want) {
  struct lre_mt19937 mt;
  struct lre_err err;
  size_t *got = calloc(n + 1, sizeof *got);
  lre_mt19937_seed(&mt, seed);
  assert_true(lre_mt19937_sample(&mt, population, n, got, &err));
  for (size_t i = 0; i < n; i++) {
    if (got[i] != want[i])
      fail_msg("seed %llu, draw %zu: expected %zu, got %zu", (unsigned long long)seed, i, want[i], got[i]);
  }
  free(got);
}

static void a_sample_is_what_cpython_draws(void **state) {
  (void)state;
  assert_sample(42, 15, 5, (size_t[]){10, 1, 0, 11, 4});
  assert_sample(42, 100, 10, (size_t[]){81, 14, 3, 94, 35, 31, 28, 17, 13, 86});
  assert_sample(3, 5, 5, (size_t[]){1, 4, 3, 2, 0});
  assert_sample(UINT64_C(1099511627781), 21, 6, (size_t[]){16, 20, 8, 0, 19, 1});
  assert_sample(3, 100, 0, NULL);
  assert_sample(3, 0, 0, NULL);
}

/* Seeds for which drawing from a pool and drawing into a set give different samples. */
static void pool_and_set_change_over_where_cpythons_do(void **state) {
  (void)state;
  assert_sample(2, 21, 5, (size_t[]){1, 2, 19, 11, 5});       /* pool */
  assert_sample(2, 22, 5, (size_t[]){1, 2, 11, 5, 21});       /* set */
  assert_sample(5, 85, 6, (size_t[]){79, 32, 45, 67, 3, 59}); /* pool: 21 + 64 */
  assert_sample(2, 86, 6, (size_t[]){7, 11, 10, 46, 21, 85}); /* set */
  assert_sample(0, 277, 22, (size_t[]){197, 215, 20,  132, 261, 248, 207, 155, 244, 183, 111,
                                       258, 71,  144, 264, 48,  128, 75,  158, 50,  37,  169}); /* pool: 21 + 256 */
  assert_sample(0, 278, 22, (size_t[]){197, 215, 20,  132, 261, 248, 207, 155, 244, 183, 111,
                                       258, 71,  144, 48,  128, 272, 75,  158, 50,  37,  169}); /* set */
}

static void more_than_there_is_cannot_be_drawn(void **state) {
  (void)state;
  struct lre_mt19937 mt;
  struct lre_err err;
  size_t out[6];
  lre_mt19937_seed(&mt, 1);
  assert_false(lre_mt19937_sample(&mt, 5, 6, out, &err));
  assert_string_equal(err.kind, "argument");
  assert_non_null(strstr(err.message, "6"));
}

static void the_shared_indices_come_in_the_same_order(void **state) {
  (void)state;
  cJSON *root = shared_json("vectors/refusal.json");
  if (!root) skip();
  size_t checked = 0;
  const cJSON *vector;
  cJSON_ArrayForEach(vector, cJSON_GetObjectItem(root, "sample_indices")) {
    size_t want[1000], n = 0;
    const cJSON *index;
    cJSON_ArrayForEach(index, cJSON_GetObjectItem(vector, "idx_in_draw_order")) want[n++] = (size_t)index->valuedouble;
    assert_int_equal(n, (size_t)number_at(vector, "n"));
    assert_sample((uint64_t)number_at(vector, "seed"), (size_t)number_at(vector, "N"), n, want);
    checked++;
  }
  assert_true(checked >= 7);
  cJSON_Delete(root);
}

static size_t size_of_suite(const char *name) {
  return strcmp(name, "jailbreak_styles") == 0 ? 10 : 15;
}

static int by_value(const void *a, const void *b) {
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

/* Ids are "hh-001"...: the n-th sample of its suite, listed in suite order. */
static void the_shared_ids_are_drawn(void **state) {
  (void)state;
  cJSON *root = shared_json("vectors/refusal.json");
  if (!root) skip();
  size_t checked = 0;
  const cJSON *vector;
  cJSON_ArrayForEach(vector, cJSON_GetObjectItem(root, "sample_ids")) {
    struct lre_mt19937 mt;
    size_t got[15], n = (size_t)number_at(vector, "n"), i = 0;
    lre_mt19937_seed(&mt, (uint64_t)number_at(vector, "seed"));
    assert_true(lre_mt19937_sample(&mt, size_of_suite(string_at(vector, "suite")), n, got, NULL));
    qsort(got, n, sizeof *got, by_value);
    const cJSON *id;
    cJSON_ArrayForEach(id, cJSON_GetObjectItem(vector, "ids")) {
      assert_true(i < n);
      assert_int_equal(got[i++] + 1, atoi(strchr(id->valuestring, '-') + 1));
    }
    assert_int_equal(i, n);
    checked++;
  }
  assert_true(checked >= 15);
  cJSON_Delete(root);
}

static void without_memory_there_is_no_sample(void **state) {
  (void)state;
  for (size_t population = 20; population <= 2000; population += 1980) { /* the pool, the set */
    long n = 0;
    for (;; n++) {
      struct lre_mt19937 mt;
      struct lre_err err;
      size_t out[6];
      lre_mt19937_seed(&mt, 1);
      oom_arm(n);
      bool ok = lre_mt19937_sample(&mt, population, 6, out, &err);
      bool failed = oom_disarm();
      assert_int_equal(ok, !failed);
      if (!failed) break;
      assert_string_equal(err.kind, "memory");
    }
    assert_true(n > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_words_are_those_of_cpython),
      cmocka_unit_test(doubles_have_53_bits),
      cmocka_unit_test(whole_numbers_below_a_bound_may_be_wider_than_a_word),
      cmocka_unit_test(a_sample_is_what_cpython_draws),
      cmocka_unit_test(pool_and_set_change_over_where_cpythons_do),
      cmocka_unit_test(more_than_there_is_cannot_be_drawn),
      cmocka_unit_test(the_shared_indices_come_in_the_same_order),
      cmocka_unit_test(the_shared_ids_are_drawn),
      cmocka_unit_test(without_memory_there_is_no_sample),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
