#include "core/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_BYTES = 256 * 1024 };

static const size_t DEFAULT_MAX_BYTES = (size_t)1 << 30;

static ssize_t read_retry(int fd, void *out, size_t n) {
  ssize_t got;
  do got = read(fd, out, n);
  while (got < 0 && errno == EINTR);
  return got;
}

/* O_NONBLOCK: a FIFO under this name must not make us wait for a writer; regular files ignore it. */
static int open_regular(const char *path, struct stat *st, struct lre_err *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    lre_err_errno(err, errno, "cannot open %s", path);
    return -1;
  }
  if (fstat(fd, st) < 0)
    lre_err_errno(err, errno, "cannot stat %s", path);
  else if (S_ISREG(st->st_mode))
    return fd;
  else
    lre_err_set(err, "io", S_ISDIR(st->st_mode) ? "eisdir" : "not_a_file", "%s is not a regular file", path);
  close(fd);
  return -1;
}

bool lre_fs_read(const char *path, size_t max_bytes, struct lre_buf *out, struct lre_err *err) {
  struct stat st;
  int fd = open_regular(path, &st, err);
  if (fd < 0) return false;
  if (max_bytes == 0) max_bytes = DEFAULT_MAX_BYTES;
  size_t start = out->len, expected = st.st_size < 0 ? 0 : (size_t)st.st_size;
  bool ok = false;
  if (expected > max_bytes) goto too_large;
  for (;;) { /* to the end, not to st_size: files grow, and those of /proc say 0 */
    size_t have = out->len - start, room = expected > have ? expected - have : 4096;
    if (!lre_buf_reserve(out, room)) {
      lre_err_memory(err);
      break;
    }
    ssize_t n = read_retry(fd, out->data + out->len, room);
    if (n < 0) {
      lre_err_errno(err, errno, "cannot read %s", path);
      break;
    }
    out->len += (size_t)n;
    out->data[out->len] = '\0';
    if (out->len - start > max_bytes) goto too_large;
    if (n == 0) {
      ok = true;
      break;
    }
  }
  goto done;
too_large:
  lre_err_set(err, "limit", "too_large", "%s is over %zu bytes", path, max_bytes);
done:
  close(fd);
  return ok;
}

