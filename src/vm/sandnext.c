/* sandnext.c: next and pairs in one order on every machine: numbers by value, then strings by bytes, then false and
 * true. */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vm/freeze.h"
#include "vm/sandbox_state.h"

struct key {
  int type; /* LUA_TNUMBER, LUA_TSTRING or LUA_TBOOLEAN */
  bool is_float;
  lua_Integer integer; /* also the boolean */
  lua_Number number;
  const char *s; /* anchored by the table that holds it */
  size_t len;
  lua_Integer at; /* its place among the collected keys */
};

static int rank(int type) {
  return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2;
}

/* A float that is a key is no integer of 64 bits, so the two are never equal. */
static int compare_integer_float(lua_Integer i, lua_Number f) {
  if (f >= 9223372036854775808.0) return -1;
  if (f < -9223372036854775808.0) return 1;
  return i <= (lua_Integer)floor(f) ? -1 : 1;
}

static int compare_numbers(const struct key *a, const struct key *b) {
  if (!a->is_float && !b->is_float) return a->integer < b->integer ? -1 : a->integer > b->integer;
  if (a->is_float && b->is_float) return a->number < b->number ? -1 : a->number > b->number;
  return a->is_float ? -compare_integer_float(b->integer, a->number) : compare_integer_float(a->integer, b->number);
}

static int compare_strings(const struct key *a, const struct key *b) {
  size_t shorter = a->len < b->len ? a->len : b->len;
  int order = shorter ? memcmp(a->s, b->s, shorter) : 0;
  if (order) return order;
  return a->len < b->len ? -1 : a->len > b->len;
}

static int compare_keys(const void *x, const void *y) {
  const struct key *a = x, *b = y;
  if (a->type != b->type) return rank(a->type) - rank(b->type);
  if (a->type == LUA_TNUMBER) return compare_numbers(a, b);
  if (a->type == LUA_TSTRING) return compare_strings(a, b);
  return (int)(a->integer - b->integer);
}

/* Reads the key at index, which must not be converted. Raises for a key without an order. */
static struct key read_key(lua_State *L, int index) {
  struct key key = {.type = lua_type(L, index)};
  switch (key.type) {
  case LUA_TNUMBER:
    key.is_float = !lua_isinteger(L, index);
    key.integer = key.is_float ? 0 : lua_tointeger(L, index);
    key.number = lua_tonumber(L, index);
    break;
  case LUA_TSTRING:
    key.s = lua_tolstring(L, index, &key.len);
    break;
  case LUA_TBOOLEAN:
    key.integer = lua_toboolean(L, index);
    break;
  default:
    luaL_error(L, "a table keyed by a %s has no fixed order; a rule judge iterates over numbers, strings and booleans",
               luaL_typename(L, index));
  }
  return key;
}

/* next(t [, k]): the smallest key over k. Looks at every key. */
int lre_sandbox_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  lre_freeze_look(L, 1); /* 3: the content; 4: the best key so far */
  bool first = lua_isnil(L, 2);
  struct key after = {0}, best = {0};
  if (!first) after = read_key(L, 2);
  lua_pushnil(L);
  size_t seen = 1;
  for (lua_pushnil(L); lua_next(L, 3); seen++) {
    lua_pop(L, 1);
    struct key key = read_key(L, 5);
    if (!first && compare_keys(&key, &after) <= 0) continue;
    if (!lua_isnil(L, 4) && compare_keys(&key, &best) >= 0) continue;
    best = key;
    lua_copy(L, 5, 4);
  }
  lre_context_charge(L, seen);
  if (lua_isnil(L, 4)) return 1;
  lua_pushvalue(L, 4);
  lua_rawget(L, 3);
  return 2;
}

/* Pushes the keys of the table at `content` as a list, in order. */
static void push_sorted_keys(lua_State *L, int content) {
  size_t n = 0, charged = 1;
  for (lua_pushnil(L); lua_next(L, content); n++) lua_pop(L, 1);
  for (size_t rest = n; rest; rest >>= 1) charged += n;
  lre_context_charge(L, charged);
  lua_createtable(L, n < 1 << 20 ? (int)n : 0, 0);
  int sorted = lua_gettop(L);
  struct key *keys = lua_newuserdatauv(L, (n + 1) * sizeof *keys, 0);
  n = 0;
  for (lua_pushnil(L); lua_next(L, content); n++) {
    lua_pop(L, 1);
    keys[n] = read_key(L, -1);
  }
  qsort(keys, n, sizeof *keys, compare_keys);
  for (size_t i = 0; i < n; i++) {
    if (keys[i].type == LUA_TSTRING) {
      lua_pushlstring(L, keys[i].s, keys[i].len);
    } else if (keys[i].type == LUA_TBOOLEAN) {
      lua_pushboolean(L, (int)keys[i].integer);
    } else if (keys[i].is_float) {
      lua_pushnumber(L, keys[i].number);
    } else {
      lua_pushinteger(L, keys[i].integer);
    }
    lua_rawseti(L, sorted, (lua_Integer)i + 1);
  }
  lua_settop(L, sorted);
}

/* Upvalues: the content, its sorted keys, how many were given. Entries that were removed meanwhile are left out. */
static int pairs_step(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
  for (;;) {
    if (lua_rawgeti(L, lua_upvalueindex(2), ++i) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
    lua_pop(L, 2);
    lre_context_charge(L, 1);
  }
  lua_pushinteger(L, i);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

int lre_sandbox_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lre_freeze_look(L, 1);
  push_sorted_keys(L, lua_gettop(L));
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, pairs_step, 3);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}
