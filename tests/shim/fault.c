/* fault.c: loaded into a program under test (LD_PRELOAD), it counts the calls that change files below a folder, and
 * does something at the k-th:
 *
 *   LRE_FAULT="MODE K FOLDER"
 *
 *   kill    SIGKILL before the call
 *   torn    half of the bytes are written, then SIGKILL; another call than a write: before it
 *   enospc  this call and all later ones fail with ENOSPC (syncs and renames do not)
 *   eio     this call alone fails with EIO
 *   short   this write takes half of its bytes
 *   count   nothing; at the end of the process the number of calls is written to FOLDER.count
 *
 * Calls to libc are seen, system calls that libc makes for itself are not: what is written through a FILE is counted
 * when it is given to it, and when it is closed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char mode[16], folder[4096];
static size_t folder_len;
static long wanted;
static atomic_long seen;

__attribute__((constructor)) static void read_wish(void) {
  const char *wish = getenv("LRE_FAULT");
  if (!wish || sscanf(wish, "%15s %ld %4095s", mode, &wanted, folder) != 3) mode[0] = '\0';
  folder_len = strlen(folder);
  unsetenv("LD_PRELOAD"); /* programs that this one starts are not meant */
}

/* dlsym gives an object pointer, C has no cast of it to a function. */
#define REAL(type, name)                                                                                               \
  static __typeof__(type) *real;                                                                                       \
  if (!real) {                                                                                                         \
    void *symbol = dlsym(RTLD_NEXT, name);                                                                             \
    memcpy(&real, &symbol, sizeof real);                                                                               \
  }

static bool is(const char *name) {
  return strcmp(mode, name) == 0;
}

static bool is_below(const char *path) {
  return mode[0] && strncmp(path, folder, folder_len) == 0 && path[folder_len] == '/';
}

static bool is_ours(int fd) {
  char link[64], path[4096];
  if (!mode[0]) return false;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = '\0';
  return is_below(path);
}

enum wish { GO_ON, HALF, HALF_AND_DIE, FAIL };

/* Counts a call. */
static enum wish at_call(bool is_write, bool takes_room) {
  long k = atomic_fetch_add(&seen, 1) + 1;
  if (is("enospc") && k >= wanted && takes_room) {
    errno = ENOSPC;
    return FAIL;
  }
  if (k != wanted) return GO_ON;
  if (is("kill") || (is("torn") && !is_write)) kill(getpid(), SIGKILL);
  if (is("torn")) return HALF_AND_DIE;
  if (is("short") && is_write) return HALF;
  if (!is("eio")) return GO_ON;
  errno = EIO;
  return FAIL;
}

static void die_after(enum wish wish) {
  if (wish == HALF_AND_DIE) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void tell_count(void) {
  char path[4200];
  if (!is("count")) return;
  snprintf(path, sizeof path, "%s.count", folder);
  FILE *f = fopen(path, "w");
  if (!f) return;
  fprintf(f, "%ld\n", atomic_load(&seen));
  fclose(f);
}

/* ---- the calls ---- */

ssize_t write(int fd, const void *data, size_t len) {
  REAL(ssize_t(int, const void *, size_t), "write")
  if (!is_ours(fd)) return real(fd, data, len);
  enum wish wish = at_call(true, true);
  if (wish == FAIL) return -1;
  ssize_t n = real(fd, data, wish == GO_ON || len < 2 ? len : len / 2);
  die_after(wish);
  return n;
}

static ssize_t write_at(ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *data, size_t len,
                        off_t at) {
  if (!is_ours(fd)) return real(fd, data, len, at);
  enum wish wish = at_call(true, true);
  if (wish == FAIL) return -1;
  ssize_t n = real(fd, data, wish == GO_ON || len < 2 ? len : len / 2, at);
  die_after(wish);
  return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
  REAL(ssize_t(int, const void *, size_t, off_t), "pwrite")
  return write_at(real, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) {
  REAL(ssize_t(int, const void *, size_t, off_t), "pwrite64")
  return write_at(real, fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts) {
  REAL(ssize_t(int, const struct iovec *, int), "writev")
  if (!is_ours(fd)) return real(fd, parts, n_parts);
  enum wish wish = at_call(true, true);
  if (wish == FAIL) return -1;
  struct iovec half = {parts[0].iov_base, (parts[0].iov_len + 1) / 2};
  ssize_t n = wish == GO_ON ? real(fd, parts, n_parts) : real(fd, &half, 1);
  die_after(wish);
  return n;
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *f) {
  REAL(size_t(const void *, size_t, size_t, FILE *), "fwrite")
  if (!is_ours(fileno(f))) return real(data, size, n, f);
  enum wish wish = at_call(true, true);
  if (wish == FAIL) return 0;
  if (wish == HALF_AND_DIE) {
    real(data, size, n / 2, f);
    fflush(f);
  }
  die_after(wish);
  return real(data, size, n, f); /* a FILE completes short writes itself */
}

int fclose(FILE *f) {
  REAL(int(FILE *), "fclose")
  if (!is_ours(fileno(f))) return real(f);
  enum wish wish = at_call(false, true);
  int failed = errno, closed = real(f);
  if (wish != FAIL) return closed;
  errno = failed;
  return EOF;
}

int fsync(int fd) {
  REAL(int(int), "fsync")
  if (!is_ours(fd)) return real(fd);
  return at_call(false, false) == FAIL ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(int(int), "fdatasync")
  if (!is_ours(fd)) return real(fd);
  return at_call(false, false) == FAIL ? -1 : real(fd);
}

int ftruncate(int fd, off_t length) {
  REAL(int(int, off_t), "ftruncate")
  if (!is_ours(fd)) return real(fd, length);
  return at_call(false, false) == FAIL ? -1 : real(fd, length);
}

int ftruncate64(int fd, off_t length);
int ftruncate64(int fd, off_t length) {
  REAL(int(int, off_t), "ftruncate64")
  if (!is_ours(fd)) return real(fd, length);
  return at_call(false, false) == FAIL ? -1 : real(fd, length);
}

int rename(const char *from, const char *to) {
  REAL(int(const char *, const char *), "rename")
  if (!is_below(to)) return real(from, to);
  return at_call(false, false) == FAIL ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(int(const char *), "unlink")
  if (!is_below(path)) return real(path);
  return at_call(false, false) == FAIL ? -1 : real(path);
}
