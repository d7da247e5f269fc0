/* folder.h: an empty folder of a test's own. */
#ifndef LRE_TESTS_FOLDER_H
#define LRE_TESTS_FOLDER_H

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char test_folder[64];

static inline int make_folder(void **state) {
  (void)state;
  snprintf(test_folder, sizeof test_folder, "/tmp/lre-test-XXXXXX");
  return mkdtemp(test_folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", test_folder);
  return system(command);
}

/* "<folder>/<name>" in one of four static buffers that take turns. */
static inline const char *in_folder(const char *name) {
  static char paths[4][512];
  static int turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
  return path;
}

static inline void write_file(const char *path, const void *data, size_t len) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
}

#define assert_file(path, text)                                                                                        \
  do {                                                                                                                 \
    size_t len_;                                                                                                       \
    char *got_ = read_whole((path), &len_);                                                                            \
    assert_non_null(got_);                                                                                             \
    assert_string_equal(got_, (text));                                                                                 \
    free(got_);                                                                                                        \
  } while (0)

#endif
