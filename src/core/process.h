/* process.h: a child program asked over stdin and stdout. Blocking: run it as a pool job. No shell is involved. */
#ifndef LRE_CORE_PROCESS_H
#define LRE_CORE_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct lre_process_request {
  const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
  const char *input;
  size_t input_len;
  size_t max_output_bytes; /* of stdout and of stderr each; 0: 16 MiB */
  uint32_t timeout_ms;     /* 0: none; then SIGTERM, and SIGKILL after 2 s, to the child's process group */
  atomic_bool *cancel;     /* may be NULL; polled: kills like a timeout */
};

struct lre_process_result {
  int exit_code; /* -1 where it ended by a signal */
  int signal;
  struct lre_buf out, err_out;
};

/* The child has our environment (loaded keys are not in it any more) and a process group of its own; what is left of
 * the group when the child has ended is killed. False: could not start ("not_found", "spawn"), "timeout", "too_large",
 * "cancelled", "io". A non-zero exit is a result. The result holds what was read, also where false: free it in any
 * case. */
bool lre_process_run(const struct lre_process_request *request, struct lre_process_result *out, struct lre_err *err);
void lre_process_result_free(struct lre_process_result *r);

#endif
