#include "core/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/fs.h"
#include "core/platform.h"
#include "core/thread.h"

/* Lines wait this long for company before a sync, unless somebody waits for them: it bounds syncs and wake-ups to 200 a
 * second on a fast disk, each of which costs the disk's driver and the loop. */
enum { GATHER_US = 5000, SCAN_BYTES = 1 << 18 };

struct lre_journal {
  int fd;
  char *path;
  void (*wake)(void *ud);
  void *ud;
  pthread_t thread;
  bool has_thread;

  pthread_mutex_t mutex; /* guards all below; not held during fdatasync */
  pthread_cond_t work;   /* for the sync thread: lines appended, hurry or stop */
  pthread_cond_t synced; /* for flush */
  off_t end;             /* of the last whole line */
  uint64_t n_appended, n_synced;
  bool hurry, stop;
  bool append_failed, sync_failed;
  struct lre_err append_err, sync_err;
};

static bool copy_err(struct lre_err *to, const struct lre_err *from) {
  if (to) *to = *from;
  return false;
}

/* Counts whole lines and cuts off what follows the last newline. */
static bool repair_tail(struct lre_journal *j, struct lre_journal_repair *repair, struct lre_err *err) {
  char *window = malloc(SCAN_BYTES);
  if (!window) return lre_err_memory(err);
  off_t pos = 0, end = 0;
  ssize_t n;
  while ((n = pread(j->fd, window, SCAN_BYTES, pos)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    const char *p = window, *stop = window + n;
    while ((p = memchr(p, '\n', (size_t)(stop - p)))) {
      repair->lines++;
      end = pos + (++p - window);
    }
    pos += n;
  }
  free(window);
  if (n < 0) return lre_err_errno(err, errno, "cannot read %s", j->path);
  repair->torn_bytes = (uint64_t)(pos - end);
  j->end = end;
  if (pos > end && (ftruncate(j->fd, end) < 0 || fdatasync(j->fd) < 0))
    return lre_err_errno(err, errno, "cannot cut the torn last line off %s", j->path);
  return true;
}

static bool take_lock(const struct lre_journal *j, struct lre_err *err) {
  if (flock(j->fd, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) return lre_err_errno(err, errno, "cannot lock %s", j->path);
  char holder[32] = "another process";
  long pid = lre_platform_lock_holder(j->fd);
  if (pid > 0) snprintf(holder, sizeof holder, "process %ld", pid);
  return lre_err_set(err, "io", "locked", "%s is in use by %s", j->path, holder);
}

bool lre_journal_held(const char *path, long *pid) {
  *pid = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  *pid = lre_platform_lock_holder(fd);
  bool held = *pid > 0 || (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
  close(fd); /* and with it the shared lock */
  return held;
}

static bool open_file(struct lre_journal *j, struct lre_journal_repair *repair, struct lre_err *err) {
  struct stat st;
  j->fd = open(j->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (j->fd < 0) return lre_err_errno(err, errno, "cannot open %s", j->path);
  if (fstat(j->fd, &st) < 0) return lre_err_errno(err, errno, "cannot stat %s", j->path);
  if (!S_ISREG(st.st_mode)) return lre_err_set(err, "io", "not_a_file", "%s is not a regular file", j->path);
  return take_lock(j, err) && repair_tail(j, repair, err) && (st.st_size > 0 || lre_fs_sync_folder_of(j->path, err));
}

static struct timespec gather_deadline(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_nsec += GATHER_US * 1000L;
  if (t.tv_nsec >= 1000000000L) {
    t.tv_nsec -= 1000000000L;
    t.tv_sec++;
  }
  return t;
}

/* With the mutex held; false when the journal stops and all is synced. */
static bool await_lines(struct lre_journal *j) {
  while (j->n_synced == j->n_appended && !j->stop) pthread_cond_wait(&j->work, &j->mutex);
  if (j->n_synced == j->n_appended) return false;
  struct timespec until = gather_deadline();
  while (!j->hurry && !j->stop && pthread_cond_timedwait(&j->work, &j->mutex, &until) != ETIMEDOUT) {
  }
  return true;
}

static void *sync_lines(void *arg) {
  struct lre_journal *j = arg;
  pthread_mutex_lock(&j->mutex);
  while (!j->sync_failed && await_lines(j)) {
    uint64_t target = j->n_appended;
    pthread_mutex_unlock(&j->mutex);
    int failed = fdatasync(j->fd) < 0 ? errno : 0;
    pthread_mutex_lock(&j->mutex);
    if (failed) { /* never tried again: after a failed fsync the kernel may call lost pages clean */
      j->sync_failed = true;
      lre_err_errno(&j->sync_err, failed, "cannot sync %s", j->path);
    } else {
      j->n_synced = target;
    }
    j->hurry = j->hurry && j->n_synced < j->n_appended;
    pthread_cond_broadcast(&j->synced);
    pthread_mutex_unlock(&j->mutex);
    if (j->wake) j->wake(j->ud);
    pthread_mutex_lock(&j->mutex);
  }
  pthread_mutex_unlock(&j->mutex);
  return NULL;
}

static void init_sync(struct lre_journal *j) {
  pthread_condattr_t attr;
  pthread_mutex_init(&j->mutex, NULL);
  pthread_cond_init(&j->synced, NULL);
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&j->work, &attr);
  pthread_condattr_destroy(&attr);
}

static void free_journal(struct lre_journal *j) {
  if (j->fd >= 0) close(j->fd); /* unlocks */
  pthread_cond_destroy(&j->work);
  pthread_cond_destroy(&j->synced);
  pthread_mutex_destroy(&j->mutex);
  free(j->path);
  free(j);
}

struct lre_journal *lre_journal_open(const char *path, struct lre_journal_repair *repair, void (*wake)(void *ud),
                                     void *ud, struct lre_err *err) {
  struct lre_journal_repair ignored;
  struct lre_journal *j = calloc(1, sizeof *j);
  if (!repair) repair = &ignored;
  *repair = (struct lre_journal_repair){0};
  if (!j) {
    lre_err_memory(err);
    return NULL;
  }
  j->fd = -1;
  j->wake = wake;
  j->ud = ud;
  init_sync(j);
  j->path = strdup(path);
  if (!j->path) {
    lre_err_memory(err);
  } else if (open_file(j, repair, err)) {
    int failed = lre_thread_start(&j->thread, sync_lines, j);
    j->has_thread = failed == 0;
    if (j->has_thread) return j;
    lre_err_errno(err, failed, "cannot start the journal's thread");
  }
  free_journal(j);
  return NULL;
}

/* One writev(2) as a rule; the rest of a short write follows. */
static bool write_text(int fd, const char *text, size_t len) {
  char newline = '\n';
  size_t done = 0;
  while (done <= len) {
    struct iovec parts[2] = {{(void *)(uintptr_t)(text + done), len - done}, {&newline, 1}};
    ssize_t n = writev(fd, parts, 2);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += (size_t)n;
  }
  return true;
}

/* With the mutex held. */
static bool append_text(struct lre_journal *j, const char *lines, size_t len, size_t n) {
  if (write_text(j->fd, lines, len)) {
    j->end += (off_t)len + 1;
    j->n_appended += n;
    return true;
  }
  int failed = errno;
  j->append_failed = true;
  if (ftruncate(j->fd, j->end) == 0)
    lre_err_errno(&j->append_err, failed, "cannot append to %s", j->path);
  else
    lre_err_errno(&j->append_err, failed, "cannot append to %s (its last line is torn: opening it again repairs it)",
                  j->path);
  return false;
}

static size_t count_newlines(const char *text, size_t len) {
  size_t n = 0;
  const char *p = text, *end = text + len;
  while ((p = memchr(p, '\n', (size_t)(end - p)))) n++, p++;
  return n;
}

bool lre_journal_append(struct lre_journal *j, const char *line, size_t len, uint64_t *ticket, struct lre_err *err) {
  return lre_journal_append_lines(j, line, len, 1, ticket, err);
}

bool lre_journal_append_lines(struct lre_journal *j, const char *lines, size_t len, size_t n, uint64_t *ticket,
                              struct lre_err *err) {
  if (count_newlines(lines, len) != n - 1)
    return lre_err_set(err, "argument", "newline", "a journal line holds a newline");
  pthread_mutex_lock(&j->mutex);
  bool idle = j->n_synced == j->n_appended;
  bool ok = !j->append_failed && append_text(j, lines, len, n);
  if (ok && ticket) *ticket = j->n_appended;
  if (!ok) copy_err(err, &j->append_err);
  if (ok && idle) pthread_cond_signal(&j->work); /* else the thread is at work already */
  pthread_mutex_unlock(&j->mutex);
  return ok;
}

bool lre_journal_synced(struct lre_journal *j, uint64_t *lines, struct lre_err *err) {
  pthread_mutex_lock(&j->mutex);
  bool ok = !j->sync_failed;
  *lines = j->n_synced;
  if (!ok) copy_err(err, &j->sync_err);
  pthread_mutex_unlock(&j->mutex);
  return ok;
}

void lre_journal_hurry(struct lre_journal *j) {
  pthread_mutex_lock(&j->mutex);
  j->hurry = j->n_synced < j->n_appended;
  pthread_cond_signal(&j->work);
  pthread_mutex_unlock(&j->mutex);
}

bool lre_journal_flush(struct lre_journal *j, struct lre_err *err) {
  pthread_mutex_lock(&j->mutex);
  uint64_t target = j->n_appended;
  while (j->n_synced < target && !j->sync_failed) {
    j->hurry = true;
    pthread_cond_signal(&j->work);
    pthread_cond_wait(&j->synced, &j->mutex);
  }
  bool ok = !j->sync_failed;
  if (!ok) copy_err(err, &j->sync_err);
  pthread_mutex_unlock(&j->mutex);
  return ok;
}

bool lre_journal_close(struct lre_journal *j, struct lre_err *err) {
  if (!j) return true;
  bool ok = lre_journal_flush(j, err);
  pthread_mutex_lock(&j->mutex);
  j->stop = true;
  pthread_cond_signal(&j->work);
  pthread_mutex_unlock(&j->mutex);
  if (j->has_thread) pthread_join(j->thread, NULL);
  free_journal(j);
  return ok;
}
