/* task.c: the life of a task: body, end, cancellation, deadlines, the count hook. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "vm/coverage.h"
#include "vm/task.h"
#include "vm/value.h"

const char lre_sentinel = 0;
static const char kill_key = 0;

#define TASK_TYPE "lre.task"

/* ---- the kill: one error object for all, told from others by identity ---- */

static int push_kill_text(lua_State *L) {
  lua_pushliteral(L, "the task was cancelled");
  return 1;
}

void lre_task_push_kill(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kill_key);
}

bool lre_task_is_kill(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lre_task_push_kill(L);
  bool same = lua_rawequal(L, index, -1);
  lua_pop(L, 1);
  return same;
}

int lre_task_raise_kill(lua_State *L, struct lre_task *t) {
  t->grace = LRE_KILL_GRACE;
  lre_sched_arm(L, t);
  lre_task_push_kill(L);
  return lua_error(L);
}

static void leave_wait(struct lre_task *t) {
  struct lre_wait *w = t->wait;
  if (!w) return;
  t->wait = NULL;
  w->task = NULL;
  if (!w->internal) t->sched->n_external--;
  lre_timers_remove(&t->sched->timers, &w->timer);
}

void lre_task_kill(struct lre_task *t) {
  t->kills++;
  t->grace = 0;
  struct lre_wait *w = t->wait;
  if (!w) return;
  leave_wait(t);
  w->cancel(w);
  w->cancel = NULL; /* the task finds that it was stopped already */
  lre_task_queue(t);
}

void lre_task_deadlock(struct lre_task *t) {
  leave_wait(t);
  t->deadlocked = true;
  lre_task_queue(t);
}

void lre_task_cancel(lua_State *L, struct lre_task *t) {
  if (t->state != LRE_TASK_RUNNING) return;
  if (!t->cancelled) {
    t->cancelled = true;
    lre_task_kill(t);
  }
  if (t == t->sched->current) lre_task_raise_kill(L, t);
}

/* ---- waits ---- */

void lre_sched_complete(struct lre_wait *w) {
  if (w->complete) return;
  w->complete = true;
  struct lre_task *t = w->task;
  if (!t) return;
  leave_wait(t);
  lre_task_queue(t);
}

static int fail_wait(lua_State *L, const char *what) {
  return luaL_error(
      L,
      "%s: a script cannot wait inside table.sort, string.gsub, a metamethod called by C, load or the body of a "
      "required file; wait before or after it, or in a task of its own (lre.spawn)",
      what);
}

bool lre_sched_can_wait(lua_State *L) {
  struct lre_sched *s = lre_sched_of(L);
  if (!s->current || !lua_isyieldable(L)) return false;
  for (const struct lre_resume *r = s->resumes; r; r = r->up) {
    if (!lua_isyieldable(r->from)) return false;
  }
  return true;
}

void lre_sched_check_wait(lua_State *L, const char *what) {
  struct lre_task *t = lre_sched_of(L)->current;
  if (lre_task_killed(t)) lre_task_raise_kill(L, t);
  if (!lre_sched_can_wait(L)) fail_wait(L, what);
}

static void drop_wait(struct lre_sched *s, struct lre_wait *w) {
  lre_timers_remove(&s->timers, &w->timer);
  if (w->cancel) w->cancel(w);
  w->cancel = NULL;
}

static int after_wait(lua_State *L, int status, lua_KContext context) {
  (void)status;
  struct lre_wait *w = (struct lre_wait *)context;
  struct lre_sched *s = lre_sched_of(L);
  struct lre_task *t = s->current;
  if (lre_task_killed(t)) {
    drop_wait(s, w);
    return lre_task_raise_kill(L, t);
  }
  if (t->deadlocked) {
    t->deadlocked = false;
    drop_wait(s, w);
    return luaL_error(L, "deadlock: task %I (%s) waits for %s%s%s, and nothing that still runs can wake it",
                      (LUAI_UACINT)t->id, t->name, w->what, w->detail[0] ? " " : "", w->detail);
  }
  return w->push(L, w);
}

