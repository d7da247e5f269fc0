/* oom.h: fails the N-th allocation of the code under test.
 *
 * A test that includes this file is linked with --wrap=malloc,calloc,realloc (CMakeLists.txt looks for the
 * include), so the core's and the test's own allocations pass here and no library's
 * (cJSON's trees come from chunks of core/json.c). One thread only.
 *
 *   for (long n = 0;; n++) {
 *     oom_arm(n);
 *     bool ok = work();
 *     if (!oom_disarm()) { assert_true(ok); break; }   // nothing was left to fail
 *     assert_false(ok);
 *   }
 */
#ifndef LRE_TESTS_OOM_H
#define LRE_TESTS_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static long oom_left = -1; /* allocations that still succeed; -1: all */
static bool oom_fired;

static inline void oom_arm(long nth) {
  oom_left = nth;
  oom_fired = false;
}

/* True where an allocation was failed since oom_arm(). */
static inline bool oom_disarm(void) {
  oom_left = -1;
  return oom_fired;
}

/* The N-th allocation fails, those after it succeed again: an error path that needs memory must work. */
static bool oom_strikes(void) {
  if (oom_left < 0) return false;
  if (oom_left-- > 0) return false;
  oom_fired = true;
  return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size) {
  return oom_strikes() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
  return oom_strikes() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
  return oom_strikes() ? NULL : __real_realloc(p, size);
}

#endif
