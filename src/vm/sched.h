/* sched.h: tasks, timers, the loop.
 *
 * A task is a coroutine. A binding that must wait fills a struct lre_wait and ends with `return lre_sched_wait(L, w)`;
 * the task is suspended by yielding a private sentinel, which coroutine.resume/wrap of ours pass on through a user's
 * own coroutines. Completion only queues the task (FIFO); only the loop resumes. A wait that is already complete when
 * lre_sched_wait is called returns at once, without yielding.
 *
 * Cancelling raises an error that pcall, xpcall, coroutine.resume and close do not swallow: at the wait the task sits
 * in, or, while it runs, at the next count hook. Its __close variables run; a wait inside them raises again at once. */
#ifndef LRE_VM_SCHED_H
#define LRE_VM_SCHED_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/http.h"
#include "core/pool.h"
#include "vm/timer.h"

struct lre_sched;
struct lre_task;
struct lre_vm;

/* One operation that one task waits for. It lives in a userdata of the binding, which stays on the C function's stack
 * while the task sleeps (so it cannot be collected); the userdata's __gc cancels what is still running. */
struct lre_wait {
  const char *what; /* static: "http", "sleep", "process", "journal", "task", "slot" */
  char detail[80];  /* for the status print: host, program, task name; no secrets */
  int (*push)(lua_State *L,
              struct lre_wait *w); /* in the task, after completion: pushes results, returns how many; may raise */
  /* Stops the operation for good: no lre_sched_complete may follow. Called, too, for a complete wait whose task was
   * cancelled before `push`: then it gives back what was granted. */
  void (*cancel)(struct lre_wait *w);
  bool internal;         /* only another task can complete it (an event, a gate's place): what a deadlock is made of */
  struct lre_wait *next; /* free for a binding's own list of waits */
  /* the scheduler's: */
  struct lre_task *task;
  uint64_t since_ns;
  bool complete;
  struct lre_timer timer;
};

/* Call as `return lre_sched_wait(L, w)`. Raises where L cannot yield ("inside table.sort, gsub, a metamethod or require
 * a script cannot wait"). */
int lre_sched_wait(lua_State *L, struct lre_wait *w);
/* The same refusal, for a binding that must not begin what it cannot wait for (a request would be paid). */
void lre_sched_check_wait(lua_State *L, const char *what);
/* Main thread only. Marks done and queues the task; harmless before lre_sched_wait was called. */
void lre_sched_complete(struct lre_wait *w);

/* A timer that completes `w` at mono_ns unless it completed before. Owned by w; removed when it completes or is
 * cancelled. */
bool lre_sched_timer(struct lre_sched *s, struct lre_wait *w, uint64_t mono_ns, struct lre_err *err);

struct lre_sched *lre_sched_new(struct lre_vm *vm, struct lre_err *err);
void lre_sched_free(struct lre_sched *s);
/* Options of the HTTP side, copied; false (code "late") where others than the bound of connections change once it is in
 * use. `secrets` is the VM's, whatever is given. */
bool lre_sched_configure_http(struct lre_sched *s, const struct lre_http_options *options, struct lre_err *err);
/* Which hosts may be asked; the scheduler owns it. */
struct lre_http_allow *lre_sched_http_allow(struct lre_sched *s);
/* Made at first use. Their completions are handled inside the loop. */
struct lre_http *lre_sched_http(struct lre_sched *s, struct lre_err *err);
struct lre_pool *lre_sched_pool(struct lre_sched *s, struct lre_err *err);
/* A pool job with its completion: `done` runs on the main thread, inside the loop (or inside lre_sched_free). A job
 * that `blocks` (waits for a child program rather than computes) goes to a pool of its own, so that it starves nobody.
 */
struct lre_sched_job {
  struct lre_job job;
  bool blocks;
  void (*done)(struct lre_sched_job *job);
};
bool lre_sched_submit(struct lre_sched *s, struct lre_sched_job *job, struct lre_err *err);
/* True where the job had not begun: it will not run, `done` is not called. */
bool lre_sched_unsubmit(struct lre_sched *s, struct lre_sched_job *job);
/* Something that other threads finish (the journal's sync): `check` runs on the main thread after each wake-up. */
struct lre_sched_source {
  void (*check)(struct lre_sched_source *source);
  struct lre_sched_source *next;
};
void lre_sched_source_add(struct lre_sched *s, struct lre_sched_source *source);
void lre_sched_source_remove(struct lre_sched *s, struct lre_sched_source *source);
void lre_sched_wake(void *sched); /* thread-safe */

/* Starts a task that calls a function: the function, then n_args arguments are on top of L, as for lua_call. Pops them,
 * pushes the task's handle ("lre.task" userdata). It runs when the loop next turns, in the order of spawning.
 *
 * A task that fails while nobody ever waits for it is reported on stderr, one line, when its handle is collected or the
 * process ends, and the process's exit code is then not 0. */
void lre_sched_spawn(lua_State *L, int n_args);
/* Runs until the task whose handle is at `index` ended; true where it is "done". Where nothing can wake any task any
 * more (no timer, no traffic, no job), this task gets an error that names what it waits for. */
bool lre_sched_run(lua_State *L, int index);
/* Cancels every task and runs them to their ends. */
void lre_sched_drain(lua_State *L);

enum lre_task_state { LRE_TASK_RUNNING, LRE_TASK_DONE, LRE_TASK_FAILED, LRE_TASK_CANCELLED };
/* The task of a handle (raises for anything else); the running task, or NULL. */
struct lre_task *lre_task_check(lua_State *L, int index);
struct lre_task *lre_task_current(lua_State *L);
enum lre_task_state lre_task_state(const struct lre_task *t);
void lre_task_name(struct lre_task *t, const char *name, size_t len);
/* Cancels; raises at once where it is the running task. Harmless for one that ended. */
void lre_task_cancel(lua_State *L, struct lre_task *t);
/* The task's results, or raises its error: `return lre_task_wait(L)` with the handle as the only value on the stack. */
int lre_task_wait(lua_State *L);
/* Calls the function at index 2 with what is above it under a deadline of `seconds`: `return lre_task_deadline(L,
 * seconds)`. */
int lre_task_deadline(lua_State *L, double seconds);
/* Pushes the traceback of a failed task, or nil. */
void lre_task_push_traceback(lua_State *L, int index);

/* Number of the first SIGINT or SIGTERM that came; 0: none. */
int lre_sched_interrupted(const struct lre_sched *s);
/* What the first SIGINT or SIGTERM from now on says on stderr, once; copied. NULL: nothing. False: no memory. */
bool lre_sched_notice(struct lre_sched *s, const char *text);
/* os.exit of the main state: cancels all tasks and raises; lre_vm_main gives the code. */
int lre_sched_exit(lua_State *L, int code);
bool lre_sched_exiting(const struct lre_sched *s, int *code);
/* Tasks that failed and that nobody asked. */
size_t lre_sched_unreported(const struct lre_sched *s);

/* Async-signal-safe: how main.c hands signals over. 1st SIGINT/SIGTERM: `interrupted` becomes visible to Lua (drain);
 * 2nd: cancels all tasks. SIGUSR1, SIGINFO: prints the waits on stderr. False where no scheduler runs. */
bool lre_sched_signal(int signum);
/* "task 7 (trial x/y|none|m) waits for http api.example:443 since 12.3 s" a line a task. */
void lre_sched_dump(struct lre_sched *s, struct lre_buf *out);

/* The coroutine library, pcall and xpcall of the main state (opened into its globals). */
void lre_sched_open(lua_State *L);

#endif