int lre_sched_wait(lua_State *L, struct lre_wait *w) {
  struct lre_sched *s = lre_sched_of(L);
  struct lre_task *t = s->current;
  if (lre_task_killed(t)) {
    drop_wait(s, w);
    return lre_task_raise_kill(L, t);
  }
  if (w->complete) return w->push(L, w);
  if (!lre_sched_can_wait(L)) {
    drop_wait(s, w);
    return fail_wait(L, w->what);
  }
  luaL_checkstack(L, 2, "too many values for a wait");
  w->task = t;
  w->since_ns = lre_clock_mono_ns();
  t->wait = w;
  if (!w->internal) s->n_external++;
  lua_pushlightuserdata(L, (void *)&lre_sentinel);
  return lua_yieldk(L, 1, (lua_KContext)w, after_wait);
}

static void complete_by_timer(struct lre_timer *timer) {
  lre_sched_complete((struct lre_wait *)((char *)timer - offsetof(struct lre_wait, timer)));
}

bool lre_sched_timer(struct lre_sched *s, struct lre_wait *w, uint64_t mono_ns, struct lre_err *err) {
  if (w->complete) return true;
  w->timer.fire = complete_by_timer;
  return lre_timers_add(&s->timers, &w->timer, mono_ns, err);
}

bool lre_task_in_wait(lua_State *co) {
  return lua_status(co) == LUA_YIELD && lua_gettop(co) > 0 && lua_islightuserdata(co, -1) &&
         lua_touserdata(co, -1) == (void *)&lre_sentinel;
}

/* ---- the hook: how a task that computes is reached ---- */

/* A count hook doubles the time of Lua code (measured: fib(32) 0.18 s to 0.41 s), so it is on only where a deadline or
 * a kill needs it; signals set it from their handler, as lua.c does. */
void lre_sched_arm(lua_State *L, const struct lre_task *t) {
  bool wanted = t && (t->deadlines || lre_task_killed(t));
  bool armed = lua_gethook(L) == lre_sched_hook;
  if (wanted && !armed)
    lua_sethook(L, lre_sched_hook, LUA_MASKCOUNT, LRE_HOOK_STEPS);
  else if (!wanted && armed)
    lre_coverage_attach(L);
}

static void fire_passed(struct lre_task *t) {
  uint64_t now = lre_clock_mono_ns();
  for (struct lre_deadline *d = t->deadlines; d; d = d->outer) {
    if (!d->fired && now >= d->timer.mono_ns) {
      lre_timers_remove(&t->sched->timers, &d->timer);
      d->timer.fire(&d->timer);
    }
  }
}

void lre_sched_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  struct lre_sched *s = lre_sched_of(L);
  struct lre_task *t = s->current;
  lre_coverage_attach(L); /* a signal's had a count of 1 */
  lre_sched_attend_signals(s);
  if (!t) return;
  fire_passed(t);
  lre_sched_arm(L, t);
  if (lre_task_killed(t) && t->grace-- <= 0) lre_task_raise_kill(L, t);
}

/* ---- deadlines ---- */

static void fire_deadline(struct lre_timer *timer) {
  struct lre_deadline *d = (struct lre_deadline *)((char *)timer - offsetof(struct lre_deadline, timer));
  if (!d->task || d->fired) return;
  d->fired = true;
  d->task->n_fired++;
  lre_task_kill(d->task);
}

static void end_deadline(struct lre_deadline *d) {
  struct lre_task *t = d->task;
  if (!t) return;
  d->task = NULL;
  lre_timers_remove(&t->sched->timers, &d->timer);
  if (d->fired) t->n_fired--;
  struct lre_deadline **link = &t->deadlines;
  while (*link && *link != d) link = &(*link)->outer;
  if (*link) *link = d->outer;
}

static int deadline_gc(lua_State *L) {
  end_deadline(lua_touserdata(L, 1));
  return 0;
}

/* Stack: 1 seconds, 2 the deadline, 3 the handler, then results or one error. */
static int after_deadline(lua_State *L, int status, lua_KContext context) {
  struct lre_deadline *d = (struct lre_deadline *)context;
  struct lre_task *t = d->task;
  if (!t) return luaL_error(L, "sched.deadline was resumed after its end");
  bool passed = d->fired;
  end_deadline(d);
  lre_sched_arm(L, t);
  if (lre_task_killed(t)) return lre_task_raise_kill(L, t);
  bool ok = status == LUA_OK || status == LUA_YIELD;
  if (ok) return lua_gettop(L) - 3; /* it came in time, or hid the kill: its results are whole */
  if (!passed) return lua_error(L);
  struct lre_err err;
  lre_err_set(&err, "limit", "deadline", "the deadline of %g s passed", lua_tonumber(L, 1));
  lua_pushnil(L);
  lre_value_push_err(L, &err);
  return 2;
}

