/* sched.c: require "lre.sched". Gates and events are lists of waits; the tasks themselves are vm/'s. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "core/clock.h"
#include "vm/sched.h"
#include "vm/vm.h"

#define GATE_TYPE  "lre.gate"
#define PLACE_TYPE "lre.place"
#define EVENT_TYPE "lre.event"

static struct lre_sched *sched_of(lua_State *L) {
  return lre_vm_sched(lre_context_get(L)->vm);
}

/* ---- tasks ---- */

static int sched_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lre_sched_spawn(L, lua_gettop(L) - 1);
  return 1;
}

static int task_cancel(lua_State *L) {
  lre_task_cancel(L, lre_task_check(L, 1));
  return 0;
}

static int task_status(lua_State *L) {
  static const char *const names[] = {"running", "done", "failed", "cancelled"};
  lua_pushstring(L, names[lre_task_state(lre_task_check(L, 1))]);
  return 1;
}

static int sched_name(lua_State *L) {
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  struct lre_task *t = lre_task_current(L);
  if (t) lre_task_name(t, name, len);
  return 0;
}

static int sched_interrupted(lua_State *L) {
  int signum = lre_sched_interrupted(sched_of(L));
  lua_pushboolean(L, signum != 0);
  if (!signum) return 1;
  lua_pushinteger(L, signum);
  return 2;
}

static int sched_notice(lua_State *L) {
  if (!lre_sched_notice(sched_of(L), luaL_optstring(L, 1, NULL))) return luaL_error(L, "not enough memory");
  return 0;
}

static double check_seconds(lua_State *L, int index) {
  double seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, seconds >= 0, index, "seconds: expected a number that is not negative");
  return fmin(seconds, 1e9);
}

static int sched_deadline(lua_State *L) {
  double seconds = check_seconds(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  return lre_task_deadline(L, seconds);
}

/* ---- sleep ---- */

static int push_nothing(lua_State *L, struct lre_wait *w) {
  (void)L;
  (void)w;
  return 0;
}

static void cancel_nothing(struct lre_wait *w) {
  (void)w;
}

static int sched_sleep(lua_State *L) {
  double seconds = check_seconds(L, 1);
  lre_sched_check_wait(L, "sleep");
  struct lre_wait *w = lua_newuserdatauv(L, sizeof *w, 0);
  *w = (struct lre_wait){.what = "sleep", .push = push_nothing, .cancel = cancel_nothing};
  snprintf(w->detail, sizeof w->detail, "of %g s", seconds);
  struct lre_err err;
  if (!lre_sched_timer(sched_of(L), w, lre_clock_mono_ns() + (uint64_t)(seconds * 1e9), &err))
    return lre_bind_raise(L, &err);
  return lre_sched_wait(L, w);
}

/* ---- lists of waits, first come first ---- */

static void append(struct lre_wait **list, struct lre_wait *w) {
  while (*list) list = &(*list)->next;
  w->next = NULL;
  *list = w;
}

static void unlink_wait(struct lre_wait **list, struct lre_wait *w) {
  while (*list && *list != w) list = &(*list)->next;
  if (*list) *list = w->next;
}

/* ---- gates: a place refers to its gate by a user value ---- */

struct gate {
  lua_Integer limit, held;
  struct lre_wait *first, *last; /* who waits for a place; with both ends, for thousands may */
};

struct place {
  struct lre_wait wait;
  struct gate *gate; /* NULL: left, or never got */
  bool held;
  struct lre_wait *before; /* in the gate's queue, so that one can leave it at once */
};

static void queue_place(struct gate *g, struct place *p) {
  p->before = g->last;
  p->wait.next = NULL;
  if (g->last)
    g->last->next = &p->wait;
  else
    g->first = &p->wait;
  g->last = &p->wait;
}

static void unqueue_place(struct gate *g, struct place *p) {
  struct place *after = (struct place *)p->wait.next;
  if (p->before)
    p->before->next = p->wait.next;
  else
    g->first = p->wait.next;
  if (after)
    after->before = p->before;
  else
    g->last = p->before;
  p->before = p->wait.next = NULL;
}

static void admit(struct gate *g) {
  while (g->first && g->held < g->limit) {
    struct place *p = (struct place *)g->first;
    unqueue_place(g, p);
    p->held = true;
    g->held++;
    lre_sched_complete(&p->wait);
  }
}

static void leave_place(struct place *p) {
  struct gate *g = p->gate;
  if (!g) return;
  p->gate = NULL;
  if (p->held)
    g->held--;
  else
    unqueue_place(g, p);
  p->held = false;
  admit(g);
}

static void cancel_place(struct lre_wait *w) {
  leave_place((struct place *)w);
}

static int push_place(lua_State *L, struct lre_wait *w) {
  (void)w;
  lua_settop(L, 2); /* gate, place */
  return 1;
}

static struct gate *check_gate(lua_State *L) {
  return luaL_checkudata(L, 1, GATE_TYPE);
}

static int gate_enter(lua_State *L) {
  struct gate *g = check_gate(L);
  lua_settop(L, 1);
  bool at_once = !g->first && g->held < g->limit;
  if (!at_once) lre_sched_check_wait(L, "gate:enter");
  struct place *p = lua_newuserdatauv(L, sizeof *p, 1);
  *p = (struct place){.wait = {.what = "slot", .push = push_place, .cancel = cancel_place, .internal = true}};
  luaL_setmetatable(L, PLACE_TYPE);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 2, 1);
  snprintf(p->wait.detail, sizeof p->wait.detail, "in a gate of %lld", (long long)g->limit);
  p->gate = g;
  queue_place(g, p);
  admit(g);
  return lre_sched_wait(L, &p->wait);
}

