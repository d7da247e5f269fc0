/* sched.h: tasks, timers, the loop.
 *
 * A task is a coroutine. A binding that must wait fills a struct lre_wait and ends with `return lre_sched_wait(L, w)`;
 * the task is suspended by yielding a private sentinel, which coroutine.resume/wrap of ours pass on through a user's own
 * coroutines. Completion only queues the task (FIFO); only the loop resumes. A wait that is already complete when
 * lre_sched_wait is called returns at once, without yielding.
 *
 * Cancelling raises an error that pcall, xpcall, coroutine.resume and close do not swallow: at the wait the task sits in, or,
 * while it runs, at the next count hook. Its __close variables run; a wait inside them raises again at once. */
#ifndef LRE_VM_SCHED_H
#define LRE_VM_SCHED_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/http.h"
#include "core/pool.h"

struct lre_sched;
struct lre_task;
struct lre_vm;

/* One operation that one task waits for. It lives in a userdata of the binding, which stays on the C function's stack while the
 * task sleeps (so it cannot be collected); the userdata's __gc cancels what is still running. */
struct lre_wait {
  const char *what;   /* static: "http", "sleep", "process", "journal", "task", "slot" */
  char detail[80];    /* for the status print: host, program, task name; no secrets */
  int (*push)(lua_State *L, struct lre_wait *w); /* in the task, after completion: pushes results, returns how many; may raise */
  void (*cancel)(struct lre_wait *w);            /* stops the operation for good: no lre_sched_complete may follow */
  /* the scheduler's: */
  struct lre_task *task;
  uint64_t since_ns;
  bool complete;
  struct lre_wait *next;
};

/* Call as `return lre_sched_wait(L, w)`. Raises where L cannot yield ("inside table.sort, gsub, a metamethod or require a script cannot wait"). */
int lre_sched_wait(lua_State *L, struct lre_wait *w);
/* Main thread only. Marks done and queues the task; harmless before lre_sched_wait was called. */
void lre_sched_complete(struct lre_wait *w);

/* A timer that completes `w` at mono_ns unless it completed before. Owned by w; removed when it completes or is cancelled. */
bool lre_sched_timer(struct lre_sched *s, struct lre_wait *w, uint64_t mono_ns, struct lre_err *err);

struct lre_sched *lre_sched_new(struct lre_vm *vm, struct lre_err *err);
void lre_sched_free(struct lre_sched *s);
/* Made at first use. Their completions are handled inside the loop. */
struct lre_http *lre_sched_http(struct lre_sched *s, struct lre_err *err);
struct lre_pool *lre_sched_pool(struct lre_sched *s, struct lre_err *err);
/* A pool job with its completion: `done` runs on the main thread, inside the loop. */
struct lre_sched_job {
  struct lre_job job;
  void (*done)(struct lre_sched_job *job);
};
bool lre_sched_submit(struct lre_sched *s, struct lre_sched_job *job, struct lre_err *err);
/* Something that other threads finish (the journal's sync): `check` runs on the main thread after each wake-up. */
struct lre_sched_source {
  void (*check)(struct lre_sched_source *source);
  struct lre_sched_source *next;
};
void lre_sched_source_add(struct lre_sched *s, struct lre_sched_source *source);
void lre_sched_source_remove(struct lre_sched *s, struct lre_sched_source *source);
void lre_sched_wake(void *sched); /* thread-safe */

/* Starts a task that calls the function at the top of L with the n_args below... (function, then args, as for lua_call). Pops them,
 * pushes the task handle ("lre.task" userdata). */
void lre_sched_spawn(lua_State *L, int n_args);
/* Runs until the task whose handle is at `index` ended. */
bool lre_sched_run(lua_State *L, int index);

/* Async-signal-safe: how main.c hands signals over. 1st SIGINT/SIGTERM: `interrupted` becomes visible to Lua (drain); 2nd: cancels all
 * tasks. SIGUSR1: prints the waits. */
void lre_sched_signal(int signum);
/* "task 7 (trial x/y|none|m) waits for http api.example:443 since 12.3 s" a line a task. */
void lre_sched_dump(struct lre_sched *s, struct lre_buf *out);

/* The coroutine library, pcall and xpcall of the main state (opened into its globals). */
void lre_sched_open(lua_State *L);

#endif
