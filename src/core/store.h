/* store.h: state.sqlite, the index over a run's journal.
 *
 * Table done(key, at, size) has the trials whose last row is a good answer, failed(...) the others, verdict(key, judge,
 * n, at, size) the verdicts; `at` and `size` say where the journal has the row. It is never a truth of its own: a file
 * that is lost, foreign, older, of another journal or damaged is made again from the journal, and one that is behind is
 * brought up to date from the byte where it stopped. What is read in order of the keys takes memory for one row.
 *
 * SQLite's rollback journal is left on, with its syncs: a process that is killed, or a machine that stops, must not
 * leave an index that lies. */
#ifndef LRE_CORE_STORE_H
#define LRE_CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/row.h"
#include "core/set.h"

struct lre_store;

/* Opens or makes it. path NULL: a temporary one, gone when it is closed. One that is no index of this version is thrown
 * away. Errors: kind "io". */
struct lre_store *lre_store_open(const char *path, struct lre_err *err);
void lre_store_close(struct lre_store *s); /* s may be NULL */

/* Told of each line that is not taken (err: see lre_row_read; code "duplicate" for an answer to what had one: the last
 * line counts and is taken). */
typedef void lre_store_problem(void *ud, uint64_t number, const struct lre_err *err);

/* Reads what the journal has beyond what is indexed. *rebuilt (may be NULL): it was made from the first line on,
 * although there was something in it. All of it or nothing is written. */
bool lre_store_update(struct lre_store *s, const char *journal, lre_store_problem *problem, void *ud, bool *rebuilt,
                      struct lre_err *err);

/* Adds the key of each trial with a good answer to `set`: from the index as far as it goes, then from the journal's
 * lines behind it, which are not written to the index (a resume must not wait for that). */
bool lre_store_answered(struct lre_store *s, const char *journal, struct lre_set *set, struct lre_err *err);

struct lre_store_counts {
  uint64_t done, failed, verdicts, lines;
};
bool lre_store_count(struct lre_store *s, struct lre_store_counts *out, struct lre_err *err);

/* Trials in the order of their keys' bytes, each with its verdicts. */
struct lre_store_place {
  uint64_t at, size;
};
struct lre_store_verdict {
  int64_t judge; /* see lre_store_judge */
  int64_t n;
  struct lre_store_place place;
};
struct lre_store_trial {
  struct lre_row_text key; /* until the next call */
  bool failed;
  struct lre_store_place place;
  const struct lre_store_verdict *verdicts; /* in the journal's order */
  size_t n_verdicts;
};
struct lre_store_walk;
/* Only to be closed once its store is. */
struct lre_store_walk *lre_store_walk_open(struct lre_store *s, struct lre_err *err);
int lre_store_walk_next(struct lre_store_walk *w, struct lre_store_trial *trial, struct lre_err *err); /* 1, 0, -1 */
void lre_store_walk_close(struct lre_store_walk *w);
/* The number of a judge in verdicts; 0 where none of its verdicts is there, -1: err. */
int64_t lre_store_judge(struct lre_store *s, const char *name, const char *hash, struct lre_err *err);

#endif
