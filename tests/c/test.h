/* test.h: what the C tests share.
 *
 * Vectors that live outside the repository are optional: shared_json() gives
 * NULL where they are absent, and the test then says so and calls skip(). */
#ifndef LRE_TESTS_TEST_H
#define LRE_TESTS_TEST_H

/* cmocka.h wants these before it, in this order. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "<$LRE_SHARED or ../shared>/<name>" in a static buffer that the next call reuses. ctest runs in the repository root.
 */
static inline const char *shared_path(const char *name) {
  static char path[4096];
  const char *dir = getenv("LRE_SHARED");
  snprintf(path, sizeof path, "%s/%s", dir && *dir ? dir : "../shared", name);
  return path;
}

/* cmocka ends with the number of failures. A program of which no test failed and one was skipped ends with 77, which
 * ctest shows as skipped. */
static int tests_skipped;
static inline int exit_status(int failed) {
  return failed ? 1 : tests_skipped ? 77 : 0;
}
#undef skip
#define skip() (tests_skipped++, _skip(__FILE__, __LINE__))
#undef cmocka_run_group_tests_name
#define cmocka_run_group_tests_name(name, tests, set_up, tear_down)                                                    \
  exit_status(_cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), set_up, tear_down))
#undef cmocka_run_group_tests
#define cmocka_run_group_tests(tests, set_up, tear_down) cmocka_run_group_tests_name(#tests, tests, set_up, tear_down)

/* The whole file, NUL-terminated; the caller frees it. NULL where it cannot be read. */
static inline char *read_whole(const char *path, size_t *len) {
  char *text = NULL;
  long size = -1;
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  if (fseek(f, 0, SEEK_END) == 0) size = ftell(f);
  if (size >= 0 && fseek(f, 0, SEEK_SET) == 0) text = malloc((size_t)size + 1);
  if (text && fread(text, 1, (size_t)size, f) != (size_t)size) {
    free(text);
    text = NULL;
  }
  fclose(f);
  if (!text) return NULL;
  text[size] = '\0';
  if (len) *len = (size_t)size;
  return text;
}

/* A JSON file, for cJSON_Delete. NULL where it is absent; a file that does not parse fails the test. */
static inline cJSON *load_json(const char *path) {
  char *text = read_whole(path, NULL);
  if (!text) return NULL;
  cJSON *root = cJSON_Parse(text);
  free(text);
  if (!root) fail_msg("%s is not JSON", path);
  return root;
}

/* A vector file such as "vectors/refusal.json"; NULL where absent, which is said on stderr. */
static inline cJSON *shared_json(const char *name) {
  cJSON *root = load_json(shared_path(name));
  if (!root) print_message("skipped: no %s (set LRE_SHARED to its folder)\n", shared_path(name));
  return root;
}

/* A number field that must be there. */
static inline double number_at(const cJSON *object, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!cJSON_IsNumber(item)) fail_msg("vector without the number \"%s\"", key);
  return item ? item->valuedouble : 0;
}

/* A string field that must be there. */
static inline const char *string_at(const cJSON *object, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!cJSON_IsString(item)) fail_msg("vector without the string \"%s\"", key);
  return item ? item->valuestring : "";
}

/* |got - expected| <= rel * |expected|: relative, so exact where zero is expected; NaN is near NaN. */
static inline bool near(double expected, double got, double rel) {
  if (isnan(expected) || isnan(got)) return isnan(expected) && isnan(got);
  if (expected == got) return true;
  return fabs(got - expected) <= rel * fabs(expected);
}

/* The same as an assertion that prints both numbers. */
#define assert_near(expected, got, rel)                                                                                \
  do {                                                                                                                 \
    double want_ = (expected), have_ = (got);                                                                          \
    if (!near(want_, have_, (rel))) fail_msg("expected %.17g, got %.17g", want_, have_);                               \
  } while (0)

#endif
