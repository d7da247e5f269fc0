/* err.h: the one error shape of the core.
 *
 * A core function that can fail returns bool (or a pointer) and fills a
 * struct lre_err that the caller owns. `kind` and `code` are static strings:
 * they are compared and printed, never freed. */
#ifndef LRE_CORE_ERR_H
#define LRE_CORE_ERR_H

#include <stdbool.h>

struct lre_err {
  const char *kind; /* "argument", "io", "json", "csv", "regex", "http", "process", "memory", "limit", "stats" */
  const char *code; /* a word within the kind: "enospc", "timeout_connect", "match_limit", ... */
  char message[256];
};

#if defined(__GNUC__)
#define LRE_PRINTF(fmt_index, args_index) __attribute__((format(printf, fmt_index, args_index)))
#else
#define LRE_PRINTF(fmt_index, args_index)
#endif

/* Fills `err` (which may be NULL) and returns false, so that a failing
 * function can end with `return lre_err_set(...)`. Text that does not fit is
 * cut at a UTF-8 boundary. */
bool lre_err_set(struct lre_err *err, const char *kind, const char *code, const char *fmt, ...) LRE_PRINTF(4, 5);

/* The same for a failed system call: kind "io", code the errno's name in
 * lower case ("enospc", "eacces"), message "<what>: <strerror>". */
bool lre_err_errno(struct lre_err *err, int errnum, const char *fmt, ...) LRE_PRINTF(3, 4);

/* kind "memory", code "no_memory". */
bool lre_err_memory(struct lre_err *err);

#endif