static bool write_all(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

/* Folders that cannot be fsynced (EINVAL) are let be. */
bool lre_fs_sync_folder_of(const char *path, struct lre_err *err) {
  const char *slash = strrchr(path, '/');
  char *folder = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
  if (!folder) return lre_err_memory(err);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
  if (!ok) lre_err_errno(err, errno, "cannot sync the folder %s", folder);
  if (fd >= 0) close(fd);
  free(folder);
  return ok;
}

/* A leftover of this name is from a dead process that had our pid. */
static int create_temporary(const char *path) {
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  int fd = open(path, flags, 0666);
  if (fd < 0 && errno == EEXIST && unlink(path) == 0) fd = open(path, flags, 0666);
  return fd;
}

/* rename() would put a file in the place of a device or a FIFO: these are written to as they are. */
static bool is_special(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool write_in_place(const char *path, const void *data, size_t len, struct lre_err *err) {
  int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO that nobody reads is ENXIO, not a wait for ever */
  bool ok = fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 && write_all(fd, data, len);
  if (!ok) lre_err_errno(err, errno, "cannot write %s", path);
  if (fd >= 0) close(fd);
  return ok;
}

static bool write_then_rename(const char *path, const char *tmp, const void *data, size_t len, struct lre_err *err) {
  int fd = create_temporary(tmp);
  if (fd < 0) return lre_err_errno(err, errno, "cannot create %s", tmp);
  bool ok = write_all(fd, data, len) && fsync(fd) == 0;
  int saved = errno;
  if (close(fd) < 0 && ok) ok = false, saved = errno;
  if (ok && rename(tmp, path) < 0) ok = false, saved = errno;
  if (ok) return lre_fs_sync_folder_of(path, err);
  unlink(tmp);
  return lre_err_errno(err, saved, "cannot write %s", path);
}

/* `link`'s text as a path from where it lies; freed by the caller, NULL where it is no link. */
static char *follow_once(const char *link) {
  char text[PATH_MAX];
  ssize_t n = readlink(link, text, sizeof text);
  if (n < 0 || (size_t)n == sizeof text) return NULL;
  const char *slash = text[0] == '/' ? NULL : strrchr(link, '/');
  size_t folder = slash ? (size_t)(slash - link) + 1 : 0;
  char *path = malloc(folder + (size_t)n + 1);
  if (!path) return NULL;
  memcpy(path, link, folder);
  memcpy(path + folder, text, (size_t)n);
  path[folder + (size_t)n] = '\0';
  return path;
}

/* The name behind all links, also where nothing of that name is there yet (realpath() gives up then). */
static char *behind_links(const char *path) {
  enum { MOST_LINKS = 40 }; /* the kernel's own bound; a ring of links ends as one of them, which then is replaced */
  char *at = strdup(path), *next;
  for (int i = 0; at && i < MOST_LINKS && (next = follow_once(at)); i++) {
    free(at);
    at = next;
  }
  return at;
}

bool lre_fs_write_atomic(const char *path, const void *data, size_t len, struct lre_err *err) {
  if (is_special(path)) return write_in_place(path, data, len, err);
  char *target = behind_links(path); /* a link stays a link: what it points to is replaced */
  struct lre_buf tmp;
  lre_buf_init(&tmp);
  bool ok = target && lre_buf_printf(&tmp, "%s.tmp.%ld", target, (long)getpid());
  if (ok)
    ok = write_then_rename(target, tmp.data, data, len, err);
  else
    lre_err_memory(err);
  lre_buf_free(&tmp);
  free(target);
  return ok;
}

struct lre_fs_out {
  int fd, failed; /* errno of the first failure */
  char *path, *tmp;
  struct lre_buf pending;
};

enum { OUT_BYTES = 1 << 18 };

static void free_out(struct lre_fs_out *out) {
  if (out->fd >= 0) close(out->fd);
  lre_buf_free(&out->pending);
  free(out->path);
  free(out->tmp);
  free(out);
}

struct lre_fs_out *lre_fs_out_open(const char *path, struct lre_err *err) {
  struct lre_fs_out *out = calloc(1, sizeof *out);
  size_t room = strlen(path) + 32;
  if (!out) {
    lre_err_memory(err);
    return NULL;
  }
  out->fd = -1;
  lre_buf_init(&out->pending);
  out->path = strdup(path);
  out->tmp = malloc(room);
  if (!out->path || !out->tmp) {
    lre_err_memory(err);
    free_out(out);
    return NULL;
  }
  snprintf(out->tmp, room, "%s.tmp.%ld", path, (long)getpid());
  out->fd = create_temporary(out->tmp);
  if (out->fd >= 0) return out;
  lre_err_errno(err, errno, "cannot create %s", out->tmp);
  free_out(out);
  return NULL;
}

static bool flush_out(struct lre_fs_out *out, struct lre_err *err) {
  if (!out->failed && !write_all(out->fd, out->pending.data, out->pending.len)) out->failed = errno;
  lre_buf_clear(&out->pending);
  return !out->failed || lre_err_errno(err, out->failed, "cannot write %s", out->path);
}

bool lre_fs_out_put(struct lre_fs_out *out, const void *data, size_t len, struct lre_err *err) {
  if (!lre_buf_put(&out->pending, data, len)) return lre_err_memory(err);
  return out->pending.len < OUT_BYTES || flush_out(out, err);
}

bool lre_fs_out_commit(struct lre_fs_out *out, struct lre_err *err) {
  if (!out) return true;
  bool ok = flush_out(out, err);
  if (ok && fsync(out->fd) < 0) ok = lre_err_errno(err, errno, "cannot write %s", out->path);
  if (ok && rename(out->tmp, out->path) < 0) ok = lre_err_errno(err, errno, "cannot write %s", out->path);
  if (!ok) unlink(out->tmp);
  ok = ok && lre_fs_sync_folder_of(out->path, err);
  free_out(out);
  return ok;
}

void lre_fs_out_abort(struct lre_fs_out *out) {
  if (!out) return;
  unlink(out->tmp);
  free_out(out);
}

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* 1: made; 0: was there; -1: errno. */
static int make_one(const char *path) {
  if (mkdir(path, 0777) == 0) return 1;
  int saved = errno; /* may be EEXIST, but also EROFS or EACCES for a folder that is there */
  if (is_folder(path)) return 0;
  errno = saved;
  return -1;
}

bool lre_fs_mkdir(const char *path, bool parents, bool *created, struct lre_err *err) {
  char *copy = strdup(path);
  if (!copy) return lre_err_memory(err);
  int made = 0;
  for (char *p = copy + 1; parents && *copy && *p && made >= 0; p++) {
    if (*p != '/') continue;
    *p = '\0';
    made = make_one(copy);
    *p = '/';
  }
  if (made >= 0) made = make_one(copy);
  if (made < 0) lre_err_errno(err, errno, "cannot make the folder %s", path);
  if (created) *created = made == 1;
  free(copy);
  return made >= 0;
}

bool lre_fs_stat(const char *path, struct lre_fs_info *out, struct lre_err *err) {
  struct stat st;
  *out = (struct lre_fs_info){.type = LRE_FS_MISSING};
  if (stat(path, &st) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return true;
    return lre_err_errno(err, errno, "cannot stat %s", path);
  }
  out->type = S_ISREG(st.st_mode) ? LRE_FS_FILE : S_ISDIR(st.st_mode) ? LRE_FS_FOLDER : LRE_FS_OTHER;
  out->size_bytes = (uint64_t)st.st_size;
  out->mtime_s = (int64_t)st.st_mtime;
  return true;
}

bool lre_fs_same(const char *a, const char *b) {
  struct stat first, second;
  if (stat(a, &first) < 0 || stat(b, &second) < 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b); /* strcmp compares as unsigned char */
}

/* Rewrites the NUL-separated names from `start` on in order. */
static bool sort_names(struct lre_buf *names, size_t start, size_t n) {
  if (n == 0) return true;
  size_t bytes = names->len - start;
  char *copy = malloc(bytes);
  const char **list = malloc(n * sizeof *list);
  bool ok = copy && list;
  if (ok) {
    memcpy(copy, names->data + start, bytes);
    const char *p = copy;
    for (size_t i = 0; i < n; i++, p += strlen(p) + 1) list[i] = p;
    qsort(list, n, sizeof *list, by_bytes);
    names->len = start;
    for (size_t i = 0; i < n; i++) lre_buf_put(names, list[i], strlen(list[i]) + 1);
    ok = !names->failed;
  }
  free(list);
  free(copy);
  return ok;
}

bool lre_fs_list(const char *path, struct lre_buf *out, size_t *n, struct lre_err *err) {
  size_t start = out->len, count = 0;
  *n = 0;
  DIR *dir = opendir(path); /* close-on-exec by POSIX */
  if (!dir) return lre_err_errno(err, errno, "cannot list %s", path);
  const struct dirent *entry;
  errno = 0;
  while ((entry = readdir(dir))) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      lre_buf_put(out, entry->d_name, strlen(entry->d_name) + 1);
      count++;
    }
    errno = 0;
  }
  int failed = errno;
  closedir(dir);
  if (failed) return lre_err_errno(err, failed, "cannot list %s", path);
  if (out->failed || !sort_names(out, start, count)) return lre_err_memory(err);
  *n = count;
  return true;
}

