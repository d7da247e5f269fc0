/* pool.h: worker threads for C jobs. A job never touches the main Lua state. */
#ifndef LRE_CORE_POOL_H
#define LRE_CORE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct lre_job {
  void (*run)(struct lre_job *job); /* on a worker */
  struct lre_job *next;             /* the pool's */
  bool cancelled;                   /* the pool's: set by lre_pool_cancel before the job ran */
};

struct lre_pool;

/* One thread at first, and another where a job would wait for one, up to max_threads. `wake(ud)` is called on a worker
 * after each job; it must be thread-safe. */
struct lre_pool *lre_pool_new(size_t max_threads, void (*wake)(void *ud), void *ud, struct lre_err *err);
/* Waits for running jobs; queued ones are dropped (their memory is the caller's). */
void lre_pool_free(struct lre_pool *pool);
void lre_pool_submit(struct lre_pool *pool, struct lre_job *job); /* FIFO; never fails: the job brings its link */
/* A finished job, oldest first, or NULL. Main thread. */
struct lre_job *lre_pool_done(struct lre_pool *pool);
/* True where the job was still queued and will not run; false: it runs or ran, wait for it. */
bool lre_pool_cancel(struct lre_pool *pool, struct lre_job *job);

#endif
