/* mt19937.c: require "lre.mt19937". */
#include "core/mt19937.h"
#include "bind/bind.h"

#define RANDOM_TYPE "lre.random"

static int mt19937_new(lua_State *L) {
  lua_Integer seed = luaL_checkinteger(L, 1);
  uint64_t magnitude = seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
  struct lre_mt19937 *mt = lua_newuserdatauv(L, sizeof *mt, 0);
  lre_mt19937_seed(mt, magnitude);
  luaL_setmetatable(L, RANDOM_TYPE);
  return 1;
}

static int random_random(lua_State *L) {
  lua_pushnumber(L, lre_mt19937_double(luaL_checkudata(L, 1, RANDOM_TYPE)));
  return 1;
}

static int random_below(lua_State *L) {
  struct lre_mt19937 *mt = luaL_checkudata(L, 1, RANDOM_TYPE);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, n > 0, 2, "expected an integer over 0");
  lua_pushinteger(L, (lua_Integer)lre_mt19937_below(mt, (uint64_t)n));
  return 1;
}

static int random_sample(lua_State *L) {
  struct lre_mt19937 *mt = luaL_checkudata(L, 1, RANDOM_TYPE);
  lua_Integer population = luaL_checkinteger(L, 2), n = luaL_checkinteger(L, 3);
  luaL_argcheck(L, population >= 0, 2, "expected an integer from 0");
  luaL_argcheck(L, n >= 0 && n <= population, 3, "expected an integer from 0 to the population");
  luaL_argcheck(L, (size_t)n <= SIZE_MAX / sizeof(size_t) / 2, 3, "too large");
  size_t *drawn = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *drawn, 0);
  struct lre_err err;
  if (!lre_mt19937_sample(mt, (size_t)population, (size_t)n, drawn, &err)) return lre_bind_raise(L, &err);
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 0; i < n; i++) {
    lua_pushinteger(L, (lua_Integer)drawn[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

int luaopen_lre_mt19937(lua_State *L) {
  static const luaL_Reg functions[] = {{"new", mt19937_new}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"random", random_random}, {"below", random_below}, {"sample", random_sample}, {NULL, NULL}};
  lre_bind_type(L, RANDOM_TYPE, methods, NULL);
  luaL_newlib(L, functions);
  return 1;
}