/* The window holds file bytes [base, base + fill); [from, fill) is not handed out yet. It grows only for a line that is
 * longer than it, so memory follows the longest line. */
struct lre_fs_lines {
  int fd;
  bool at_end;
  char *window;
  size_t cap, fill, from;
  uint64_t base, number;
  size_t max_line_bytes;
  char *path;
};

struct lre_fs_lines *lre_fs_lines_open(const char *path, size_t max_line_bytes, struct lre_err *err) {
  return lre_fs_lines_open_at(path, max_line_bytes, 0, 0, err);
}

struct lre_fs_lines *lre_fs_lines_open_at(const char *path, size_t max_line_bytes, uint64_t offset, uint64_t number,
                                          struct lre_err *err) {
  struct stat st;
  int fd = open_regular(path, &st, err);
  if (fd < 0) return NULL;
  if (offset > 0 && lseek(fd, (off_t)offset, SEEK_SET) < 0) {
    lre_err_errno(err, errno, "cannot seek in %s", path);
    close(fd);
    return NULL;
  }
  struct lre_fs_lines *r = calloc(1, sizeof *r);
  if (r) {
    *r = (struct lre_fs_lines){
        .fd = fd, .cap = WINDOW_BYTES, .base = offset, .number = number, .max_line_bytes = max_line_bytes};
    if (r->max_line_bytes == 0 || r->max_line_bytes > DEFAULT_MAX_BYTES) r->max_line_bytes = DEFAULT_MAX_BYTES;
    r->window = malloc(r->cap);
    r->path = strdup(path);
    if (r->window && r->path) return r;
    lre_fs_lines_close(r);
  } else {
    close(fd);
  }
  lre_err_memory(err);
  return NULL;
}

