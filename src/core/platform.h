/* platform.h: every call that differs between systems, in one file. */
#ifndef LRE_CORE_PLATFORM_H
#define LRE_CORE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

/* A descriptor that another thread or a signal handler can make readable. */
struct lre_wake {
  int read_fd, write_fd;
};
bool lre_wake_open(struct lre_wake *w, struct lre_err *err);
void lre_wake_close(struct lre_wake *w);
void lre_wake_signal(const struct lre_wake *w); /* async-signal-safe, thread-safe */
void lre_wake_drain(const struct lre_wake *w);
bool lre_wake_wait(const struct lre_wake *w, int timeout_ms); /* poll without HTTP; true where woken */

/* Many descriptors, of which few have something to say at a time. */
enum { LRE_POLLER_IN = 1, LRE_POLLER_OUT = 2, LRE_POLLER_ERR = 4, LRE_POLLER_EVENTS = 256 };
struct lre_poller_event {
  int fd, what;
};
struct lre_poller {
  int fd;             /* epoll's; elsewhere unused */
  bool *known;        /* [n]: epoll has it, as far as we know: a descriptor that was closed is gone from there */
  struct pollfd *fds; /* elsewhere */
  size_t n, cap;
};
bool lre_poller_open(struct lre_poller *p, struct lre_err *err);
void lre_poller_close(struct lre_poller *p);
/* What to look for; 0: nothing any more. A descriptor that was closed meanwhile is harmless. */
bool lre_poller_set(struct lre_poller *p, int fd, int what);
/* How many events, at most LRE_POLLER_EVENTS; 0 after timeout_ms or a signal. */
size_t lre_poller_wait(struct lre_poller *p, struct lre_poller_event *events, size_t max_events, int timeout_ms);

bool lre_platform_raise_nofile(size_t wanted, size_t *got); /* RLIMIT_NOFILE towards `wanted` */
void lre_platform_no_core_dump(void);                       /* called once a key is in memory */
size_t lre_platform_cpus(void);
size_t lre_platform_peak_rss_bytes(void);
bool lre_platform_exe_path(struct lre_buf *out);   /* of this binary, links resolved */
void lre_platform_describe(char *out, size_t len); /* "linux x86_64" */
bool lre_platform_hostname(char *out, size_t len);
bool lre_platform_is_tty(int fd);
size_t lre_platform_columns(int fd);             /* 0: unknown */
bool lre_platform_random(void *out, size_t len); /* from the kernel */
long lre_platform_lock_holder(int fd);           /* the process that holds a flock on this file; 0: unknown */

/* Freed memory that the C library keeps, of all threads, goes back to the system. */
void lre_platform_trim_memory(void);

#endif
