/* sandtable.c: the table library of a sandbox. Lua's own runs loops of `#t` rounds in one call; here each pays for its
 * rounds first, and sort is a merge sort: lstrlib's quicksort takes its pivots from the clock. Metamethods count as in
 * Lua. */
#include <lauxlib.h>
#include <limits.h>
#include <stdint.h>

#include "vm/sandbox_state.h"

static lua_Integer length_of(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  return luaL_len(L, index);
}

static void charge_range(lua_State *L, lua_Integer first, lua_Integer last) {
  if (first <= last) lre_context_charge(L, (size_t)((uint64_t)last - (uint64_t)first) | 1);
}

static int table_insert(lua_State *L) {
  lua_Integer end = (lua_Integer)((lua_Unsigned)length_of(L, 1) + 1);
  lua_Integer at = end;
  switch (lua_gettop(L)) {
  case 2:
    break;
  case 3:
    at = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    charge_range(L, at, end);
    for (lua_Integer i = end; i > at; i--) {
      lua_geti(L, 1, i - 1);
      lua_seti(L, 1, i);
    }
    break;
  default:
    return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  lua_Integer size = length_of(L, 1);
  lua_Integer at = luaL_optinteger(L, 2, size);
  if (at != size) luaL_argcheck(L, (lua_Unsigned)at - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  charge_range(L, at, size);
  lua_geti(L, 1, at);
  for (; at < size; at++) {
    lua_geti(L, 1, at + 1);
    lua_seti(L, 1, at);
  }
  lua_pushnil(L);
  lua_seti(L, 1, at);
  return 1;
}

static int table_move(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  luaL_checktype(L, target, LUA_TTABLE);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer n = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
    lre_context_charge(L, (size_t)n);
    bool upwards = to > last || to <= first || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
    for (lua_Integer k = 0; k < n; k++) {
      lua_Integer i = upwards ? k : n - 1 - k;
      lua_geti(L, 1, first + i);
      lua_seti(L, target, to + i);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static int table_concat(lua_State *L) {
  lua_Integer last = length_of(L, 1);
  size_t separator_len, bytes;
  const char *separator = luaL_optlstring(L, 2, "", &separator_len);
  lua_Integer i = luaL_optinteger(L, 3, 1);
  last = luaL_optinteger(L, 4, last);
  charge_range(L, i, last);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (; i <= last; i++) {
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
      return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
                        (LUAI_UACINT)i);
    bytes = separator_len + (lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1) : 1);
    lre_context_charge(L, bytes);
    luaL_addvalue(&b);
    if (i == last) break; /* last may be the greatest integer */
    luaL_addlstring(&b, separator, separator_len);
  }
  luaL_pushresult(&b);
  return 1;
}

static int table_pack(lua_State *L) {
  int n = lua_gettop(L);
  lre_context_charge(L, (size_t)n + 1);
  lua_createtable(L, n, 1);
  lua_insert(L, 1);
  for (int i = n; i >= 1; i--) lua_seti(L, 1, i);
  lua_pushinteger(L, n);
  lua_setfield(L, 1, "n");
  return 1;
}

static int table_unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  lua_Unsigned n = (lua_Unsigned)last - (lua_Unsigned)first;
  if (n >= INT_MAX || !lua_checkstack(L, (int)(n + 1))) return luaL_error(L, "too many results to unpack");
  lre_context_charge(L, (size_t)n + 1);
  for (lua_Unsigned i = 0; i <= n; i++) lua_geti(L, 1, (lua_Integer)((lua_Unsigned)first + i));
  return (int)n + 1;
}

/* ---- sort ---- */

enum {
  SORT_LESS = 2,
  SORT_FROM = 3,
  SORT_TO = 4
}; /* stack places: the comparator or nil, the runs, where they are merged to */

/* Is the value at b less than the one at a? Then it comes first; equal ones keep their order. */
static bool is_less(lua_State *L, int b, int a) {
  if (lua_isnil(L, SORT_LESS)) return lua_compare(L, b, a, LUA_OPLT);
  lua_pushvalue(L, SORT_LESS);
  lua_pushvalue(L, b - (b < 0 ? 1 : 0));
  lua_pushvalue(L, a - (a < 0 ? 2 : 0));
  lua_call(L, 2, 1);
  bool less = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return less;
}

/* Merges the runs [low, middle) and [middle, high). */
static void merge(lua_State *L, lua_Integer low, lua_Integer middle, lua_Integer high) {
  lua_Integer i = low, j = middle;
  for (lua_Integer k = low; k < high; k++) {
    bool take_right = i >= middle;
    if (i < middle && j < high) {
      lua_rawgeti(L, SORT_FROM, i);
      lua_rawgeti(L, SORT_FROM, j);
      take_right = is_less(L, -1, -2);
      lua_pop(L, 2);
    }
    lua_rawgeti(L, SORT_FROM, take_right ? j++ : i++);
    lua_rawseti(L, SORT_TO, k);
  }
}

static lua_Integer least(lua_Integer a, lua_Integer b) {
  return a < b ? a : b;
}

static int table_sort(lua_State *L) {
  lua_Integer n = length_of(L, 1);
  if (n < 2) return 0;
  luaL_argcheck(L, n < INT_MAX, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  size_t steps = 0;
  for (lua_Integer width = 1; width < n; width *= 2) steps += 4 * (size_t)n;
  lre_context_charge(L, steps);
  lua_createtable(L, (int)n, 0);
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, 1, i);
    lua_rawseti(L, SORT_FROM, i);
  }
  for (lua_Integer width = 1; width < n; width *= 2) {
    for (lua_Integer low = 1; low <= n; low += 2 * width)
      merge(L, low, least(low + width, n + 1), least(low + 2 * width, n + 1));
    lua_rotate(L, SORT_FROM, 1);
  }
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, SORT_FROM, i);
    lua_seti(L, 1, i);
  }
  return 0;
}

void lre_sandbox_open_table(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},     {"pack", table_pack},
      {"remove", table_remove}, {"sort", table_sort},     {"unpack", table_unpack}, {NULL, NULL}};
  luaL_newlib(L, functions);
}
