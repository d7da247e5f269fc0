/* team.h: a thread group that shares out loops. It belongs to one engine and never runs Lua.
 *
 * Each thread has a share of a loop, in order; who has done with his own helps the others. So a loop's body must not
 * depend on who runs it. */
#ifndef LRE_INFER_TEAM_H
#define LRE_INFER_TEAM_H

#include <stddef.h>

#include "core/err.h"

struct lre_team;

/* n_threads counts the caller, who works along. NULL: err. */
struct lre_team *lre_team_new(size_t n_threads, struct lre_err *err);
void lre_team_free(struct lre_team *team);
size_t lre_team_threads(const struct lre_team *team);

/* Calls work(arg, begin, end, worker) until [0, n_items) is done, at most `grain` items at a time; worker is in
 * [0, threads). Returns when all is done. One caller at a time. */
void lre_team_run(struct lre_team *team, size_t n_items, size_t grain,
                  void (*work)(void *arg, size_t begin, size_t end, size_t worker), void *arg);

/* The first item of a worker's share of such a loop; of worker `threads`: n_items. */
size_t lre_team_share(const struct lre_team *team, size_t n_items, size_t worker);

#endif
