#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sysmacros.h>
#endif
#ifdef __APPLE__
#include <mach-o/dyld.h>
#include <sys/random.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_SANITIZER 1
#endif
#endif

/* A wake is an eventfd where there is one: one descriptor, and never full. */

#ifndef __linux__
static bool set_flags(int fd) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}
#endif

bool lre_wake_open(struct lre_wake *w, struct lre_err *err) {
  w->read_fd = w->write_fd = -1;
#ifdef __linux__
  w->read_fd = w->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (w->read_fd < 0) return lre_err_errno(err, errno, "eventfd");
#else
  int fds[2];
  if (pipe(fds) < 0) return lre_err_errno(err, errno, "pipe");
  w->read_fd = fds[0];
  w->write_fd = fds[1];
  if (!set_flags(fds[0]) || !set_flags(fds[1])) {
    lre_err_errno(err, errno, "fcntl");
    lre_wake_close(w);
    return false;
  }
#endif
  return true;
}

void lre_wake_close(struct lre_wake *w) {
  if (w->read_fd >= 0) close(w->read_fd);
  if (w->write_fd >= 0 && w->write_fd != w->read_fd) close(w->write_fd);
  w->read_fd = w->write_fd = -1;
}

void lre_wake_signal(const struct lre_wake *w) {
  int saved = errno; /* this may run in a signal handler */
  uint64_t one = 1;
  ssize_t n;
  do n = write(w->write_fd, &one, sizeof one);
  while (n < 0 && errno == EINTR); /* EAGAIN: it is readable already */
  errno = saved;
}

void lre_wake_drain(const struct lre_wake *w) {
  uint64_t ignored[8];
  ssize_t n;
  do n = read(w->read_fd, ignored, sizeof ignored);
  while ((n < 0 && errno == EINTR) || (n > 0 && w->read_fd != w->write_fd)); /* an eventfd is empty after one read */
}

bool lre_wake_wait(const struct lre_wake *w, int timeout_ms) {
  struct pollfd p = {.fd = w->read_fd, .events = POLLIN};
  return poll(&p, 1, timeout_ms) > 0; /* a signal ends the wait: its handler may have work for the caller */
}

#ifdef __linux__
bool lre_poller_open(struct lre_poller *p, struct lre_err *err) {
  *p = (struct lre_poller){.fd = epoll_create1(EPOLL_CLOEXEC)};
  return p->fd >= 0 || lre_err_errno(err, errno, "epoll_create1");
}

void lre_poller_close(struct lre_poller *p) {
  if (p->fd >= 0) close(p->fd);
  free(p->known);
  *p = (struct lre_poller){.fd = -1};
}

static bool is_known(const struct lre_poller *p, size_t fd) {
  return fd < p->n && p->known[fd];
}

/* Without memory it stays unknown, which costs a call. */
static void set_known(struct lre_poller *p, size_t fd, bool yes) {
  if (fd >= p->n && yes) {
    size_t n = fd + 64;
    bool *known = realloc(p->known, n * sizeof *known);
    if (!known) return;
    memset(known + p->n, 0, (n - p->n) * sizeof *known);
    p->known = known;
    p->n = n;
  }
  if (fd < p->n) p->known[fd] = yes;
}

