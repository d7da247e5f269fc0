/* store.c: require "lre.store". */
#include "core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/table.h"
#include "vm/sched.h"
#include "vm/vm.h"

#define STORE_TYPE  "lre.store"
#define WALK_TYPE   "lre.store.walk"
#define UPDATE_TYPE "lre.store.update"

/* So many problems of a journal are given one by one; the rest is counted. */
enum { MAX_PROBLEMS = 100 };

/* What a thread that updates the index shares with the handle: closing waits for it. The last of the two frees it. */
struct shared {
  pthread_mutex_t mutex;
  struct lre_store *store; /* NULL: closed */
  int references;          /* the main thread's */
  bool updating;           /* the main thread's: the index is the other thread's */
};

struct store {
  struct shared *shared; /* NULL: never opened */
};

static void release_shared(struct shared *s) {
  if (!s || --s->references > 0) return;
  pthread_mutex_destroy(&s->mutex);
  free(s);
}

static int store_open(lua_State *L) {
  const char *path = luaL_optstring(L, 1, NULL);
  struct lre_err err;
  struct store *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->shared = NULL;
  luaL_setmetatable(L, STORE_TYPE);
  s->shared = calloc(1, sizeof *s->shared);
  if (!s->shared) return lre_err_memory(&err), lre_bind_fail(L, &err);
  pthread_mutex_init(&s->shared->mutex, NULL);
  s->shared->references = 1;
  s->shared->store = lre_store_open(path, &err);
  return s->shared->store ? 1 : lre_bind_fail(L, &err);
}

static int store_gc(lua_State *L) {
  struct store *s = luaL_checkudata(L, 1, STORE_TYPE);
  if (!s->shared) return 0;
  pthread_mutex_lock(&s->shared->mutex);
  lre_store_close(s->shared->store);
  s->shared->store = NULL;
  pthread_mutex_unlock(&s->shared->mutex);
  release_shared(s->shared);
  s->shared = NULL;
  return 0;
}

static int store_close(lua_State *L) {
  return store_gc(L);
}

static struct shared *check_shared(lua_State *L, int index) {
  struct store *s = luaL_checkudata(L, index, STORE_TYPE);
  if (!s->shared) luaL_error(L, "the index is closed");
  if (s->shared->updating) luaL_error(L, "the index is being brought up to date");
  return s->shared;
}

static struct lre_store *check_store(lua_State *L) {
  return check_shared(L, 1)->store;
}

/* ---- update ---- */

struct problem {
  uint64_t number;
  struct lre_err err;
};

/* What the thread works on: its own memory, for the task may be gone before the update is. Freed by the main thread. */
struct work {
  struct lre_sched_job job;
  struct update *owner; /* NULL: nobody waits any more */
  struct shared *shared;
  char *journal;
  struct lre_buf problems; /* struct problem */
  size_t n_problems;
  struct lre_err err;
  bool rebuilt, ok;
};

struct update {
  struct lre_wait wait;
  struct lre_sched *sched;
  struct work *work; /* NULL: never begun, or given up */
};

static void free_work(struct work *w) {
  release_shared(w->shared);
  lre_buf_free(&w->problems);
  free(w->journal);
  free(w);
}

static void note_problem(void *ud, uint64_t number, const struct lre_err *err) {
  struct work *w = ud;
  struct problem one = {number, *err};
  if (w->n_problems++ < MAX_PROBLEMS) lre_buf_put(&w->problems, &one, sizeof one);
}

static void run_update(struct lre_job *job) {
  struct work *w = (struct work *)job;
  pthread_mutex_lock(&w->shared->mutex);
  struct lre_store *s = w->shared->store;
  if (s)
    w->ok = lre_store_update(s, w->journal, note_problem, w, &w->rebuilt, &w->err);
  else
    lre_err_set(&w->err, "io", "closed", "the index was closed");
  pthread_mutex_unlock(&w->shared->mutex);
}

static void end_update(struct lre_sched_job *job) {
  struct work *w = (struct work *)job;
  w->shared->updating = false;
  if (w->owner)
    lre_sched_complete(&w->owner->wait);
  else
    free_work(w);
}

static void give_up(struct update *u) {
  struct work *w = u->work;
  if (!w) return;
  u->work = NULL;
  w->owner = NULL;
  if (u->wait.complete) { /* the thread is done with it */
    free_work(w);
  } else if (lre_sched_unsubmit(u->sched, &w->job)) {
    w->shared->updating = false;
    free_work(w);
  }
}

static void cancel_update(struct lre_wait *wait) {
  give_up((struct update *)wait);
}

