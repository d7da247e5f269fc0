#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* strerrorname_np() is glibc's alone, so the names that files, pipes and sockets really give stand here. */
#define ERRNO_NAMES(X)                                                                                                 \
  X(E2BIG, "e2big")                                                                                                    \
  X(EACCES, "eacces")                                                                                                  \
  X(EADDRINUSE, "eaddrinuse")                                                                                          \
  X(EADDRNOTAVAIL, "eaddrnotavail")                                                                                    \
  X(EAGAIN, "eagain")                                                                                                  \
  X(EBADF, "ebadf")                                                                                                    \
  X(EBUSY, "ebusy")                                                                                                    \
  X(ECHILD, "echild")                                                                                                  \
  X(ECONNABORTED, "econnaborted")                                                                                      \
  X(ECONNREFUSED, "econnrefused")                                                                                      \
  X(ECONNRESET, "econnreset")                                                                                          \
  X(EDEADLK, "edeadlk")                                                                                                \
  X(EDQUOT, "edquot")                                                                                                  \
  X(EEXIST, "eexist")                                                                                                  \
  X(EFAULT, "efault")                                                                                                  \
  X(EFBIG, "efbig")                                                                                                    \
  X(EHOSTUNREACH, "ehostunreach")                                                                                      \
  X(EINTR, "eintr")                                                                                                    \
  X(EINVAL, "einval")                                                                                                  \
  X(EIO, "eio")                                                                                                        \
  X(EISDIR, "eisdir")                                                                                                  \
  X(ELOOP, "eloop")                                                                                                    \
  X(EMFILE, "emfile")                                                                                                  \
  X(EMLINK, "emlink")                                                                                                  \
  X(ENAMETOOLONG, "enametoolong")                                                                                      \
  X(ENETUNREACH, "enetunreach")                                                                                        \
  X(ENFILE, "enfile")                                                                                                  \
  X(ENODEV, "enodev")                                                                                                  \
  X(ENOENT, "enoent")                                                                                                  \
  X(ENOEXEC, "enoexec")                                                                                                \
  X(ENOLCK, "enolck")                                                                                                  \
  X(ENOMEM, "enomem")                                                                                                  \
  X(ENOSPC, "enospc")                                                                                                  \
  X(ENOSYS, "enosys")                                                                                                  \
  X(ENOTCONN, "enotconn")                                                                                              \
  X(ENOTDIR, "enotdir")                                                                                                \
  X(ENOTEMPTY, "enotempty")                                                                                            \
  X(ENOTSUP, "enotsup")                                                                                                \
  X(ENXIO, "enxio")                                                                                                    \
  X(EOVERFLOW, "eoverflow")                                                                                            \
  X(EPERM, "eperm")                                                                                                    \
  X(EPIPE, "epipe")                                                                                                    \
  X(ERANGE, "erange")                                                                                                  \
  X(EROFS, "erofs")                                                                                                    \
  X(ESPIPE, "espipe")                                                                                                  \
  X(ESRCH, "esrch")                                                                                                    \
  X(ESTALE, "estale")                                                                                                  \
  X(ETIMEDOUT, "etimedout")                                                                                            \
  X(ETXTBSY, "etxtbsy")                                                                                                \
  X(EXDEV, "exdev")

static const char *errno_name(int errnum) {
  switch (errnum) {
#define CASE(number, name)                                                                                             \
  case number:                                                                                                         \
    return name;
    ERRNO_NAMES(CASE)
#undef CASE
  default:
    return "errno";
  }
}

/* Drops a UTF-8 sequence that lost its end, and nothing else. */
static void cut_at_boundary(char *s, size_t len) {
  size_t lead = len;
  while (lead > 0 && len - lead < 3 && ((unsigned char)s[lead - 1] & 0xC0) == 0x80) lead--;
  if (lead == 0) return;
  unsigned char c = (unsigned char)s[lead - 1];
  size_t want = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
  if (want > len - lead + 1) s[lead - 1] = '\0';
}

static void format(char out[], size_t size, const char *fmt, va_list args) {
  int n = vsnprintf(out, size, fmt, args);
  if (n < 0) out[0] = '\0';
  if (n >= (int)size) cut_at_boundary(out, size - 1);
}

bool lre_err_set(struct lre_err *err, const char *kind, const char *code, const char *fmt, ...) {
  if (!err) return false;
  char message[sizeof err->message]; /* an argument may be err->message itself */
  va_list args;
  va_start(args, fmt);
  format(message, sizeof message, fmt, args);
  va_end(args);
  err->kind = kind;
  err->code = code;
  memcpy(err->message, message, sizeof message);
  return false;
}

bool lre_err_errno(struct lre_err *err, int errnum, const char *fmt, ...) {
  if (!err) return false;
  char what[sizeof err->message];
  va_list args;
  va_start(args, fmt);
  format(what, sizeof what, fmt, args);
  va_end(args);
  /* The reason is what the user needs: of a long path rather the end is cut than the reason. */
  const char *reason = strerror(errnum);
  size_t reason_len = strlen(reason) + strlen(": ");
  size_t room = reason_len < sizeof what ? sizeof what - 1 - reason_len : 0;
  if (strlen(what) > room) {
    what[room] = '\0';
    cut_at_boundary(what, room);
  }
  return lre_err_set(err, "io", errno_name(errnum), "%s: %s", what, reason);
}

bool lre_err_memory(struct lre_err *err) {
  return lre_err_set(err, "memory", "no_memory", "out of memory");
}