int lre_task_deadline(lua_State *L, double seconds) {
  struct lre_task *t = lre_task_current(L);
  if (!t) return luaL_error(L, "sched.deadline: no task runs");
  if (!(seconds >= 0)) return luaL_argerror(L, 1, "seconds: expected a number that is not negative");
  if (lre_task_killed(t)) return lre_task_raise_kill(L, t);
  struct lre_deadline *d = lua_newuserdatauv(L, sizeof *d, 0);
  *d = (struct lre_deadline){.L = L, .timer.fire = fire_deadline};
  luaL_setmetatable(L, "lre.deadline");
  lua_insert(L, 2);
  lua_pushcfunction(L, lre_task_record_error);
  lua_insert(L, 3); /* seconds, deadline, handler, function, arguments */
  double ns = fmin(seconds, 1e9) * 1e9;
  struct lre_err err;
  if (!lre_timers_add(&t->sched->timers, &d->timer, lre_clock_mono_ns() + (uint64_t)ns, &err))
    return luaL_error(L, "%s", err.message);
  d->task = t;
  d->outer = t->deadlines;
  t->deadlines = d;
  lre_sched_arm(L, t);
  int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 3, (lua_KContext)d, after_deadline);
  return after_deadline(L, status, (lua_KContext)d);
}

/* ---- body and end ---- */

/* A message handler that leaves the error as it is and keeps where it came from in the task's handle. An error that
 * passes through several of our frames keeps its first traceback. */
int lre_task_record_error(lua_State *L) {
  struct lre_task *t = lre_task_current(L);
  lua_settop(L, 1);
  if (!t || lre_task_is_kill(L, 1)) return 1;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, t) != LUA_TUSERDATA) return lua_settop(L, 1), 1;
  lua_getiuservalue(L, 2, TASK_ERROR);
  if (!lua_isnil(L, 3) && lua_rawequal(L, 1, 3)) return lua_settop(L, 1), 1;
  luaL_traceback(L, L, NULL, 1);
  lua_setiuservalue(L, 2, TASK_TRACEBACK);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 2, TASK_ERROR);
  lua_settop(L, 1);
  return 1;
}

/* Stack: 1 the handler, then results or one error. */
static int after_body(lua_State *L, int status, lua_KContext context) {
  (void)context;
  lua_pushboolean(L, status == LUA_OK || status == LUA_YIELD);
  lua_replace(L, 1);
  return lua_gettop(L);
}

int lre_task_body(lua_State *L) {
  lua_pushcfunction(L, lre_task_record_error);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, after_body);
  return after_body(L, status, 0);
}

static void unlink_task(struct lre_task *t) {
  struct lre_sched *s = t->sched;
  if (t->before)
    t->before->after = t->after;
  else if (s->all_first == t)
    s->all_first = t->after;
  if (t->after)
    t->after->before = t->before;
  else if (s->all_last == t)
    s->all_last = t->before;
  t->before = t->after = NULL;
}

/* A failed task's handle gets a report, whose finalizer says the failure where nobody asked. The handle itself has no
 * finalizer: such an object lives for two collections, and trials are many. */
struct report {
  bool told;
};

static int report_gc(lua_State *L) {
  struct report *r = lua_touserdata(L, 1);
  if (r->told) return 0;
  r->told = true;
  lua_getiuservalue(L, 1, 1);
  if (lua_isstring(L, -1)) lre_vm_complain(L, lua_tostring(L, -1));
  return 0;
}

/* Protected, with the task as a light userdata. */
static int add_report(lua_State *L) {
  struct lre_task *t = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, t); /* 2: the handle */
  lua_pushvalue(t->co, 2);
  lua_xmove(t->co, L, 1); /* 3: the error */
  struct report *r = lua_newuserdatauv(L, sizeof *r, 1);
  r->told = false;
  luaL_setmetatable(L, "lre.task.report");
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 2, TASK_REPORT);
  lua_pushfstring(L, "lre: task %I (%s) failed and nobody waited for it: %s", (LUAI_UACINT)t->id, t->name,
                  luaL_tolstring(L, 3, NULL));
  lua_setiuservalue(L, 4, 1);
  return 0;
}

static void report_later(struct lre_task *t) {
  lua_State *L = t->sched->L;
  t->sched->n_unreported++;
  lua_pushcfunction(L, add_report);
  lua_pushlightuserdata(L, t);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* no memory to say it: the exit code still does */
}