static int update_gc(lua_State *L) {
  give_up(luaL_checkudata(L, 1, UPDATE_TYPE));
  return 0;
}

static void push_problems(lua_State *L, const struct work *w) {
  size_t n = w->problems.len / sizeof(struct problem);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    struct problem one;
    memcpy(&one, w->problems.data + i * sizeof one, sizeof one);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, (lua_Integer)one.number);
    lua_setfield(L, -2, "line");
    lre_bind_push_err(L, &one.err);
    lua_setfield(L, -2, "err");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, name);
}

static int push_update(lua_State *L, struct lre_wait *wait) {
  struct update *u = (struct update *)wait;
  const struct work *w = u->work;
  if (!w->ok) return lre_bind_fail(L, &w->err);
  lua_createtable(L, 0, 3);
  set_count(L, "n_problems", w->n_problems);
  lua_pushboolean(L, w->rebuilt);
  lua_setfield(L, -2, "rebuilt");
  push_problems(L, w);
  lua_setfield(L, -2, "problems");
  give_up(u);
  return 1;
}

static struct work *new_work(struct shared *shared, const char *journal) {
  struct work *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  *w = (struct work){
      .job = {.job.run = run_update, .blocks = true, .done = end_update}, .journal = strdup(journal), .shared = shared};
  lre_buf_init(&w->problems);
  shared->references++;
  if (w->journal) return w;
  free_work(w);
  return NULL;
}

static int store_update(lua_State *L) {
  struct shared *shared = check_shared(L, 1);
  const char *journal = luaL_checkstring(L, 2);
  struct lre_err err;
  lre_sched_check_wait(L, "index:update");
  struct update *u = lua_newuserdatauv(L, sizeof *u, 0);
  *u = (struct update){.wait = {.what = "index", .push = push_update, .cancel = cancel_update}};
  luaL_setmetatable(L, UPDATE_TYPE);
  u->sched = lre_vm_sched(lre_context_get(L)->vm);
  struct work *w = new_work(shared, journal); /* from here to its submission nothing raises */
  bool ok = w ? lre_sched_submit(u->sched, &w->job, &err) : lre_err_memory(&err);
  if (!ok) {
    if (w) free_work(w);
    return lre_bind_fail(L, &err);
  }
  w->owner = u;
  u->work = w;
  shared->updating = true;
  return lre_sched_wait(L, &u->wait);
}

static int store_count(lua_State *L) {
  struct lre_store_counts counts;
  struct lre_err err;
  if (!lre_store_count(check_store(L), &counts, &err)) return lre_bind_fail(L, &err);
  lua_createtable(L, 0, 4);
  set_count(L, "done", counts.done);
  set_count(L, "failed", counts.failed);
  set_count(L, "verdicts", counts.verdicts);
  set_count(L, "lines", counts.lines);
  return 1;
}

static int store_answered(lua_State *L) {
  struct lre_store *s = check_store(L);
  const char *journal = luaL_checkstring(L, 2);
  struct lre_err err;
  struct lre_set *set = lre_bind_set_new(L, (size_t)luaL_optinteger(L, 3, 0));
  return lre_store_answered(s, journal, set, &err) ? 1 : lre_bind_fail(L, &err);
}

/* ---- the table ---- */

static const char *text_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_tostring(L, -1);
  if (!text) luaL_error(L, "%s: expected a string", name);
  return text; /* stays on the stack */
}

/* The list of strings in a field as an array that lives on the stack. */
static const char *const *text_list(lua_State *L, int index, const char *name, size_t *n) {
  lua_getfield(L, index, name);
  if (!lua_istable(L, -1)) luaL_error(L, "%s: expected a list", name);
  *n = (size_t)lua_rawlen(L, -1);
  const char **list = lua_newuserdatauv(L, (*n + 1) * sizeof *list, 0);
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    list[i] = lua_tostring(L, -1);
    if (!list[i]) luaL_error(L, "%s: expected a list of strings", name);
    lua_pop(L, 1); /* the list holds it */
  }
  return list;
}

static const struct lre_table_judge *judge_list(lua_State *L, int index, size_t *n) {
  lua_getfield(L, index, "judges");
  if (!lua_istable(L, -1)) luaL_error(L, "judges: expected a list");
  *n = (size_t)lua_rawlen(L, -1);
  struct lre_table_judge *list = lua_newuserdatauv(L, (*n + 1) * sizeof *list, 0);
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    int judge = lua_gettop(L);
    list[i] = (struct lre_table_judge){text_field(L, judge, "name"), text_field(L, judge, "hash")};
    lua_settop(L, judge - 1); /* the judge's table holds them */
  }
  return list;
}