bool lre_poller_set(struct lre_poller *p, int fd, int what) {
  struct epoll_event event = {.data.fd = fd};
  if (what & LRE_POLLER_IN) event.events |= EPOLLIN;
  if (what & LRE_POLLER_OUT) event.events |= EPOLLOUT;
  bool known = is_known(p, (size_t)fd);
  set_known(p, (size_t)fd, what != 0);
  if (what == 0) return epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, &event) == 0;
  if (epoll_ctl(p->fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) return true;
  return errno == (known ? ENOENT : EEXIST) && epoll_ctl(p->fd, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0;
}

size_t lre_poller_wait(struct lre_poller *p, struct lre_poller_event *events, size_t max_events, int timeout_ms) {
  struct epoll_event ready[LRE_POLLER_EVENTS];
  if (max_events > LRE_POLLER_EVENTS) max_events = LRE_POLLER_EVENTS;
  int n = epoll_wait(p->fd, ready, (int)max_events, timeout_ms);
  for (int i = 0; i < n; i++) {
    uint32_t what = ready[i].events;
    events[i].fd = ready[i].data.fd;
    events[i].what = (what & EPOLLIN ? LRE_POLLER_IN : 0) | (what & EPOLLOUT ? LRE_POLLER_OUT : 0) |
                     (what & (EPOLLERR | EPOLLHUP) ? LRE_POLLER_ERR : 0);
  }
  return n > 0 ? (size_t)n : 0;
}
#else
bool lre_poller_open(struct lre_poller *p, struct lre_err *err) {
  (void)err;
  *p = (struct lre_poller){.fd = -1};
  return true;
}

void lre_poller_close(struct lre_poller *p) {
  free(p->fds);
  *p = (struct lre_poller){.fd = -1};
}

bool lre_poller_set(struct lre_poller *p, int fd, int what) {
  size_t i = 0;
  while (i < p->n && p->fds[i].fd != fd) i++;
  if (what == 0) {
    if (i < p->n) p->fds[i] = p->fds[--p->n];
    return true;
  }
  if (i == p->cap) {
    size_t cap = p->cap ? p->cap * 2 : 16;
    struct pollfd *fds = realloc(p->fds, cap * sizeof *fds);
    if (!fds) return false;
    p->fds = fds;
    p->cap = cap;
  }
  if (i == p->n) p->n++;
  short events = (short)((what & LRE_POLLER_IN ? POLLIN : 0) | (what & LRE_POLLER_OUT ? POLLOUT : 0));
  p->fds[i] = (struct pollfd){.fd = fd, .events = events};
  return true;
}

size_t lre_poller_wait(struct lre_poller *p, struct lre_poller_event *events, size_t max_events, int timeout_ms) {
  size_t n = 0;
  if (poll(p->fds, (nfds_t)p->n, timeout_ms) <= 0) return 0;
  for (size_t i = 0; i < p->n && n < max_events; i++) {
    short what = p->fds[i].revents;
    if (what == 0) continue;
    events[n].fd = p->fds[i].fd;
    events[n++].what = (what & POLLIN ? LRE_POLLER_IN : 0) | (what & POLLOUT ? LRE_POLLER_OUT : 0) |
                       (what & (POLLERR | POLLHUP | POLLNVAL) ? LRE_POLLER_ERR : 0);
  }
  return n;
}
#endif

void lre_platform_trim_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

bool lre_platform_raise_nofile(size_t wanted, size_t *got) {
  struct rlimit limit;
  if (got) *got = 0;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return false;
  if (limit.rlim_cur < wanted) {
    struct rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (got) *got = limit.rlim_cur > SIZE_MAX ? SIZE_MAX : (size_t)limit.rlim_cur;
  return limit.rlim_cur >= wanted;
}

void lre_platform_no_core_dump(void) {
  struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__) && !defined(WITH_LEAK_SANITIZER) /* LeakSanitizer attaches to its process, which this forbids   \
                                                         */
  (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);         /* a core_pattern that is a pipe ignores RLIMIT_CORE */
#endif
}

size_t lre_platform_cpus(void) {
#ifdef __linux__
  cpu_set_t set; /* what this process may use, which in a container is not what the machine has */
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
#endif
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (size_t)n : 1;
}

size_t lre_platform_peak_rss_bytes(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) < 0) return 0;
#ifdef __APPLE__
  return (size_t)usage.ru_maxrss;
#else
  return (size_t)usage.ru_maxrss * 1024;
#endif
}

bool lre_platform_exe_path(struct lre_buf *out) {
  char path[PATH_MAX];
#if defined(__linux__)
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0 || (size_t)n >= sizeof path) return false;
  return lre_buf_put(out, path, (size_t)n);
#elif defined(__APPLE__)
  char raw[PATH_MAX];
  uint32_t size = sizeof raw;
  if (_NSGetExecutablePath(raw, &size) != 0 || !realpath(raw, path)) return false;
  return lre_buf_puts(out, path);
#else
  (void)path;
  (void)out;
  return false;
#endif
}

void lre_platform_describe(char *out, size_t len) {
  struct utsname name;
  if (len == 0) return;
  if (uname(&name) < 0) {
    snprintf(out, len, "unknown");
    return;
  }
  for (char *p = name.sysname; *p; p++)
    if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
  snprintf(out, len, "%s %s", name.sysname, name.machine);
}

bool lre_platform_hostname(char *out, size_t len) {
  if (len == 0 || gethostname(out, len) < 0) return false;
  out[len - 1] = '\0';
  return true;
}

bool lre_platform_is_tty(int fd) {
  return isatty(fd) == 1;
}

size_t lre_platform_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool lre_platform_random(void *out, size_t len) {
  unsigned char *p = out;
  while (len > 0) {
    size_t piece = len < 256 ? len : 256; /* getentropy's bound */
    if (getentropy(p, piece) < 0) return false;
    p += piece;
    len -= piece;
  }
  return true;
}

long lre_platform_lock_holder(int fd) {
  long holder = 0;
#ifdef __linux__
  struct stat st;
  FILE *f = fstat(fd, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
  char line[256];
  while (f && holder == 0 && fgets(line, sizeof line, f)) {
    long pid;
    unsigned int dev_major, dev_minor;
    uintmax_t inode;
    if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %x:%x:%ju", &pid, &dev_major, &dev_minor, &inode) == 4 &&
        inode == (uintmax_t)st.st_ino && makedev(dev_major, dev_minor) == st.st_dev)
      holder = pid > 0 ? pid : 0;
  }
  if (f) fclose(f);
#else
  (void)fd;
#endif
  return holder;
}
