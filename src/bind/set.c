/* set.c: require "lre.set". */
#include "core/set.h"
#include "bind/bind.h"
#include "core/hash.h"

#define SET_TYPE "lre.set"

struct set {
  struct lre_set *set;
};

static int set_gc(lua_State *L) {
  struct set *s = luaL_checkudata(L, 1, SET_TYPE);
  if (s->set) lre_set_free(s->set);
  s->set = NULL;
  return 0;
}

static struct lre_set *check_set(lua_State *L) {
  struct set *s = luaL_checkudata(L, 1, SET_TYPE);
  if (!s->set) luaL_error(L, "the set is closed");
  return s->set;
}

static uint64_t key_of(lua_State *L, int index) {
  size_t len;
  const char *s = luaL_checklstring(L, index, &len);
  uint64_t key = 0;
  if (!lre_hash_u64(s, len, &key)) luaL_error(L, "SHA-256 is not available from OpenSSL");
  return key;
}

static int set_add(lua_State *L) {
  int added = lre_set_add(check_set(L), key_of(L, 2));
  if (added < 0) return luaL_error(L, "not enough memory");
  lua_pushboolean(L, added);
  return 1;
}

static int set_has(lua_State *L) {
  lua_pushboolean(L, lre_set_has(check_set(L), key_of(L, 2)));
  return 1;
}

static int set_count(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lre_set_count(check_set(L)));
  return 1;
}

struct lre_set *lre_bind_set_new(lua_State *L, size_t expected) {
  static const luaL_Reg methods[] = {{"add", set_add}, {"has", set_has}, {"count", set_count}, {NULL, NULL}};
  lre_bind_type(L, SET_TYPE, methods, set_gc);
  struct set *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->set = NULL;
  luaL_setmetatable(L, SET_TYPE);
  s->set = lre_set_new(expected);
  if (!s->set) luaL_error(L, "not enough memory");
  return s->set;
}

static int set_new(lua_State *L) {
  lua_Integer expected = luaL_optinteger(L, 1, 0);
  luaL_argcheck(L, expected >= 0, 1, "expected an integer from 0");
  lre_bind_set_new(L, (size_t)expected);
  return 1;
}

int luaopen_lre_set(lua_State *L) {
  static const luaL_Reg functions[] = {{"new", set_new}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
