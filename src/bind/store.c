/* store.c: require "lre.store". */
#include "core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/table.h"

#define STORE_TYPE "lre.store"
#define WALK_TYPE  "lre.store.walk"

/* So many problems of a journal are given one by one; the rest is counted. */
enum { MAX_PROBLEMS = 100 };

struct store {
  struct lre_store *store; /* NULL: closed */
};

static int store_open(lua_State *L) {
  const char *path = luaL_optstring(L, 1, NULL);
  struct lre_err err;
  struct store *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->store = NULL;
  luaL_setmetatable(L, STORE_TYPE);
  s->store = lre_store_open(path, &err);
  return s->store ? 1 : lre_bind_fail(L, &err);
}

static int store_gc(lua_State *L) {
  struct store *s = luaL_checkudata(L, 1, STORE_TYPE);
  lre_store_close(s->store);
  s->store = NULL;
  return 0;
}

static int store_close(lua_State *L) {
  return store_gc(L);
}

static struct lre_store *check_store(lua_State *L) {
  struct store *s = luaL_checkudata(L, 1, STORE_TYPE);
  if (!s->store) luaL_error(L, "the index is closed");
  return s->store;
}

/* ---- update ---- */

struct problems {
  struct lre_buf *list; /* struct problem */
  size_t n;
};

struct problem {
  uint64_t number;
  struct lre_err err;
};

static void note_problem(void *ud, uint64_t number, const struct lre_err *err) {
  struct problems *p = ud;
  struct problem one = {number, *err};
  if (p->n++ < MAX_PROBLEMS) lre_buf_put(p->list, &one, sizeof one);
}

static void push_problems(lua_State *L, const struct problems *p) {
  size_t n = p->list->len / sizeof(struct problem);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    struct problem one;
    memcpy(&one, p->list->data + i * sizeof one, sizeof one);
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

static int store_update(lua_State *L) {
  struct lre_store *s = check_store(L);
  const char *journal = luaL_checkstring(L, 2);
  struct problems problems = {.list = lre_bind_buf(L)};
  struct lre_store_counts counts;
  struct lre_err err;
  bool rebuilt;
  if (!lre_store_update(s, journal, note_problem, &problems, &rebuilt, &err) || !lre_store_count(s, &counts, &err))
    return lre_bind_fail(L, &err);
  lua_createtable(L, 0, 7);
  set_count(L, "done", counts.done);
  set_count(L, "failed", counts.failed);
  set_count(L, "verdicts", counts.verdicts);
  set_count(L, "lines", counts.lines);
  set_count(L, "n_problems", problems.n);
  lua_pushboolean(L, rebuilt);
  lua_setfield(L, -2, "rebuilt");
  push_problems(L, &problems);
  lua_setfield(L, -2, "problems");
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
  int fd;
};

static int walk_gc(lua_State *L) {
  struct walk *w = luaL_checkudata(L, 1, WALK_TYPE);
  lre_store_walk_close(w->walk);
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
  struct store *s = lua_touserdata(L, -1);
  if (!s->store) return luaL_error(L, "the index is closed");
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
  struct lre_store *s = check_store(L);
  const char *journal = luaL_checkstring(L, 2);
  struct lre_err err;
  struct walk *w = lua_newuserdatauv(L, sizeof *w, 1);
  *w = (struct walk){.fd = -1};
  luaL_setmetatable(L, WALK_TYPE);
  lua_pushvalue(L, 1); /* the index lives as long as its walk */
  lua_setiuservalue(L, -2, 1);
  w->fd = open(journal, O_RDONLY | O_CLOEXEC);
  if (w->fd < 0) {
    lre_err_errno(&err, errno, "cannot open %s", journal);
    return lre_bind_fail(L, &err);
  }
  w->walk = lre_store_walk_open(s, &err);
  if (!w->walk) return lre_bind_fail(L, &err);
  lua_pushcclosure(L, next_trial, 1);
  return 1;
}

int luaopen_lre_store(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", store_open}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"update", store_update}, {"answered", store_answered}, {"table", store_table},
                                     {"trials", store_trials}, {"close", store_close},       {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, STORE_TYPE, methods, store_gc);
  lre_bind_type(L, WALK_TYPE, none, walk_gc);
  luaL_newlib(L, functions);
  return 1;
}