static int store_table(lua_State *L) {
  struct lre_store *s = check_store(L);
  struct lre_table_spec spec;
  struct lre_err err;
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkstack(L, 16, NULL);
  const char *journal = text_field(L, 2, "journal"), *csv = text_field(L, 2, "csv");
  const char *parquet = text_field(L, 2, "parquet");
  spec.left_out = text_list(L, 2, "left_out", &spec.n_left_out);
  spec.left_out_verdict = text_list(L, 2, "left_out_verdict", &spec.n_left_out_verdict);
  spec.judges = judge_list(L, 2, &spec.n_judges);
  if (!lre_table_write(s, journal, &spec, csv, parquet, &err)) return lre_bind_fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- rows in the order of their keys ---- */

struct walk {
  struct lre_store_walk *walk; /* NULL: ended */
  struct shared *shared;       /* its index's: the walk may be the last that is collected */
  int fd;
};

/* As closing the index, it waits for an update: they have one connection. */
static int walk_gc(lua_State *L) {
  struct walk *w = luaL_checkudata(L, 1, WALK_TYPE);
  if (w->walk) {
    pthread_mutex_lock(&w->shared->mutex);
    lre_store_walk_close(w->walk);
    pthread_mutex_unlock(&w->shared->mutex);
  }
  release_shared(w->shared);
  if (w->fd >= 0) close(w->fd);
  *w = (struct walk){.fd = -1};
  return 0;
}

static void push_line(lua_State *L, int fd, struct lre_store_place place) {
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, (size_t)place.size);
  size_t got = 0;
  while (got < place.size) {
    ssize_t n = pread(fd, to + got, (size_t)place.size - got, (off_t)(place.at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) luaL_error(L, "cannot read the journal");
    got += (size_t)n;
  }
  luaL_pushresultsize(&b, got);
}

static int by_place(const void *a, const void *b) {
  const struct lre_store_verdict *x = a, *y = b;
  return (x->place.at > y->place.at) - (x->place.at < y->place.at);
}

static int next_trial(lua_State *L) {
  struct walk *w = lua_touserdata(L, lua_upvalueindex(1));
  struct lre_store_trial trial;
  struct lre_err err;
  if (!w->walk) return 0;
  lua_getiuservalue(L, lua_upvalueindex(1), 1);
  check_shared(L, -1);
  lua_settop(L, 0);
  int got = lre_store_walk_next(w->walk, &trial, &err);
  if (got < 0) return lre_bind_raise(L, &err);
  if (got == 0) return 0;
  push_line(L, w->fd, trial.place);
  lua_createtable(L, (int)trial.n_verdicts, 0);
  struct lre_store_verdict *verdicts = lua_newuserdatauv(L, (trial.n_verdicts + 1) * sizeof *verdicts, 0);
  lua_insert(L, -2);
  if (trial.n_verdicts) memcpy(verdicts, trial.verdicts, trial.n_verdicts * sizeof *verdicts);
  qsort(verdicts, trial.n_verdicts, sizeof *verdicts, by_place);
  for (size_t i = 0; i < trial.n_verdicts; i++) {
    push_line(L, w->fd, verdicts[i].place);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_remove(L, -2); /* the copy */
  return 2;
}

static int store_trials(lua_State *L) {
  struct shared *shared = check_shared(L, 1);
  const char *journal = luaL_checkstring(L, 2);
  struct lre_err err;
  struct walk *w = lua_newuserdatauv(L, sizeof *w, 1);
  *w = (struct walk){.shared = shared, .fd = -1};
  shared->references++;
  luaL_setmetatable(L, WALK_TYPE);
  lua_pushvalue(L, 1); /* the index lives as long as its walk */
  lua_setiuservalue(L, -2, 1);
  w->fd = open(journal, O_RDONLY | O_CLOEXEC);
  if (w->fd < 0) {
    lre_err_errno(&err, errno, "cannot open %s", journal);
    return lre_bind_fail(L, &err);
  }
  w->walk = lre_store_walk_open(shared->store, &err);
  if (!w->walk) return lre_bind_fail(L, &err);
  lua_pushcclosure(L, next_trial, 1);
  return 1;
}

int luaopen_lre_store(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", store_open}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"update", store_update},
                                     {"count", store_count},
                                     {"answered", store_answered},
                                     {"table", store_table},
                                     {"trials", store_trials},
                                     {"close", store_close},
                                     {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, STORE_TYPE, methods, store_gc);
  lre_bind_type(L, WALK_TYPE, none, walk_gc);
  lre_bind_type(L, UPDATE_TYPE, none, update_gc);
  luaL_newlib(L, functions);
  return 1;
}