void lre_fs_lines_close(struct lre_fs_lines *r) {
  if (!r) return;
  close(r->fd);
  free(r->window);
  free(r->path);
  free(r);
}

static bool make_room(struct lre_fs_lines *r) {
  if (r->from > 0) {
    memmove(r->window, r->window + r->from, r->fill - r->from);
    r->base += r->from;
    r->fill -= r->from;
    r->from = 0;
  }
  if (r->fill < r->cap) return true;
  char *bigger = realloc(r->window, r->cap * 2);
  if (!bigger) return false;
  r->window = bigger;
  r->cap *= 2;
  return true;
}

static int line_too_long(const struct lre_fs_lines *r, struct lre_err *err) {
  lre_err_set(err, "limit", "line_too_long", "%s:%llu: line is over %zu bytes", r->path,
              (unsigned long long)r->number + 1, r->max_line_bytes);
  return -1;
}

int lre_fs_lines_next(struct lre_fs_lines *r, const char **line, size_t *len, uint64_t *offset, uint64_t *number,
                      bool *ended, struct lre_err *err) {
  size_t seen = 0; /* bytes after `from` that hold no newline */
  const char *newline = NULL;
  for (;;) {
    size_t unread = r->fill - r->from;
    if (unread > seen) newline = memchr(r->window + r->from + seen, '\n', unread - seen);
    seen = newline ? (size_t)(newline - r->window) - r->from : unread;
    if (seen > r->max_line_bytes) return line_too_long(r, err);
    if (newline || r->at_end) break;
    if (!make_room(r)) {
      lre_err_memory(err);
      return -1;
    }
    ssize_t n = read_retry(r->fd, r->window + r->fill, r->cap - r->fill);
    if (n < 0) {
      lre_err_errno(err, errno, "cannot read %s", r->path);
      return -1;
    }
    r->fill += (size_t)n;
    r->at_end = n == 0;
  }
  if (!newline && seen == 0) return 0;
  *line = r->window + r->from;
  *len = seen;
  *offset = r->base + r->from;
  *number = ++r->number;
  *ended = newline != NULL;
  r->from += seen + (newline ? 1 : 0);
  return 1;
}
