/* task.h: what the files of vm/ that make up the scheduler share. Private to vm/. */
#ifndef LRE_VM_TASK_H
#define LRE_VM_TASK_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <lauxlib.h>
#include <lua.h>

#include "core/platform.h"
#include "vm/sched.h"
#include "vm/vm.h"

/* Instructions between two looks at the clock and at the flags, where a hook is on. */
#define LRE_HOOK_STEPS 10000
/* Looks that a killed task's __close handlers get before they are killed too: a million instructions. */
#define LRE_KILL_GRACE 100

/* One sched.deadline that is being run. They nest: the task's list is innermost first. */
struct lre_deadline {
  struct lre_timer timer;
  struct lre_task *task; /* NULL once it is over */
  lua_State *L;          /* the coroutine it was called in, which cannot yield to its owner before it ended */
  struct lre_deadline *outer;
  bool fired;
};

/* A task lives in its handle's userdata, which the registry keeps while the task runs. The handle's user values: */
enum { TASK_THREAD = 1, TASK_TRACEBACK = 2, TASK_ERROR = 3, TASK_REPORT = 4 };
#define LRE_TASK_VALUES 4

struct lre_task {
  struct lre_sched *sched;
  lua_State *co; /* ended: true, results... or false, error on its stack */
  uint64_t id;
  char name[80];
  enum lre_task_state state;
  bool started;
  bool asked;      /* somebody waited for its end, or its failure was reported */
  bool cancelled;  /* for good */
  bool deadlocked; /* its next resumption raises */
  int n_fired;     /* deadlines in force that passed */
  unsigned
      kills; /* how many cancellations and fired deadlines so far: tells a protected call whether one came meanwhile */
  int grace; /* looks of the hook until a kill is raised (again) */
  struct lre_wait *wait;
  struct lre_deadline *deadlines;
  struct lre_wait *waiters; /* for its end, first come first */
  struct lre_task *next_ready;
  struct lre_task *before, *after; /* all that run, in order of spawning */
};

/* lua_resume calls of ours that are under way, innermost first; they live on the C stack. */
struct lre_resume {
  lua_State *from;
  struct lre_resume *up;
};

struct lre_sched {
  struct lre_vm *vm;
  lua_State *L; /* main thread of the state */
  struct lre_task *current;
  lua_State *volatile running; /* the innermost coroutine, for the signal handler */
  struct lre_resume *resumes;
  struct lre_task *ready_first, *ready_last;
  struct lre_task *all_first, *all_last;
  uint64_t next_id;
  size_t n_external; /* tasks in a wait that something outside can end */
  size_t n_unreported;
  struct lre_timers timers;

  struct lre_wake wake;
  atomic_bool woken;
  struct lre_http *http;
  struct lre_http_options http_options;
  char *http_strings[3];
  struct lre_http_allow http_allow;
  struct lre_pool *pool, *blocking_pool;
  size_t n_jobs;
  struct lre_sched_source *sources;

  pthread_t thread;
  volatile sig_atomic_t n_interrupts, signum, dump_wanted;
  char *notice; /* what the first interrupt says on stderr; NULL: nothing (more) */
  bool all_cancelled;
  bool exiting;
  int exit_code;
};

/* What is yielded for an engine wait; it never reaches a script. While a coroutine sits in a wait (its own or one it
 * passed on), it is on top of that coroutine's stack. */
extern const char lre_sentinel;
bool lre_task_in_wait(lua_State *co);

struct lre_sched *lre_sched_of(lua_State *L);
static inline bool lre_task_killed(const struct lre_task *t) {
  return t && (t->cancelled || t->n_fired > 0);
}
void lre_task_push_kill(lua_State *L); /* the private error object */
bool lre_task_is_kill(lua_State *L, int index);
int lre_task_raise_kill(lua_State *L, struct lre_task *t);
/* Marks the kill and takes the task out of its wait. */
void lre_task_kill(struct lre_task *t);
/* Takes the task out of its wait with an error: nothing can end the wait. */
void lre_task_deadlock(struct lre_task *t);
void lre_task_end(struct lre_task *t, enum lre_task_state state);
int lre_task_body(lua_State *L); /* the C function at the bottom of each task's coroutine */
int lre_task_record_error(lua_State *L);
void lre_task_queue(struct lre_task *t);
void lre_task_open(lua_State *L); /* the handle's metatable, the kill object */

void lre_sched_hook(lua_State *L, lua_Debug *ar);
/* Turns the count hook of a coroutine on or off, as its task needs it. */
void lre_sched_arm(lua_State *L, const struct lre_task *t);
void lre_sched_attend_signals(struct lre_sched *s);
/* lua_resume with the books kept: current coroutine, chain, hook. */
int lre_sched_resume(lua_State *co, lua_State *from, int n_args, int *n_results);
/* True where every coroutine from L down to the task can yield. */
bool lre_sched_can_wait(lua_State *L);
void lre_coroutine_reset(lua_State *co, lua_State *from); /* closes its variables */

#endif
