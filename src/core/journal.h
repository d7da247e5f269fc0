/* journal.h: an append-only file of lines, the only source of truth of a run.
 *
 * A line is appended with one write(2). fdatasync runs on the journal's own
 * thread for all lines since the last one (group commit): lre_journal_synced
 * says how many lines are safe. A torn last line (no newline, from a crash) is
 * cut off at opening and reported. One process at a time: flock. */
#ifndef LRE_CORE_JOURNAL_H
#define LRE_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct lre_journal;

struct lre_journal_repair {
  uint64_t torn_bytes; /* dropped from the end; 0: none */
  uint64_t lines;      /* whole lines already there */
};

/* Opens or creates for appending. code "locked" where another process has it. `wake(ud)` is called on
 * the sync thread after each sync (or its failure). */
struct lre_journal *lre_journal_open(const char *path, struct lre_journal_repair *repair, void (*wake)(void *ud),
                                     void *ud, struct lre_err *err);
/* Whether some process has it open for appending; *pid is its number, 0 where that cannot be told. Opens nothing for
 * writing and, where the system tells who holds the lock, takes none. False, too, where there is no such file. */
bool lre_journal_held(const char *path, long *pid);
/* Appends line + '\n'. A line holding '\n' is an error. Short writes are completed; when the disk is
 * full the part that was written is cut off again, so the file still ends in a whole line. After a failure every
 * append fails with the same error. *ticket (may be NULL) is the count of lines appended by this handle. */
bool lre_journal_append(struct lre_journal *j, const char *line, size_t len, uint64_t *ticket, struct lre_err *err);
/* The same for n lines with a '\n' between them: one write(2), all of them or none. */
bool lre_journal_append_lines(struct lre_journal *j, const char *lines, size_t len, size_t n, uint64_t *ticket,
                              struct lre_err *err);
/* Lines of this handle known to be on disk. False where a sync failed (err; sticky). */
bool lre_journal_synced(struct lre_journal *j, uint64_t *lines, struct lre_err *err);
/* Somebody waits for what was appended: the next sync gathers no more. Does not block. */
void lre_journal_hurry(struct lre_journal *j);
/* Blocks until all appended lines are synced. */
bool lre_journal_flush(struct lre_journal *j, struct lre_err *err);
bool lre_journal_close(struct lre_journal *j, struct lre_err *err); /* flushes, unlocks, frees; j may be NULL */

#endif