static int gate_resize(lua_State *L) {
  struct gate *g = check_gate(L);
  lua_Integer limit = luaL_checkinteger(L, 2);
  luaL_argcheck(L, limit >= 0, 2, "limit: expected an integer from 0");
  g->limit = limit;
  admit(g);
  return 0;
}

static int sched_gate(lua_State *L) {
  lua_Integer limit = luaL_checkinteger(L, 1);
  luaL_argcheck(L, limit >= 0, 1, "limit: expected an integer from 0");
  struct gate *g = lua_newuserdatauv(L, sizeof *g, 0);
  *g = (struct gate){.limit = limit};
  luaL_setmetatable(L, GATE_TYPE);
  return 1;
}

static int place_leave(lua_State *L) {
  leave_place(luaL_checkudata(L, 1, PLACE_TYPE));
  return 0;
}

/* ---- events: what was set is in the event's user value, a list with n ---- */

struct event {
  bool set;
  struct lre_wait *waiters;
};

struct listener {
  struct lre_wait wait;
  struct event *event;
};

static void cancel_listener(struct lre_wait *w) {
  struct listener *l = (struct listener *)w;
  unlink_wait(&l->event->waiters, w);
}

/* Stack: 1 the event. */
static int push_event(lua_State *L, struct lre_wait *w) {
  (void)w;
  lua_getiuservalue(L, 1, 1);
  int values = lua_gettop(L);
  lua_getfield(L, values, "n");
  int n = (int)lua_tointeger(L, -1);
  luaL_checkstack(L, n, "too many values");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, values, i);
  return n;
}

static int event_wait(lua_State *L) {
  struct event *e = luaL_checkudata(L, 1, EVENT_TYPE);
  lua_settop(L, 1);
  if (e->set) return push_event(L, NULL);
  lre_sched_check_wait(L, "event:wait");
  struct listener *l = lua_newuserdatauv(L, sizeof *l, 0);
  *l = (struct listener){.wait = {.what = "event", .push = push_event, .cancel = cancel_listener, .internal = true},
                         .event = e};
  append(&e->waiters, &l->wait);
  return lre_sched_wait(L, &l->wait);
}

static int event_set(lua_State *L) {
  struct event *e = luaL_checkudata(L, 1, EVENT_TYPE);
  if (e->set) return luaL_error(L, "event:set: the event was set already");
  int n = lua_gettop(L) - 1;
  lua_createtable(L, n, 1);
  lua_insert(L, 2);
  for (int i = n; i >= 1; i--) lua_rawseti(L, 2, i);
  lua_pushinteger(L, n);
  lua_setfield(L, 2, "n");
  lua_setiuservalue(L, 1, 1);
  e->set = true;
  while (e->waiters) {
    struct lre_wait *w = e->waiters;
    e->waiters = w->next;
    lre_sched_complete(w);
  }
  return 0;
}

static int sched_event(lua_State *L) {
  struct event *e = lua_newuserdatauv(L, sizeof *e, 1);
  *e = (struct event){0};
  luaL_setmetatable(L, EVENT_TYPE);
  return 1;
}

int luaopen_lre_sched(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"spawn", sched_spawn}, {"sleep", sched_sleep}, {"deadline", sched_deadline},       {"gate", sched_gate},
      {"event", sched_event}, {"name", sched_name},   {"interrupted", sched_interrupted}, {"notice", sched_notice},
      {NULL, NULL},
  };
  static const luaL_Reg task_methods[] = {
      {"wait", lre_task_wait}, {"cancel", task_cancel}, {"status", task_status}, {NULL, NULL}};
  static const luaL_Reg gate_methods[] = {{"enter", gate_enter}, {"resize", gate_resize}, {NULL, NULL}};
  static const luaL_Reg place_methods[] = {{"leave", place_leave}, {NULL, NULL}};
  static const luaL_Reg event_methods[] = {{"set", event_set}, {"wait", event_wait}, {NULL, NULL}};
  lre_bind_type(L, GATE_TYPE, gate_methods, NULL);
  lre_bind_type(L, PLACE_TYPE, place_methods, place_leave);
  lre_bind_type(L, EVENT_TYPE, event_methods, NULL);
  luaL_getmetatable(L, "lre.task"); /* made by vm/: its methods are here */
  luaL_newlib(L, task_methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
