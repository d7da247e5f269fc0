/* fuzz.h: what the fuzz targets in C share. A target is a file; libFuzzer has the main function. */
#ifndef LRE_TESTS_FUZZ_H
#define LRE_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of every input: where it does not hold, the input is a finding. */
#define FUZZ_HOLDS(condition)                                                                                          \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                                   \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* In a block of its own of exactly that size, so that a read beyond it is seen. The caller frees it. */
static inline char *fuzz_copy(const uint8_t *data, size_t size) {
  char *copy = malloc(size ? size : 1);
  FUZZ_HOLDS(copy != NULL);
  if (size) memcpy(copy, data, size);
  return copy;
}

#endif
