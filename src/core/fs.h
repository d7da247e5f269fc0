/* fs.h: the file operations that runs stand on. All paths are UTF-8 bytes, NUL-terminated, our own. */
#ifndef LRE_CORE_FS_H
#define LRE_CORE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

/* Reads a whole regular file of at most max_bytes (0: 1 GiB). */
bool lre_fs_read(const char *path, size_t max_bytes, struct lre_buf *out, struct lre_err *err);
/* Writes to "<path>.tmp.<pid>" in the same folder, fsyncs, renames, fsyncs the folder. On failure the
 * temporary file is gone and the old file is untouched. A link stays one: what it points to is replaced. A device or
 * a FIFO (/dev/stdout, /dev/null) is written to as it is. */
bool lre_fs_write_atomic(const char *path, const void *data, size_t len, struct lre_err *err);
/* The same for data that come in pieces. open: NULL where the temporary file cannot be made. commit and abort free
 * `out` (NULL: nothing to do); commit is false, and the old file untouched, where any write failed. */
struct lre_fs_out;
struct lre_fs_out *lre_fs_out_open(const char *path, struct lre_err *err);
bool lre_fs_out_put(struct lre_fs_out *out, const void *data, size_t len, struct lre_err *err);
bool lre_fs_out_commit(struct lre_fs_out *out, struct lre_err *err);
void lre_fs_out_abort(struct lre_fs_out *out);
/* fsyncs the folder that holds `path`: a new or renamed file's name is only then on the disk. */
bool lre_fs_sync_folder_of(const char *path, struct lre_err *err);
/* mkdir; *created false where it already was a folder. With `parents`, like mkdir -p. */
bool lre_fs_mkdir(const char *path, bool parents, bool *created, struct lre_err *err);

enum lre_fs_type { LRE_FS_MISSING, LRE_FS_FILE, LRE_FS_FOLDER, LRE_FS_OTHER };
struct lre_fs_info {
  enum lre_fs_type type;
  uint64_t size_bytes;
  int64_t mtime_s;
};
bool lre_fs_stat(const char *path, struct lre_fs_info *out, struct lre_err *err); /* missing is not an error */
/* Are both there, and the same file, by whatever names and links? */
bool lre_fs_same(const char *a, const char *b);

/* Names in a folder, sorted bytewise, without "." and "..": NUL-separated in out, *n of them. */
bool lre_fs_list(const char *path, struct lre_buf *out, size_t *n, struct lre_err *err);

/* A reader of lines that holds one line, not the file: windows of the file
 * are read in turn (no mmap of the whole: mapped pages count as our memory). */
struct lre_fs_lines;
struct lre_fs_lines *lre_fs_lines_open(const char *path, size_t max_line_bytes, struct lre_err *err);
/* The same from a byte on, where line `number` + 1 begins. */
struct lre_fs_lines *lre_fs_lines_open_at(const char *path, size_t max_line_bytes, uint64_t offset, uint64_t number,
                                          struct lre_err *err);
/* 1: *line, *len (without the newline; valid until the next call), *offset, *number (1-based), *ended (false: the
 * file's last line has no newline); 0: end; -1: err (code "line_too_long" names the line; or io). */
int lre_fs_lines_next(struct lre_fs_lines *r, const char **line, size_t *len, uint64_t *offset, uint64_t *number,
                      bool *ended, struct lre_err *err);
void lre_fs_lines_close(struct lre_fs_lines *r);

#endif