/* The failure went to somebody. Stack: index of the handle. */
static void tell(lua_State *L, int index, struct lre_task *t) {
  if (t->asked) return;
  t->asked = true;
  t->sched->n_unreported--;
  lua_getiuservalue(L, index, TASK_REPORT);
  struct report *r = lua_touserdata(L, -1);
  if (r) r->told = true;
  lua_pop(L, 1);
}

void lre_task_end(struct lre_task *t, enum lre_task_state state) {
  struct lre_sched *s = t->sched;
  t->state = state;
  unlink_task(t);
  if (state == LRE_TASK_FAILED && !t->waiters)
    report_later(t);
  else
    t->asked = true;
  while (t->waiters) {
    struct lre_wait *w = t->waiters;
    t->waiters = w->next;
    lre_sched_complete(w);
  }
  lua_pushnil(s->L);
  lua_rawsetp(s->L, LUA_REGISTRYINDEX, t);
}

/* ---- waiting for a task: stack 1 the handle ---- */

struct join {
  struct lre_wait wait;
  struct lre_task *target;
};

static void cancel_join(struct lre_wait *w) {
  struct join *j = (struct join *)w;
  struct lre_wait **link = &j->target->waiters;
  while (*link && *link != w) link = &(*link)->next;
  if (*link) *link = w->next;
}

static int push_result(lua_State *L, struct lre_task *t) {
  tell(L, 1, t); /* the handle is at 1 in all who come here */
  if (t->state == LRE_TASK_CANCELLED) {
    struct lre_err err;
    lre_err_set(&err, "limit", "cancelled", "task %llu (%s) was cancelled", (unsigned long long)t->id, t->name);
    lre_value_push_err(L, &err);
    return lua_error(L);
  }
  int n = lua_gettop(t->co) - 1; /* below: true or false */
  if (!lua_checkstack(t->co, n)) return luaL_error(L, "too many results");
  luaL_checkstack(L, n, "too many results");
  for (int i = 2; i <= n + 1; i++) lua_pushvalue(t->co, i);
  lua_xmove(t->co, L, n);
  return t->state == LRE_TASK_FAILED ? lua_error(L) : n;
}

static int push_join(lua_State *L, struct lre_wait *w) {
  return push_result(L, ((struct join *)w)->target);
}

int lre_task_wait(lua_State *L) {
  struct lre_task *t = lre_task_check(L, 1);
  lua_settop(L, 1);
  if (t->state != LRE_TASK_RUNNING) return push_result(L, t);
  if (t == t->sched->current) return luaL_error(L, "a task cannot wait for its own end");
  lre_sched_check_wait(L, "task");
  struct join *j = lua_newuserdatauv(L, sizeof *j, 0);
  *j = (struct join){.wait = {.what = "task", .push = push_join, .cancel = cancel_join, .internal = true}, .target = t};
  snprintf(j->wait.detail, sizeof j->wait.detail, "%llu %.50s", (unsigned long long)t->id, t->name);
  struct lre_wait **link = &t->waiters;
  while (*link) link = &(*link)->next;
  *link = &j->wait;
  return lre_sched_wait(L, &j->wait);
}

/* ---- the handle ---- */

struct lre_task *lre_task_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, TASK_TYPE);
}

struct lre_task *lre_task_current(lua_State *L) {
  struct lre_sched *s = lre_sched_of(L);
  return s ? s->current : NULL;
}

enum lre_task_state lre_task_state(const struct lre_task *t) {
  return t->state;
}

void lre_task_name(struct lre_task *t, const char *name, size_t len) {
  size_t n = len < sizeof t->name ? len : sizeof t->name - 1; /* each trial has a name: no printf */
  memcpy(t->name, name, n);
  t->name[n] = '\0';
}

void lre_task_push_traceback(lua_State *L, int index) {
  lua_getiuservalue(L, index, TASK_TRACEBACK);
}

static void new_type(lua_State *L, const char *name, lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void lre_task_open(lua_State *L) {
  luaL_newmetatable(L, TASK_TYPE); /* without a finalizer: see struct report */
  lua_pop(L, 1);
  new_type(L, "lre.task.report", report_gc);
  new_type(L, "lre.deadline", deadline_gc);
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "limit");
  lua_setfield(L, -2, "kind");
  lua_pushliteral(L, "cancelled");
  lua_setfield(L, -2, "code");
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, push_kill_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kill_key);
}
