/* bind.c: see bind.h. */
#include "bind/bind.h"

#include <stdbool.h>
#include <string.h>

#include "core/buf.h"
#include "vm/value.h"

void lre_bind_push_err(lua_State *L, const struct lre_err *err) {
  lre_value_push_err(L, err);
}

int lre_bind_fail(lua_State *L, const struct lre_err *err) {
  lua_pushnil(L);
  lre_bind_push_err(L, err);
  return 2;
}

int lre_bind_raise(lua_State *L, const struct lre_err *err) {
  lre_bind_push_err(L, err);
  return lua_error(L);
}

static bool is_among(const char *name, const char *const *names) {
  while (*names && strcmp(*names, name) != 0) names++;
  return *names != NULL;
}

void lre_bind_check_fields(lua_State *L, int index, const char *what, const char *const *names) {
  luaL_checkstack(L, 4, NULL);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING && !is_among(lua_tostring(L, -1), names))
      luaL_error(L, "%s: unknown field '%s'", what, lua_tostring(L, -1));
  }
}

int lre_bind_doc_gc(lua_State *L) {
  struct lre_bind_doc *d = lua_touserdata(L, 1);
  if (d->open) lre_json_free(&d->doc);
  d->open = false;
  return 0;
}

static int buf_gc(lua_State *L) {
  lre_buf_free(lua_touserdata(L, 1));
  return 0;
}

void *lre_bind_spare_take(lua_State *L, const void *key) {
  luaL_checkstack(L, 4, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) != LUA_TUSERDATA) return lua_pop(L, 1), NULL;
  lua_pushboolean(L, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  return lua_touserdata(L, -1);
}

void lre_bind_spare_give(lua_State *L, int index, const void *key) {
  lua_pushvalue(L, index);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static const char buf_key = 0;

/* A spare keeps this much memory. */
#define SPARE_BYTES 65536

struct lre_buf *lre_bind_buf(lua_State *L) {
  struct lre_buf *b = lre_bind_spare_take(L, &buf_key);
  if (b) {
    lre_buf_clear(b);
    return b;
  }
  b = lua_newuserdatauv(L, sizeof *b, 0);
  lre_buf_init(b);
  if (luaL_newmetatable(L, "lre.buf")) {
    lua_pushcfunction(L, buf_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, buf_gc);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  return b;
}

int lre_bind_push_buf(lua_State *L, struct lre_buf *b) {
  if (b->failed) {
    struct lre_err err;
    lre_err_memory(&err);
    return lre_bind_raise(L, &err);
  }
  int top = lua_gettop(L);
  lua_pushlstring(L, b->data ? b->data : "", b->len);
  if (b->cap > SPARE_BYTES) lre_buf_free(b); /* not at some later collection: a body may be large */
  for (int i = top; i > 0; i--) {
    if (lua_touserdata(L, i) != b) continue;
    lre_bind_spare_give(L, i, &buf_key);
    return 1;
  }
  lre_buf_free(b); /* one that is part of something else */
  return 1;
}

/* Metamethods into the metatable on the top, the others into a table of their own: were they one, a script would reach
 * the metatable as `handle.__index` and could change it for every row, or give it a __gc in Lua. */
static void set_methods(lua_State *L, const luaL_Reg *methods) {
  lua_newtable(L);
  for (const luaL_Reg *m = methods; m->name; m++) {
    lua_pushcfunction(L, m->func);
    lua_setfield(L, m->name[0] == '_' ? -3 : -2, m->name);
  }
  lua_setfield(L, -2, "__index");
}

void lre_bind_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc) {
  if (luaL_newmetatable(L, name)) {
    set_methods(L, methods);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (gc) {
      lua_pushcfunction(L, gc);
      lua_setfield(L, -2, "__gc");
      lua_pushcfunction(L, gc);
      lua_setfield(L, -2, "__close");
    }
  }
  lua_pop(L, 1);
}

static void preload(lua_State *L, const luaL_Reg *modules) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, modules, 0);
  lua_pop(L, 1);
}

static const luaL_Reg pure[] = {
    {"lre.json", luaopen_lre_json}, {"lre.regex", luaopen_lre_regex}, {"lre.stats", luaopen_lre_stats},
    {"lre.text", luaopen_lre_text}, {"lre.hash", luaopen_lre_hash},   {NULL, NULL},
};

void lre_bind_preload_pure(lua_State *L) {
  preload(L, pure);
}

void lre_bind_preload(lua_State *L) {
  static const luaL_Reg others[] = {
      {"lre.clock", luaopen_lre_clock},
      {"lre.mt19937", luaopen_lre_mt19937},
      {"lre.csv", luaopen_lre_csv},
      {"lre.set", luaopen_lre_set},
      {"lre.store", luaopen_lre_store},
      {"lre.fs", luaopen_lre_fs},
      {"lre.journal", luaopen_lre_journal},
      {"lre.http", luaopen_lre_http},
      {"lre.process", luaopen_lre_process},
      {"lre.sched", luaopen_lre_sched},
      {"lre.serve", luaopen_lre_serve},
      {"lre.sandbox", luaopen_lre_sandbox},
      {"lre.platform", luaopen_lre_platform},
      {"lre.infer", luaopen_lre_infer},
      {"lre.writer", luaopen_lre_writer},
      {"lre.suite_row", luaopen_lre_suite_row},
      {NULL, NULL},
  };
  preload(L, pure);
  preload(L, others);
}
